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
    struct s3_extra extra;
    char *path, *query; /* percent-encoded */
};

/* As s3_place_request, for this object, with the headers that every request sends. */
int s3_request(const struct s3_object *object, const char *method, const char *query, const char *payload,
               struct http_request *ret);

/* The hooks that write an object (write.c). */
int s3_head(const struct object *object, struct http_request *ret);
int s3_put(const struct object *object, const struct part *part, bool if_none, struct http_request *ret);
extern const struct multipart s3_multipart;
/* Makes the request that aborts an upload of the object `key`. */
int s3_abort(const struct s3_place *place, const char *key, const char *upload, struct http_request *ret);

#endif
