/* SPDX-License-Identifier: MIT */
/* Stream sockets as sources and sinks: tcp:HOST:PORT, tcp-listen:[HOST:]PORT, unix:PATH, unix-listen:PATH. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include "node/endpoint.h"

/* `rest` is the text behind the scheme. They return 0, or a negative errno with `error` set. Nothing is connected or
 * bound yet. */
int net_tcp_endpoint(leat_endpoint **ret, const char *spec, const char *rest, bool listens,
                     enum leat_direction direction, const struct leat_endpoint_options *options,
                     struct leat_error *error);
int net_unix_endpoint(leat_endpoint **ret, const char *spec, const char *rest, bool listens,
                      enum leat_direction direction, const struct leat_endpoint_options *options,
                      struct leat_error *error);

#endif
