/* SPDX-License-Identifier: MIT */
/* The functions of OpenSSL's libcrypto that leat uses. leat does not link the library; it loads it when the first
 * digest or signature needs it, so that a copy without digests starts without it. The OpenSSL headers are used for
 * types alone. */
#ifndef BASE_LIBCRYPTO_H
#define BASE_LIBCRYPTO_H

#include <openssl/evp.h>

/* The functions, with the names of their manual pages without the prefix. Valid once libcrypto_need has returned 0. */
struct libcrypto {
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
    int (*digest)(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, ENGINE *);
    const EVP_MD *(*sha256)(void);
    unsigned char *(*hmac)(const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *,
                           unsigned int *);
    int (*set_mark)(void);
    int (*pop_to_mark)(void);
};

extern struct libcrypto crypto;

/* Loads libcrypto; same as loader_need. The first call takes some milliseconds. */
int libcrypto_need(const char **ret_why);

#endif
