/* Compares what a request sends with what it was to send, where the body was not kept but is read from the file of the
 * user once more, which may have changed meanwhile. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "base/libcrypto.h"
#include "store/request.h"

/* Zero before the first use. */
struct check {
    EVP_MD_CTX *ctx;
    uint64_t at; /* bytes that were taken */
};

/* The next n bytes of a body with a `sha256`, from byte `at` on; `at` 0 begins anew. -ESTALE: they were the last ones,
 * which must not go then, and the body is another one; or they don't follow those before. -ENOMEM. */
int check_take(struct check *check, const struct http_body *body, uint64_t at, const void *bytes, size_t n);

void check_clear(struct check *check);

#endif
