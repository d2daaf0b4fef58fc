/* The many spellings of a digest's name, and the one that leat reports. */
#ifndef FILTER_DIGEST_NAME_H
#define FILTER_DIGEST_NAME_H

#include "base/digest_provider.h"

/* The canonical name of the `length` characters of `spelling`: lower case, and "sha256" for SHA-256 and sha2-256,
 * "sha512-256" for SHA-512/256, "blake2b-512" for blake2b. An unknown name comes back in lower case, since a provider
 * may know it. -EINVAL: it is empty; -ENOENT: no name is that long. */
int digest_name(char ret[DIGEST_NAME_MAX], const char *spelling, size_t length);

#endif
