/* SPDX-License-Identifier: MIT */
/* Loads libraries when they are first needed. */
#ifndef BASE_LOADER_H
#define BASE_LOADER_H

#include "base/base.h"
#include <pthread.h>
#include <stdbool.h>

struct loader_symbol {
    const char *name;
    void *function; /* address of the function pointer to set */
};

/* One library. Static. */
struct loader {
    const char *const *names; /* file names, ending with NULL; the first file that has all symbols is used */
    const struct loader_symbol *symbols;
    size_t count;
    const char *missing; /* sentences for a failure: none of the files exists, */
    const char *other;   /* a file lacks a symbol, */
    const char *poor;    /* memory or descriptors ran out */
    pthread_mutex_t lock;
    bool loaded; /* under the lock */
};

/* Loads the library for the rest of the process, unless it is loaded already. Returns 0; -ELIBACC if the library is
 * missing or lacks a symbol; -ENOMEM, -EMFILE or -ENFILE if it can't be loaded now. After a failure *ret_why is one of
 * the sentences, and the next call tries again. Reads files. Any thread. */
int loader_need(struct loader *loader, const char **ret_why);

#endif
