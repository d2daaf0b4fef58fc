/* SPDX-License-Identifier: MIT */
/* Objects in S3, and in other stores with its protocol: s3://BUCKET/KEY. */
#ifndef STORE_S3_S3_H
#define STORE_S3_S3_H

#include "node/endpoint.h"

/* Makes an endpoint. `rest` is the text after "s3:". */
int s3_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                const struct leat_endpoint_options *options, struct leat_error *error);

#endif
