/* SPDX-License-Identifier: MIT */
#include "base/libcrypto.h"
#include "base/library.h"
#include "base/loader.h"

struct libcrypto crypto;

static const struct loader_symbol symbols[] = {
    {"EVP_MD_fetch", &crypto.md_fetch},
    {"EVP_MD_free", &crypto.md_free},
    {"EVP_MD_get_size", &crypto.md_get_size},
    {"EVP_MD_get_flags", &crypto.md_get_flags},
    {"EVP_MD_CTX_new", &crypto.ctx_new},
    {"EVP_MD_CTX_free", &crypto.ctx_free},
    {"EVP_MD_CTX_copy_ex", &crypto.ctx_copy},
    {"EVP_DigestInit_ex2", &crypto.init},
    {"EVP_DigestUpdate", &crypto.update},
    {"EVP_DigestFinal_ex", &crypto.final},
    {"EVP_Digest", &crypto.digest},
    {"EVP_sha256", &crypto.sha256},
    {"HMAC", &crypto.hmac},
    {"ERR_set_mark", &crypto.set_mark},
    {"ERR_pop_to_mark", &crypto.pop_to_mark},
};

int libcrypto_need(const char **ret_why)
{
    static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.4", "libcrypto.so", NULL};
    static struct loader loader = {
        .names = names,
        .symbols = symbols,
        .count = COUNT(symbols),
        .missing = "libcrypto.so.3 is not there (package libssl3, openssl-libs or the like)",
        .other = "libcrypto is not of OpenSSL 3 or later",
        .poor = "libcrypto can't be loaded, for want of memory or descriptors",
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    return loader_need(&loader, ret_why);
}

static const char *libcrypto_version(void)
{
    return OPENSSL_VERSION_STR;
}

const struct library library_libcrypto = {"libcrypto", "Digests and signatures", libcrypto_version, true};
