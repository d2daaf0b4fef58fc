/* SPDX-License-Identifier: MIT */
/* An object in S3. */
#ifndef STORE_S3_OBJECT_H
#define STORE_S3_OBJECT_H

#include "store/s3/extra.h"
#include "store/s3/place.h"
#include "store/store.h"

struct s3_object {
    struct object object;
    struct s3_place place;
    bool is_of_bucket; /* the place is that of a struct s3_bucket */
    struct s3_extra extra;
    char *path, *query; /* percent-encoded */
};

/* As s3_place_request, for this object, with the headers that every request sends. */
int s3_request(const struct s3_object *object, const char *method, const char *query, const char *payload,
               struct http_request *ret);

/* Makes an object without a path and a query, which the caller sets. `place`: that of a bucket, which outlives the
 * object; NULL: the caller sets that, too. NULL: no memory. */
struct s3_object *s3_object_new(const struct s3_place *place);
/* Makes the endpoint of an object; takes the object, on failure too. A path or a query that is NULL is -ENOMEM. */
int s3_object_endpoint(struct s3_object *object, const char *spec, enum leat_direction direction,
                       const struct leat_endpoint_options *options, leat_endpoint **ret, struct leat_error *error);

/* The hooks that write an object (write.c). */
int s3_head(const struct object *object, struct http_request *ret);
int s3_put(const struct object *object, const struct part *part, bool if_none, struct http_request *ret);
extern const struct multipart s3_multipart;
/* Makes the request that aborts an upload of the object `key`. */
int s3_abort(const struct s3_place *place, const char *key, const char *upload, struct http_request *ret);

#endif
