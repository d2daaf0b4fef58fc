/* What all endpoints share: a node, a reference count, the name it was given. The makers below are what the registry's
 * schemes call. */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include "node/endpoint.h"

/* A path: a regular file or whatever else has a name. */
int endpoint_path(leat_endpoint **ret, const char *spec, const char *path, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error);

/* A descriptor. */
int endpoint_descriptor(leat_endpoint **ret, const char *spec, int fd, enum leat_direction direction,
                        enum leat_ownership ownership, const struct leat_endpoint_options *options,
                        struct leat_error *error);

/* A stream socket: tcp:HOST:PORT, tcp-listen:[HOST:]PORT, unix:PATH, unix-listen:PATH; `rest` is what stands behind the
 * scheme. */
int endpoint_tcp(leat_endpoint **ret, const char *spec, const char *rest, bool listens, enum leat_direction direction,
                 const struct leat_endpoint_options *options, struct leat_error *error);
int endpoint_unix(leat_endpoint **ret, const char *spec, const char *rest, bool listens, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error);

/* A child process: `command` is for /bin/sh -c. */
int endpoint_exec(leat_endpoint **ret, const char *spec, const char *command, enum leat_direction direction,
                  struct leat_error *error);

#endif
