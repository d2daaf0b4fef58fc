/* SPDX-License-Identifier: MIT */
/* The makers of endpoints for paths and descriptors. The list of schemes in the registry calls them. */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include "node/endpoint.h"

/* A path: of a regular file, or of anything else that has a name. Returns 0, or a negative errno with `error` set. */
int endpoint_path(leat_endpoint **ret, const char *spec, const char *path, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error);

/* A descriptor; `ownership` says whether it is taken, on failure too. Returns as endpoint_path. */
int endpoint_descriptor(leat_endpoint **ret, const char *spec, int fd, enum leat_direction direction,
                        enum leat_ownership ownership, const struct leat_endpoint_options *options,
                        struct leat_error *error);

/* A sink: a new, empty regular file that only the caller can see. Borrows the descriptor, which is open for reading and
 * writing. Returns 0 or a negative errno. */
int endpoint_fresh(leat_endpoint **ret, const char *name, int fd);

#endif
