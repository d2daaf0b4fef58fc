/* Digests by OpenSSL's libcrypto, with the CPU's instructions. It is loaded when the first digest is asked for and not
 * linked, so that a copy without one starts without it. Only the types come from its header. */
#include "base/base.h"
#include "base/digest_provider.h"
#include <dlfcn.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>

static struct {
    EVP_MD *(*md_fetch)(OSSL_LIB_CTX *, const char *, const char *);
    void (*md_free)(EVP_MD *);
    int (*md_get_size)(const EVP_MD *);
    unsigned long (*md_get_flags)(const EVP_MD *);
    EVP_MD_CTX *(*ctx_new)(void);
    void (*ctx_free)(EVP_MD_CTX *);
    int (*ctx_copy)(EVP_MD_CTX *, const EVP_MD_CTX *);
    int (*init)(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM *);
    int (*update)(EVP_MD_CTX *, const void *, size_t);
    int (*final)(EVP_MD_CTX *, unsigned char *, unsigned int *);
    int (*set_mark)(void);
    int (*pop_to_mark)(void);
} crypto;

static const struct {
    const char *symbol;
    void *function; /* a pointer to the member that takes its address */
} symbols[] = {
    {"EVP_MD_fetch", &crypto.md_fetch},       {"EVP_MD_free", &crypto.md_free},
    {"EVP_MD_get_size", &crypto.md_get_size}, {"EVP_MD_get_flags", &crypto.md_get_flags},
    {"EVP_MD_CTX_new", &crypto.ctx_new},      {"EVP_MD_CTX_free", &crypto.ctx_free},
    {"EVP_MD_CTX_copy_ex", &crypto.ctx_copy}, {"EVP_DigestInit_ex2", &crypto.init},
    {"EVP_DigestUpdate", &crypto.update},     {"EVP_DigestFinal_ex", &crypto.final},
    {"ERR_set_mark", &crypto.set_mark},       {"ERR_pop_to_mark", &crypto.pop_to_mark},
};

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static bool loaded; /* under that lock */

/* POSIX says that a function's address fits into a void pointer; C does not, hence the copy of its bytes. */
static const char *find_symbols(void *library)
{
    for (size_t i = 0; i < COUNT(symbols); i++) {
        void *address = dlsym(library, symbols[i].symbol);
        if (!address)
            return "libcrypto is not of OpenSSL 3 or later";
        memcpy(symbols[i].function, &address, sizeof(address));
    }
    return NULL;
}

/* 0 where it is there, or a code and why it is not. dlopen says why only in words, but leaves the errno of what it
 * tried last: a lack of memory or of descriptors is told apart from a lack of the library. */
static int load(const char **ret_why)
{
    static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.4", "libcrypto.so"};
    int code = -ELIBACC;
    *ret_why = "libcrypto.so.3 is not there (package libssl3, openssl-libs or the like)";
    for (size_t i = 0; i < COUNT(names) && !loaded; i++) {
        errno = 0;
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (!library && (errno == ENOMEM || errno == EMFILE || errno == ENFILE)) {
            *ret_why = "libcrypto can't be loaded, for want of memory or descriptors";
            return -errno;
        }
        if (!library)
            continue;
        const char *missing = find_symbols(library);
        loaded = !missing;
        if (missing) {
            *ret_why = missing;
            dlclose(library);
        }
    }
    return loaded ? 0 : code;
}

/* Never unloaded: a digest may live as long as the program. What failed is tried again by whoever asks next. */
static int need(const char **ret_why)
{
    pthread_mutex_lock(&loading);
    int r = loaded ? 0 : load(ret_why);
    pthread_mutex_unlock(&loading);
    return r;
}

struct libcrypto {
    EVP_MD_CTX *running;
    EVP_MD_CTX *copy; /* in which a value is finished */
};

static void libcrypto_close(void *state)
{
    struct libcrypto *c = state;
    if (c) {
        crypto.ctx_free(c->running);
        crypto.ctx_free(c->copy);
        free(c);
    }
}

static int begin(void **ret, const EVP_MD *md)
{
    struct libcrypto *c = calloc(1, sizeof(*c));
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

/* The functions of any length (shake128) are no algorithm: versions of OpenSSL differ about their default length. */
static bool has_fixed_size(const EVP_MD *md)
{
    int size = crypto.md_get_size(md);
    return size > 0 && size <= DIGEST_BYTES_MAX && !(crypto.md_get_flags(md) & EVP_MD_FLAG_XOF);
}

/* The marks: a name that is not found leaves no trace in the error queue of a program which uses OpenSSL itself. */
static EVP_MD *fetch(const char *algorithm)
{
    crypto.set_mark();
    EVP_MD *md = crypto.md_fetch(NULL, algorithm, NULL);
    crypto.pop_to_mark();
    return md;
}

static int libcrypto_open(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    int r = need(ret_why);
    if (r < 0)
        return r;
    EVP_MD *md = fetch(algorithm);
    /* It says as little of a lack of memory. A name is unknown only where others are known and it is so twice. */
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
    crypto.md_free(md); /* the contexts hold it */
    return r;
}

static int libcrypto_update(void *state, const void *bytes, size_t n)
{
    struct libcrypto *c = state;
    return crypto.update(c->running, bytes, n) == 1 ? 0 : -EIO;
}

static int libcrypto_value(void *state, uint8_t *ret)
{
    struct libcrypto *c = state;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int n;
    if (crypto.ctx_copy(c->copy, c->running) != 1 || crypto.final(c->copy, bytes, &n) != 1)
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
