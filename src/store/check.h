/* SPDX-License-Identifier: MIT */
/* Compares the bytes that a request sends with the expected digest. This is needed for a body that is not kept in
 * memory but is read again from the user's file, which may have changed in the meantime. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "base/libcrypto.h"
#include "store/request.h"

/* Zero before the first use. */
struct check {
    EVP_MD_CTX *ctx;
    uint64_t at; /* bytes hashed so far */
};

/* Adds the next n bytes of a body that has a `sha256`. They start at byte `at`; 0 starts the digest again. Returns 0;
 * -ESTALE if these are the last bytes and the digest differs, or if they do not follow the bytes before; or -ENOMEM.
 * After -ESTALE the bytes must not be sent. */
int check_take(struct check *check, const struct http_body *body, uint64_t at, const void *bytes, size_t n);

void check_clear(struct check *check);

#endif
