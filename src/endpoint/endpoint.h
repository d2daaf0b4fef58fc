/* Endpoints in this room: paths and descriptors. The registry's schemes call these makers. */
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

#endif
