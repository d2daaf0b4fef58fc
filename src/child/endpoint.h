/* SPDX-License-Identifier: MIT */
/* The endpoint exec:COMMAND: a child process as a source or a sink. */
#ifndef CHILD_ENDPOINT_H
#define CHILD_ENDPOINT_H

#include "node/endpoint.h"

/* Makes the endpoint; the child is not started yet. `command` is for /bin/sh -c. Returns 0, or a negative errno with
 * `error` set. */
int child_endpoint(leat_endpoint **ret, const char *spec, const char *command, enum leat_direction direction,
                   struct leat_error *error);

#endif
