/* SPDX-License-Identifier: MIT */
/* The digest providers of a build for POSIX alone. The list ends with NULL and is tried in order. */
#include "base/digest_provider.h"

const struct digest_provider *const registry_digest_providers[] = {
    &provider_xxhash, &provider_crc32c, &provider_crc, &provider_libcrypto, NULL,
};
