#include "base/thread.h"
#include <signal.h>

int thread_create(pthread_t *ret, void *(*run)(void *user), void *user)
{
    sigset_t all, saved;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &saved);
    int r = -pthread_create(ret, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    return r == -EAGAIN ? -NO_MORE_THREADS : r;
}
