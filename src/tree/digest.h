/* SPDX-License-Identifier: MIT */
/* Digests of files that a worker reads itself. */
#ifndef TREE_DIGEST_H
#define TREE_DIGEST_H

#include "base/digest_provider.h"

/* One algorithm. */
struct tree_digest {
    const struct digest_provider *provider;
    char name[DIGEST_NAME_MAX]; /* as providers spell it */
    size_t size;                /* bytes of a digest */
};

/* Finds the provider of a digest, in any usual spelling: sha256, SHA-256, BLAKE2b. Returns 0; -ENOENT: there is none;
 * or -ELIBACC or the like: its provider can't be used. On failure *error has a sentence. */
int digest_find(struct tree_digest *ret, const char *spelling, struct leat_error *error);

#endif
