/* SPDX-License-Identifier: MIT */
/* Objects with a URL: http:// and https://. */
#ifndef STORE_HTTP_HTTP_H
#define STORE_HTTP_HTTP_H

#include "node/endpoint.h"

/* Makes an endpoint. `spec` is the URL. */
int http_endpoint(leat_endpoint **ret, const char *spec, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error);

#endif
