/* SPDX-License-Identifier: MIT */
/* What a program sees of a run from outside: how far it is, its descriptor, and its end. */
#include "base/spin.h"
#include "base/thread.h"
#include "flow/pipeline.h"
#include "flow/report.h"
#include <errno.h>

#define PROGRESS_MS 200 /* five times a second, as the command does */

/* ---- the end ---- */

/* A waiting call returns with the lock taken, and then the pipeline may be freed. So nothing of the pipeline is used
 * after the unlock. */
void pipeline_tell_end(struct run *run)
{
    leat_pipeline *p = (leat_pipeline *)((char *)run - offsetof(leat_pipeline, run));
    pthread_mutex_lock(&p->telling);
    atomic_store(&p->ended, true);
    fd_flag_set(&p->ended_flag, true);
    pthread_cond_broadcast(&p->ending);
    pthread_mutex_unlock(&p->telling);
}

int leat_pipeline_fd(leat_pipeline *p, int *ret_fd)
{
    pthread_mutex_lock(&p->telling);
    int r = fd_flag_open(&p->ended_flag);
    if (r == 0) {
        fd_flag_set(&p->ended_flag, atomic_load(&p->ended));
        *ret_fd = p->ended_flag.fd[0];
    }
    pthread_mutex_unlock(&p->telling);
    return r;
}

/* Returns whether the run has ended: it waits for that until the deadline. */
static bool await_end(leat_pipeline *p, int64_t until)
{
    bool in_time = true;
    pthread_mutex_lock(&p->telling);
    while (!atomic_load(&p->ended) && in_time)
        in_time = thread_cond_wait(&p->ending, &p->telling, until);
    bool ended = atomic_load(&p->ended);
    pthread_mutex_unlock(&p->telling);
    return ended;
}

void pipeline_join(leat_pipeline *p)
{
    await_end(p, INT64_MAX);
    SPIN_WHILE(atomic_load(&p->cancelling)); /* when this call has returned, the caller may free the engine */
    if (p->has_thread)
        pthread_join(p->thread, NULL);
    p->has_thread = p->waited_for = false;
}

int pipeline_hand_over(leat_pipeline *p, leat_report **ret)
{
    if (ret)
        *ret = p->run.report;
    else
        leat_report_free(p->run.report);
    p->run.report = NULL;
    return p->run.result;
}

/* ---- progress ---- */

static void look(const leat_pipeline *p, struct leat_progress *now)
{
    uint64_t least = UINT64_MAX, expected = atomic_load(&p->run.expected);
    uint64_t taken = atomic_load(&run_last_leg(&p->run)->hop.taken);
    for (size_t i = 0; i < p->parts.sinks; i++)
        if (!atomic_load(&p->run.branch[i].failed))
            least = MIN(least, atomic_load(&p->run.branch[i].delivered));
    now->bytes = least == UINT64_MAX ? taken : least;
    now->has_total = expected != UINT64_MAX;
    now->total = now->has_total ? expected : 0;
    now->seconds = (double)(clock_ns() - p->run.began_ns) / 1e9;
    for (size_t i = 0; i < p->parts.filters; i++) {
        struct filter_level level = {.level = 0};
        if (p->parts.filter[i]->ops->level)
            p->parts.filter[i]->ops->level(p->parts.filter[i], &level);
        now->buffered += level.level;
    }
}

int leat_pipeline_progress(const leat_pipeline *p, struct leat_progress *ret_progress)
{
    struct leat_progress now = {.size = sizeof(now)};
    if (atomic_load(&p->started))
        look(p, &now);
    return return_sized(ret_progress, &now, sizeof(now));
}

void pipeline_expect_progress(leat_pipeline *p)
{
    int32_t interval_ms = p->parts.options.progress_ms ? p->parts.options.progress_ms : PROGRESS_MS;
    p->progress_ns = p->parts.options.progress ? clock_ns() + (int64_t)interval_ms * 1000000 : INT64_MAX;
}

/* Calls the program's function without a lock. */
static void tell_progress(leat_pipeline *p)
{
    struct leat_progress now = {.size = sizeof(now)};
    look(p, &now);
    p->is_told = true;
    if (p->parts.options.progress(p->parts.options.user, &now) != 0)
        leat_pipeline_cancel(p);
    p->is_told = false;
    pipeline_expect_progress(p);
}

int leat_pipeline_wait(leat_pipeline *p, int timeout_ms, leat_report **ret_report)
{
    if (p->is_told)
        return -EDEADLK;
    if (!p->waited_for)
        return -EINVAL;
    int64_t until = timeout_ms < 0 ? INT64_MAX : clock_ns() + (int64_t)timeout_ms * 1000000;
    while (!await_end(p, MIN(until, p->progress_ns))) {
        int64_t now = clock_ns();
        if (now >= p->progress_ns)
            tell_progress(p);
        if (now >= until)
            return timeout_ms == 0 ? -EAGAIN : -ETIMEDOUT;
    }
    if (p->parts.options.progress)
        tell_progress(p);
    pipeline_join(p);
    return pipeline_hand_over(p, ret_report);
}
