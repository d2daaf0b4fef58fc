/* The contract of a store: how it asks for an object by HTTP. To add a store: a folder with a `struct store`, a maker,
 * and a row in src/registry/schemes.c. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "node/endpoint.h"
#include "store/transfer.h"

struct store;

/* An object in a store; each store's own struct begins with it. Constant once it is made. */
struct object {
    const struct store *store;
};

struct store {
    const char *name; /* "s3" */

    /* The request that reads the object from byte `first` on, to its end. `etag` "" takes any version of it, else only
     * that one (If-Match). *ret is empty before; on failure it may hold a part. Called for each attempt, since a
     * signature has a time; on any thread, one at a time. -ENOMEM, -E2BIG, -EINVAL, or -ELIBACC without libcrypto. */
    int (*read)(const struct object *object, uint64_t first, const char *etag, struct http_request *ret);

    /* One sentence for an answer that is a failure, from its body, which need not be text: "" if it says nothing. */
    void (*explain)(const char *body, size_t n, char *ret, size_t capacity);

    void (*free)(struct object *object);
};

/* A source that reads the object, which it takes, on failure too. Of the options it takes `retries`. */
int store_source(leat_endpoint **ret, const char *spec, struct object *object,
                 const struct leat_endpoint_options *options, struct leat_error *error);

#endif
