/* SPDX-License-Identifier: MIT */
/* The libraries that the probe reports, in this order: those that leat is linked with, then those that it loads. */
#include "base/library.h"

const struct library *const registry_libraries[] = {
    &library_jansson,   &library_xxhash, &library_zstd,  &library_zlib,    &library_uring,
    &library_libcrypto, &library_curl,   &library_expat, &library_archive, NULL,
};
