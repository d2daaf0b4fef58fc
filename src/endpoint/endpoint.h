/* What all endpoints share: a node, a reference count, the name it was given. The makers below are what the registry's
 * schemes call. */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include "node/node.h"

/* Fills the common part: one reference, kind, a copy of the spec. -ENOMEM. */
int endpoint_init(leat_endpoint *endpoint, const struct node_ops *ops, const char *spec, enum leat_direction direction,
                  void (*free)(leat_endpoint *));

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

/* Fills side, node and operation of an error in opening; returns code. "cannot open" is no operation: name the call. */
int endpoint_error(struct node *node, struct leat_error *error, int code, const char *operation, const char *hint);

#endif
