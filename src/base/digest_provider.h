/* Who computes a digest: one table for each provider; the registry lists them in the order they are tried. The contract
 * stands in this room because the kernel room provides one too. */
#ifndef BASE_DIGEST_PROVIDER_H
#define BASE_DIGEST_PROVIDER_H

#include "base/error.h"
#include <stdbool.h>

#define DIGEST_BYTES_MAX 64
#define DIGEST_NAME_MAX  48 /* with the NUL; no algorithm has a longer name */

struct digest_provider {
    const char *name; /* "libcrypto", "xxhash", "kernel" */
    bool kernel;      /* taken only when it is asked for */

    /* A running digest of the empty input, or a negative errno: -ENOENT: not its algorithm; anything else: it steps
     * aside, and *ret_why says why in a static sentence. Self-tests once, at the first call. */
    int (*open)(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why);
    int (*update)(void *state, const void *bytes, size_t n);
    /* The digest of what was fed so far; more may be fed afterwards. */
    int (*value)(void *state, uint8_t *ret);
    /* The descriptor that a route may splice into, or -1. NULL: never. */
    int (*splice_fd)(void *state);
    void (*close)(void *state);
};

/* Ends in NULL. Defined by the registry: src/registry/linux.c or posix.c. */
extern const struct digest_provider *const registry_digest_providers[];

extern const struct digest_provider provider_libcrypto, provider_xxhash, provider_crc32c, provider_crc;
extern const struct digest_provider provider_kernel; /* src/kernel/alg.c */

#endif
