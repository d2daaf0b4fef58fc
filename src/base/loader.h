/* Libraries that are loaded when they are first needed. */
#ifndef BASE_LOADER_H
#define BASE_LOADER_H

#include "base/base.h"
#include <pthread.h>
#include <stdbool.h>

struct loader_symbol {
    const char *name;
    void *function; /* the address of the function pointer that is set */
};

/* One library; static. */
struct loader {
    const char *const *names; /* of files, ending in NULL; the first one that has all symbols is taken */
    const struct loader_symbol *symbols;
    size_t count;
    const char *missing; /* sentences for a failure: there is none of these files, */
    const char *other;   /* what is there lacks a symbol, */
    const char *poor;    /* there is no memory, or no descriptor */
    pthread_mutex_t lock;
    bool loaded; /* under the lock */
};

/* The library is there, for the rest of the process: 0. -ELIBACC: it is not; -ENOMEM, -EMFILE or -ENFILE: it could not
 * be loaded now. *ret_why is then one of the sentences. What failed is tried again by the next call. Any thread; reads
 * files. */
int loader_need(struct loader *loader, const char **ret_why);

#endif
