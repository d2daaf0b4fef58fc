/* SPDX-License-Identifier: MIT */
/* xxh3 and xxh3-128 with libxxhash. They detect accidents, not attacks. The digest is the canonical (big-endian) form,
 * which xxhsum prints. */
#include "base/digest_provider.h"
#include "base/library.h"
#include <errno.h>
#include <xxhash.h>

struct xxhash {
    XXH3_state_t *running;
    bool wide;
};

static void xxhash_close(void *state)
{
    struct xxhash *x = state;
    if (x) {
        XXH3_freeState(x->running);
        free(x);
    }
}

static int xxhash_open(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    bool wide = strcmp(algorithm, "xxh3-128") == 0;
    if (!wide && strcmp(algorithm, "xxh3") != 0)
        return -ENOENT;
    struct xxhash *x = calloc(1, sizeof(*x));
    if (!x || !(x->running = XXH3_createState())) {
        *ret_why = "no memory for the digest";
        xxhash_close(x);
        return -ENOMEM;
    }
    x->wide = wide;
    /* Both resets do the same for a state without a secret, but that is internal to libxxhash. */
    if (wide)
        XXH3_128bits_reset(x->running);
    else
        XXH3_64bits_reset(x->running);
    *ret = x;
    *ret_size = wide ? sizeof(XXH128_canonical_t) : sizeof(XXH64_canonical_t);
    return 0;
}

static int xxhash_update(void *state, const void *bytes, size_t n)
{
    struct xxhash *x = state;
    XXH_errorcode r = x->wide ? XXH3_128bits_update(x->running, bytes, n) : XXH3_64bits_update(x->running, bytes, n);
    return r == XXH_OK ? 0 : -EIO;
}

static int xxhash_value(void *state, uint8_t *ret)
{
    struct xxhash *x = state;
    if (x->wide) {
        XXH128_canonical_t value;
        XXH128_canonicalFromHash(&value, XXH3_128bits_digest(x->running));
        memcpy(ret, value.digest, sizeof(value.digest));
    } else {
        XXH64_canonical_t value;
        XXH64_canonicalFromHash(&value, XXH3_64bits_digest(x->running));
        memcpy(ret, value.digest, sizeof(value.digest));
    }
    return 0;
}

const struct digest_provider provider_xxhash = {
    .name = "xxhash",
    .open = xxhash_open,
    .update = xxhash_update,
    .value = xxhash_value,
    .close = xxhash_close,
};

static const char *xxhash_version(void)
{
    return TEXT(XXH_VERSION_MAJOR) "." TEXT(XXH_VERSION_MINOR) "." TEXT(XXH_VERSION_RELEASE);
}

const struct library library_xxhash = {"libxxhash", "The digests xxh3 and xxh3-128", xxhash_version, false};
