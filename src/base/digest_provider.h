/* SPDX-License-Identifier: MIT */
/* A provider computes digests. Each provider is one table; the registry lists them in the order in which they are
 * tried. The contract is in this room because the kernel room has a provider as well. */
#ifndef BASE_DIGEST_PROVIDER_H
#define BASE_DIGEST_PROVIDER_H

#include "base/error.h"
#include <stdbool.h>

#define DIGEST_BYTES_MAX 64
#define DIGEST_NAME_MAX  48 /* with the NUL; no algorithm has a longer name */

struct digest_provider {
    const char *name; /* "libcrypto", "xxhash", "kernel" */
    bool kernel;      /* used only if the caller asks for it */

    /* Starts a digest of empty input. Returns 0 and gives it in *ret. -ENOENT: the provider does not have this
     * algorithm. Any other negative errno: the provider can't be used, and *ret_why is the reason, a static sentence.
     * The first call runs a self-test. */
    int (*open)(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why);
    int (*update)(void *state, const void *bytes, size_t n);
    /* Writes the digest of the bytes so far to `ret`; `update` may add more bytes afterwards. */
    int (*value)(void *state, uint8_t *ret);
    /* Returns the descriptor that a route may splice into, or -1. NULL: the provider never has one. */
    int (*splice_fd)(void *state);
    void (*close)(void *state);
};

/* Ends with NULL. The registry defines it: src/registry/linux.c or posix.c. */
extern const struct digest_provider *const registry_digest_providers[];

extern const struct digest_provider provider_libcrypto, provider_xxhash, provider_crc32c, provider_crc;
extern const struct digest_provider provider_kernel; /* src/kernel/alg.c */

#endif
