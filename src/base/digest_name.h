/* SPDX-License-Identifier: MIT */
/* Maps the spellings of a digest's name to the name that leat reports. */
#ifndef BASE_DIGEST_NAME_H
#define BASE_DIGEST_NAME_H

#include "base/digest_provider.h"
#include "base/error.h"

/* Writes the canonical name of the `length` characters of `spelling` to `ret`: lower case, and "sha256" for SHA-256 and
 * sha2-256, "sha512-256" for SHA-512/256, "blake2b-512" for blake2b. An unknown name is only put in lower case, because
 * a provider may know it. Returns 0. -EINVAL: the name is empty. -ENOENT: it is longer than any name. */
int digest_name(char ret[DIGEST_NAME_MAX], const char *spelling, size_t length);

/* Says why the algorithm with this name can't be computed, and returns `code`. The name is the first `length`
 * characters of `spelling`. */
int digest_refuse(struct leat_error *error, int code, const char *spelling, size_t length);

#endif
