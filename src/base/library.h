/* SPDX-License-Identifier: MIT */
/* The libraries that leat can be built without, and what leat_features_probe reports about them. */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/base.h"
#include <leat/probe.h>

struct library {
    const char *name;             /* "libzstd" */
    const char *serves;           /* "zstd and unzstd", the start of a sentence */
    const char *(*version)(void); /* NULL: leat was built without it */
};

/* Fills one feature for each library, at most `room`. Returns their number. */
uint32_t library_features(struct leat_feature *ret, size_t room);

/* Ends with NULL. The registry defines it: src/registry/libraries.c. */
extern const struct library *const registry_libraries[];

extern const struct library library_xxhash, library_zstd, library_zlib;

#endif
