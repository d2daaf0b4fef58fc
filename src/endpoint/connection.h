/* The way from an endpoint to a connection, for the registry, which knows what a spec means. */
#ifndef ENDPOINT_CONNECTION_H
#define ENDPOINT_CONNECTION_H

#include "node/node.h"
#include <leat/stream.h>

/* Opens the endpoint, and waits until that is done. Takes it, on failure too. */
int connection_of_endpoint(leat_connection **ret, leat_endpoint *endpoint,
                           const struct leat_connection_options *options, struct leat_error *error);

#endif
