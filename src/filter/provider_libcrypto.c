/* SPDX-License-Identifier: MIT */
/* Digests with OpenSSL's libcrypto, which uses the instructions of the CPU. */
#include "base/base.h"
#include "base/digest_provider.h"
#include "base/libcrypto.h"
#include <errno.h>

struct libcrypto_digest {
    EVP_MD_CTX *running;
    EVP_MD_CTX *copy; /* used to compute a value without ending `running` */
};

static void libcrypto_close(void *state)
{
    struct libcrypto_digest *c = state;
    if (c) {
        crypto.ctx_free(c->running);
        crypto.ctx_free(c->copy);
        free(c);
    }
}

static int begin(void **ret, const EVP_MD *md)
{
    struct libcrypto_digest *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->running = crypto.ctx_new();
    c->copy = crypto.ctx_new();
    if (!c->running || !c->copy || crypto.init(c->running, md, NULL) != 1) {
        libcrypto_close(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

/* Functions with output of any length (shake128) are not offered, because versions of OpenSSL differ about the default
 * length. */
static bool has_fixed_size(const EVP_MD *md)
{
    int size = crypto.md_get_size(md);
    return size > 0 && size <= DIGEST_BYTES_MAX && !(crypto.md_get_flags(md) & EVP_MD_FLAG_XOF);
}

/* The marks keep an unknown name out of OpenSSL's error queue, which the program may use itself. */
static EVP_MD *fetch(const char *algorithm)
{
    crypto.set_mark();
    EVP_MD *md = crypto.md_fetch(NULL, algorithm, NULL);
    crypto.pop_to_mark();
    return md;
}

static int libcrypto_open(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    int r = libcrypto_need(ret_why);
    if (r < 0)
        return r;
    EVP_MD *md = fetch(algorithm);
    /* md_fetch also returns NULL if memory runs out. The name counts as unknown only if a known name is found, and then
     * this name fails once more. */
    if (!md) {
        EVP_MD *other = fetch("SHA2-256");
        md = other ? fetch(algorithm) : NULL;
        if (!md)
            r = other ? -ENOENT : -ENOMEM;
        if (r == -ENOMEM)
            *ret_why = "there is no memory for libcrypto";
        crypto.md_free(other);
    }
    if (!md)
        return r;
    r = -ENOENT;
    if (has_fixed_size(md)) {
        *ret_why = "libcrypto can't begin the digest";
        r = begin(ret, md);
    }
    if (r == 0)
        *ret_size = (size_t)crypto.md_get_size(md);
    crypto.md_free(md); /* the contexts have their own references */
    return r;
}

static int libcrypto_update(void *state, const void *bytes, size_t n)
{
    struct libcrypto_digest *c = state;
    return crypto.update(c->running, bytes, n) == 1 ? 0 : -EIO;
}

static int libcrypto_value(void *state, uint8_t *ret)
{
    struct libcrypto_digest *c = state;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int n;
    if (crypto.ctx_copy(c->copy, c->running) != 1)
        return -ENOMEM; /* it fails for nothing else */
    if (crypto.final(c->copy, bytes, &n) != 1)
        return -EIO;
    memcpy(ret, bytes, n);
    return 0;
}

const struct digest_provider provider_libcrypto = {
    .name = "libcrypto",
    .open = libcrypto_open,
    .update = libcrypto_update,
    .value = libcrypto_value,
    .close = libcrypto_close,
};
