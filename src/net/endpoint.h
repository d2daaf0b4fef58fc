/* Stream sockets as sources and sinks: tcp:HOST:PORT, tcp-listen:[HOST:]PORT, unix:PATH, unix-listen:PATH. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include "node/endpoint.h"

/* `rest` is what stands behind the scheme. */
int net_tcp_endpoint(leat_endpoint **ret, const char *spec, const char *rest, bool listens,
                     enum leat_direction direction, const struct leat_endpoint_options *options,
                     struct leat_error *error);
int net_unix_endpoint(leat_endpoint **ret, const char *spec, const char *rest, bool listens,
                      enum leat_direction direction, const struct leat_endpoint_options *options,
                      struct leat_error *error);

#endif
