/* SPDX-License-Identifier: MIT */
/* The libraries that leat is linked with, can be built without, or loads when they are needed, and what
 * leat_features_probe reports about them. */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/base.h"
#include <leat/probe.h>
#include <stdbool.h>

/* The text of a macro that is a number. */
#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

struct library {
    const char *name;             /* "libzstd" */
    const char *serves;           /* "zstd and unzstd", the start of a sentence */
    const char *(*version)(void); /* NULL: leat was built without it */
    /* leat loads it when it is needed, so `version` is that of its headers. The probe does not load it: the libraries
     * that libcurl brings print messages and keep memory when something fails. */
    bool is_loaded_later;
};

/* Fills one feature for each library, at most `room`. Returns their number. */
uint32_t library_features(struct leat_feature *ret, size_t room);

/* Ends with NULL. The registry defines it: src/registry/libraries.c. */
extern const struct library *const registry_libraries[];

extern const struct library library_jansson, library_libcrypto, library_xxhash, library_zstd, library_zlib,
    library_uring, library_curl, library_expat, library_archive;

#endif
