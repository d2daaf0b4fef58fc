/* SPDX-License-Identifier: MIT */
#include "base/sigpipe.h"
#include "base/platform.h"
#include <pthread.h>

static bool sigpipe_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void sigpipe_enter(struct sigpipe_guard *guard)
{
    guard->was_pending = sigpipe_pending();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &guard->saved);
}

void sigpipe_leave(struct sigpipe_guard *guard)
{
    if (!guard->was_pending && sigpipe_pending())
        platform.consume_sigpipe();
    pthread_sigmask(SIG_SETMASK, &guard->saved, NULL);
}
