/* SPDX-License-Identifier: MIT */
#include "base/keep.h"
#include <stdbool.h>

void keep_init(struct keep *keep)
{
    *keep = (struct keep){.lock = PTHREAD_MUTEX_INITIALIZER};
}

static bool has(const struct keep *keep, void (*put)(void))
{
    for (size_t i = 0; i < keep->n; i++)
        if (keep->put[i] == put)
            return true;
    return false;
}

void keep_add(struct keep *keep, int (*get)(const char **ret_why), void (*put)(void))
{
    const char *why;
    if (!keep)
        return;
    pthread_mutex_lock(&keep->lock);
    if (!has(keep, put) && keep->n < KEEP_MAX && get(&why) == 0)
        keep->put[keep->n++] = put;
    pthread_mutex_unlock(&keep->lock);
}

void keep_end(struct keep *keep)
{
    for (size_t i = 0; i < keep->n; i++)
        keep->put[i]();
    pthread_mutex_destroy(&keep->lock);
}
