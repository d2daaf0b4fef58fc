/* Headers that the user adds to requests of S3: metadata, tags, storage class, encryption, who pays. */
#ifndef STORE_S3_EXTRA_H
#define STORE_S3_EXTRA_H

#include "store/request.h"
#include <leat/endpoint.h>
#include <stdbool.h>

#define S3_EXTRA_MAX 12 /* so that what the requests have besides has room, too */

struct s3_extra {
    char *line[S3_EXTRA_MAX];   /* "name: value", from malloc; names that begin with x-amz- in lower case, as signing
                                   wants it */
    bool creates[S3_EXTRA_MAX]; /* it says how the object shall be, and belongs to the request that makes it */
    size_t count;
};

/* Takes what is for S3 from the headers of the options: those that begin with "x-amz-", and a few that are kept with an
 * object. The others are for http: alone. -EINVAL for one that leat has to set itself, -E2BIG, -ENOMEM. Values are not
 * told in errors. */
int s3_extra_read(struct s3_extra *ret, const struct leat_endpoint_options *options, struct leat_error *error);

/* Adds them to a request that is not signed yet. As request_header. */
int s3_extra_add(const struct s3_extra *extra, bool creates, struct http_request *request);

/* Has it a key of the customer's, which each request has to show? */
bool s3_extra_has_key(const struct s3_extra *extra);
/* Shows the request one? */
bool s3_extra_is_shown(const struct http_request *request);

void s3_extra_clear(struct s3_extra *extra);

#endif
