/* SPDX-License-Identifier: MIT */
/* Resources of the process that live as long as an owner, although their users come and go: for example, the transfer
 * thread and its connections between the pipelines of an engine. */
#ifndef BASE_KEEP_H
#define BASE_KEEP_H

#include "base/base.h"
#include <pthread.h>

#define KEEP_MAX 4 /* resources; each kind of resource is kept once */

struct keep {
    pthread_mutex_t lock;
    void (*put[KEEP_MAX])(void);
    size_t n;
};

void keep_init(struct keep *keep);

/* Keeps a resource: `get` adds a user to it, and `put` removes that user when the owner ends. The call has no effect if
 * the resource is kept already. A failure of `get` has no effect either, because the caller can do without. NULL is
 * allowed. Any thread; `get` is called under the lock. */
void keep_add(struct keep *keep, int (*get)(const char **ret_why), void (*put)(void));

/* Removes the users. No other thread may use `keep`. */
void keep_end(struct keep *keep);

#endif
