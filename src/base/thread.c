#include "base/thread.h"
#include <signal.h>
#include <time.h>

int thread_create(pthread_t *ret, void *(*run)(void *user), void *user)
{
    sigset_t all, saved;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &saved);
    int r = -pthread_create(ret, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    return r == -EAGAIN ? -NO_MORE_THREADS : r;
}

int thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int r = -pthread_condattr_init(&attributes);
    if (r < 0)
        return r;
    r = -pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (r == 0)
        r = -pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
    return r;
}

bool thread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX)
        return pthread_cond_wait(cond, lock) == 0;
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000), .tv_nsec = deadline_ns % 1000000000};
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}
