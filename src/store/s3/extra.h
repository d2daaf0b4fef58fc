/* SPDX-License-Identifier: MIT */
/* Headers that the user adds to requests to S3: metadata, tags, storage class, encryption, requester pays. */
#ifndef STORE_S3_EXTRA_H
#define STORE_S3_EXTRA_H

#include "store/request.h"
#include <leat/endpoint.h>
#include <stdbool.h>

#define S3_EXTRA_MAX 12 /* leaves room for the other headers of a request */

struct s3_extra {
    char *line[S3_EXTRA_MAX]; /* "name: value", from malloc; names that start with x-amz- are in lower case, as signing
                                 requires */
    bool creates[S3_EXTRA_MAX]; /* it is about the new object, so only the request that makes the object has it */
    size_t count;
};

/* Reads the headers for S3 from the options: those that start with "x-amz-", and a few that are stored with an object.
 * The others are for http: alone. Returns 0, -EINVAL for a header that leat sets itself, -E2BIG or -ENOMEM. Errors do
 * not quote values, which may be secret. */
int s3_extra_read(struct s3_extra *ret, const struct leat_endpoint_options *options, struct leat_error *error);

/* Adds the headers to a request that is not signed yet. Returns what request_header returns. */
int s3_extra_add(const struct s3_extra *extra, bool creates, struct http_request *request);

/* Do the headers have a customer-provided key, which every request must send? */
bool s3_extra_has_key(const struct s3_extra *extra);
/* Does the request send such a key? */
bool s3_extra_is_shown(const struct http_request *request);

void s3_extra_clear(struct s3_extra *extra);

#endif
