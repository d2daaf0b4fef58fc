/* SPDX-License-Identifier: MIT */
#include "base/thread.h"
#include "base/base.h"
#include "base/error.h"
#include "base/platform.h"
#include <leat/base.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* NULL: none were set, and no thread was made yet. Afterwards it never changes, and its memory is never freed. */
static _Atomic(const struct leat_thread_hooks *) hooks;
static const struct leat_thread_hooks no_hooks;

static int set_hooks(const struct leat_thread_hooks *given, struct leat_error *error)
{
    struct leat_thread_hooks own;
    const struct leat_thread_hooks *set = NULL;
    if (!given)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "hooks", "set", "hooks must be given");
    int r = options_copy(&own, sizeof(own), given);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "hooks", "set", "The hooks are not those of this version");
    struct leat_thread_hooks *kept = malloc(sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    *kept = own;
    if (atomic_compare_exchange_strong(&hooks, &set, kept))
        return 0;
    free(kept);
    return error_at(error, -EBUSY, LEAT_SIDE_NONE, "hooks", "set", "%s",
                    set == &no_hooks ? "leat has made a thread already" : "The hooks are set already");
}

int leat_thread_hooks_set(const struct leat_thread_hooks *given, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, set_hooks(given, &error));
}

uint32_t leat_processors_count(void)
{
    return platform.processors();
}

struct thread_start {
    void *(*run)(void *user);
    void *user;
};

static void end(void *unused UNUSED)
{
    const struct leat_thread_hooks *set = atomic_load(&hooks);
    if (set->end)
        set->end(set->user);
}

static void *run_with_hooks(void *user)
{
    const struct leat_thread_hooks *set = atomic_load(&hooks);
    struct thread_start start = *(struct thread_start *)user;
    void *result;
    free(user);
    if (set->begin)
        set->begin(set->user);
    pthread_cleanup_push(end, NULL); /* a callback may call pthread_exit */
    result = start.run(start.user);
    pthread_cleanup_pop(1);
    return result;
}

/* The first thread settles that there are no hooks. */
static bool has_hooks(void)
{
    const struct leat_thread_hooks *set = NULL;
    if (atomic_compare_exchange_strong(&hooks, &set, &no_hooks))
        return false;
    return set != &no_hooks;
}

static int start_thread(pthread_t *ret, void *(*run)(void *user), void *user)
{
    if (!has_hooks())
        return -pthread_create(ret, NULL, run, user);
    struct thread_start *start = malloc(sizeof(*start));
    if (!start)
        return -ENOMEM;
    *start = (struct thread_start){run, user};
    int r = -pthread_create(ret, NULL, run_with_hooks, start);
    if (r < 0)
        free(start);
    return r;
}

int thread_create(pthread_t *ret, void *(*run)(void *user), void *user)
{
    sigset_t all, saved;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &saved);
    int r = start_thread(ret, run, user);
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
    if (deadline_ns == NO_DEADLINE)
        return pthread_cond_wait(cond, lock) == 0;
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000), .tv_nsec = deadline_ns % 1000000000};
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}
