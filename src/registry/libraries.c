/* SPDX-License-Identifier: MIT */
/* The libraries that a build may lack, in the order in which the probe reports them. */
#include "base/library.h"

const struct library *const registry_libraries[] = {&library_xxhash, &library_zstd, &library_zlib, NULL};
