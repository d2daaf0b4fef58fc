/* SPDX-License-Identifier: MIT */
/* What a store does with names: the contract behind leat_store_list and its relatives, which are in
 * src/registry/stores.c. */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "base/error.h"
#include <leat/store.h>
#include <stdbool.h>

struct names_call {
    const char *spec;
    const char *rest;                         /* the spec after the scheme's colon */
    const char *node;                         /* the spec for messages: without the login, if it has one */
    const struct leat_store_options *options; /* its `endpoint` is never NULL */
    int64_t deadline_ns;                      /* of clock_ns: when the whole call has to end; 0: no limit */
    bool (*is_wanted)(void *of);              /* of a list in s3, as in struct exchange; NULL: it is wanted */
    void *of;
};

/* Returns when a call that begins now has to end, for `deadline_ns`. */
static inline int64_t names_deadline(const struct leat_endpoint_options *endpoint)
{
    return endpoint->total_timeout_ms > 0 ? clock_ns() + (int64_t)endpoint->total_timeout_ms * 1000000 : 0;
}

struct removal {
    struct leat_store_result result;
    struct leat_error first; /* the first failure; its node is the spec that the caller gave, or "" */
};

/* All hooks block. They return 0, or a negative errno with a sentence in *error. NULL: the store does not support the
 * operation. */
struct names {
    int (*list)(const struct names_call *call, struct leat_error *error);
    int (*stat)(const struct names_call *call, struct leat_error *error);
    /* Rejects a name that `remove` could not process, without asking the store. It is called for all names of all
     * stores before the first one is removed. NULL: every name is accepted. */
    int (*check)(const struct names_call *call, struct leat_error *error);
    /* Removes all n names, which `check` has accepted, and records each in `removal`. Negative: it could not
     * continue. */
    int (*remove)(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error);
};

extern const struct names s3_names, oci_names, http_names, folder_names;

/* Passes an entry to the caller's function. Returns 0, or what that function returned, with a sentence. */
int names_tell(const struct names_call *call, const struct leat_store_entry *entry, struct leat_error *error);

/* Records a removed name, and passes it to the caller's function. Returns what names_tell returns. */
int names_removed(const struct names_call *call, struct removal *removal, const char *name, const char *spec,
                  struct leat_error *error);
/* Records a name that could not be removed, and tells it to the caller's function. The first failure gets the spec of
 * `call`. */
void names_failed(const struct names_call *call, struct removal *removal, const char *spec,
                  const struct leat_error *error);

#endif
