/* SPDX-License-Identifier: MIT */
/* A place where processes on several hosts take work from each other: a shared folder, or a prefix of a store. It has
 * small records under names of letters, digits, '-' and '.'. src/registry/trees.c has the list of all kinds.
 *
 * Hooks may block, and are called by several threads at the same time. They return 0 or a negative errno, unless their
 * comments say otherwise. */
#ifndef BASE_CLAIM_PLACE_H
#define BASE_CLAIM_PLACE_H

#include "base/error.h"
#include <sys/types.h>

enum {
    CLAIM_NAME_MAX = 128,   /* bytes of a name, with its NUL */
    CLAIM_RECORD_MAX = 8192 /* bytes of a record */
};

struct claim_place {
    const char *scheme; /* "s3": its places are named s3:...; "": its places are paths */

    /* Opens the place, and makes sure that it keeps the promise of `create`. On failure *error has a sentence. */
    int (*open)(const char *spec, void **ret, struct leat_error *error);
    void (*close)(void *place);

    /* Makes a record, which appears whole or not at all. -EEXIST: there is one with this name, which has other bytes:
     * if the answer of a server was lost, the bytes tell whether the record was made. Of several calls that make the
     * same name at the same time with different bytes, exactly one gets 0. */
    int (*create)(void *place, const char *name, const void *bytes, size_t n);
    /* Reads a record. Returns its bytes, at most `size`; -ENOENT: there is none. */
    ssize_t (*read)(void *place, const char *name, void *bytes, size_t size);
    /* Makes a record that is there as young as a new one. */
    int (*renew)(void *place, const char *name, const void *bytes, size_t n);
    /* When the record was made or renewed, in ns of the place's own clock. -ENOENT: there is none. */
    int (*time)(void *place, const char *name, int64_t *ret);
    int (*remove)(void *place, const char *name);
};

/* The list ends with NULL. */
extern const struct claim_place *const registry_claim_places[];

#endif
