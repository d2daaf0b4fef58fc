/* SPDX-License-Identifier: MIT */
#include "base/digest_name.h"
#include "base/nearest.h"
#include <errno.h>
#include <leat/filter.h>

/* The common algorithms; libcrypto may have more. */
static const char *const algorithms[] = {
    "sha256", "sha512",     "blake2b-512", "blake2s-256", "md5", "sha1",      "sha224",
    "sha384", "sha512-256", "sha3-256",    "sha3-512",    "sm3", "ripemd160", "crc32c",
    "xxh3",   "xxh3-128",   "crc32",       "crc64nvme",   NULL,
};

const char *leat_digest_algorithm(size_t index)
{
    return index < COUNT(algorithms) - 1 ? algorithms[index] : NULL;
}

int digest_refuse(struct leat_error *error, int code, const char *spelling, size_t length)
{
    char text[UNKNOWN_MAX];
    if (code == -ENOMEM)
        return code;
    if (code == -ELIBACC)
        return error_at(error, code, LEAT_SIDE_NONE, "digest", "new", "libcrypto can't be loaded: install libssl3");
    return error_at(error, code, LEAT_SIDE_NONE, "digest", "new", "%s",
                    unknown_word(text, "digest algorithm", spelling, length, algorithms));
}

/* The spellings are in lower case, with '-' for '/' and '_'. The table lists them all, because a rule such as "remove
 * sha2-" would turn a mistyped name into a known algorithm. */
static const struct {
    const char *spelling, *name;
} spellings[] = {
    {"sha-1", "sha1"},
    {"sha-224", "sha224"},
    {"sha2-224", "sha224"},
    {"sha-256", "sha256"},
    {"sha2-256", "sha256"},
    {"sha-384", "sha384"},
    {"sha2-384", "sha384"},
    {"sha-512", "sha512"},
    {"sha2-512", "sha512"},
    {"sha-512-224", "sha512-224"},
    {"sha2-512-224", "sha512-224"},
    {"sha-512-256", "sha512-256"},
    {"sha2-512-256", "sha512-256"},
    {"blake2b", "blake2b-512"},
    {"blake2b512", "blake2b-512"},
    {"blake2s", "blake2s-256"},
    {"blake2s256", "blake2s-256"},
    {"ripemd", "ripemd160"},
    {"ripemd-160", "ripemd160"},
    {"rmd160", "ripemd160"},
    {"crc32-c", "crc32c"},
    {"xxh3-64", "xxh3"},
    {"xxh128", "xxh3-128"},
};

/* tolower() is not used, because it depends on the locale. */
static char normal(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '/' || c == '_' ? '-' : c;
}

int digest_name(char ret[DIGEST_NAME_MAX], const char *spelling, size_t length)
{
    char name[DIGEST_NAME_MAX] = "";
    if (length == 0)
        return -EINVAL;
    if (length >= sizeof(name))
        return -ENOENT;
    for (size_t i = 0; i < length; i++)
        name[i] = normal(spelling[i]);
    const char *found = name;
    for (size_t i = 0; i < COUNT(spellings); i++)
        if (strcmp(name, spellings[i].spelling) == 0)
            found = spellings[i].name;
    memcpy(ret, found, strlen(found) + 1);
    return 0;
}
