/* The libraries that leat can be built without, and what the probe tells of them. */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/base.h"
#include <leat/probe.h>

struct library {
    const char *name;             /* "libzstd" */
    const char *serves;           /* "zstd and unzstd", as the beginning of a sentence */
    const char *(*version)(void); /* NULL: this build lacks it */
};

/* A feature for each, as far as there is room; how many they are. */
uint32_t library_features(struct leat_feature *ret, size_t room);

/* Ends in NULL. Defined by the registry: src/registry/libraries.c. */
extern const struct library *const registry_libraries[];

extern const struct library library_xxhash, library_zstd, library_zlib;

#endif
