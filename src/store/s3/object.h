/* An object in S3, and how its requests are signed. */
#ifndef STORE_S3_OBJECT_H
#define STORE_S3_OBJECT_H

#include "store/s3/credentials.h"
#include "store/store.h"

struct s3_object {
    struct object object;
    struct credentials credentials;
    char *scheme, *host; /* of the endpoint, with the bucket where that is part of the name */
    char *path, *query;  /* percent-encoded */
    char *region;
};

/* Makes *ret, which may have headers already, a signed request. `query`: percent-encoded, sorted, each parameter with
 * "="; "": none. `payload`: the SHA-256 of the body in hex. As sign_request otherwise. */
int s3_request(const struct s3_object *object, const char *method, const char *query, const char *payload,
               struct http_request *ret);

/* How objects are written (write.c). */
int s3_head(const struct object *object, struct http_request *ret);
int s3_put(const struct object *object, const struct part *part, bool if_none, struct http_request *ret);
extern const struct multipart s3_multipart;

#endif
