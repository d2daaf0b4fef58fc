/* A child process as a source or a sink: exec:COMMAND. */
#ifndef CHILD_ENDPOINT_H
#define CHILD_ENDPOINT_H

#include "node/endpoint.h"

/* `command` is for /bin/sh -c. */
int child_endpoint(leat_endpoint **ret, const char *spec, const char *command, enum leat_direction direction,
                   struct leat_error *error);

#endif
