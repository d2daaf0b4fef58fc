/* SPDX-License-Identifier: MIT */
/* leat_connection_open. It is in this room because only the registry can open a spec. */
#include "net/connection.h"
#include <errno.h>

int leat_connection_open(leat_connection **ret_connection, const char *spec,
                         const struct leat_connection_options *options, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_endpoint_options endpoint_options = LEAT_INIT(struct leat_endpoint_options);
    struct leat_connection_options o = {.size = sizeof(o)};
    leat_endpoint *endpoint;
    int r = error_begin(ret_error);
    if (r == 0)
        r = options_copy(&o, sizeof(o), options);
    endpoint_options.connect_timeout_ms = o.connect_timeout_ms;
    if (r == 0)
        r = leat_endpoint_open(&endpoint, spec, LEAT_WRITE, &endpoint_options, &error);
    if (r == 0)
        r = connection_of_endpoint(ret_connection, endpoint, &o, &error);
    error.side = LEAT_SIDE_NONE;
    error_spec(&error, spec);
    return error_return(ret_error, &error, r);
}
