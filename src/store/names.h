/* What a store does with names: the contract behind leat_store_list and its kin, which src/registry/stores.c has. */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "base/error.h"
#include <leat/store.h>

struct names_call {
    const char *spec;
    const char *rest; /* of the spec, behind the scheme's colon */
    const char *node; /* the spec as messages have it: what stands behind a login, if there is one */
    const struct leat_store_options *options; /* its `endpoint` is not NULL */
};

struct removal {
    struct leat_store_result result;
    struct leat_error first; /* the first failure; its node is a spec of the caller, or "" */
};

/* All hooks block. A failure has a sentence. NULL: the store can't do it. */
struct names {
    int (*list)(const struct names_call *call, struct leat_error *error);
    int (*stat)(const struct names_call *call, struct leat_error *error);
    /* A name that makes no sense to `remove`, by itself alone: nothing is asked. It is called for all names, of all
     * stores, before the first one is removed. NULL: any makes sense. */
    int (*check)(const struct names_call *call, struct leat_error *error);
    /* Removes all of them, which `check` has let pass, and notes each in `removal`. Negative: it could not go on. */
    int (*remove)(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error);
};

extern const struct names s3_names, oci_names, http_names, folder_names;

/* Tells an entry. 0, or what the caller's function says, with a sentence. */
int names_tell(const struct names_call *call, const struct leat_store_entry *entry, struct leat_error *error);

/* One name was removed. As names_tell. */
int names_removed(const struct names_call *call, struct removal *removal, const char *name, const char *spec,
                  struct leat_error *error);
/* One could not be. `spec` is not kept: the first failure has that of `call`. */
void names_failed(const struct names_call *call, struct removal *removal, const char *spec,
                  const struct leat_error *error);

#endif
