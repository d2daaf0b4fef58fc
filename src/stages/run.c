/* SPDX-License-Identifier: MIT */
#include "base/origin.h"
#include "base/thread.h"
#include "stages/stages.h"
#include <errno.h>

static void stage_reset(struct stage *stage)
{
    if (stage->kind != STAGE_SOURCE)
        item_queue_reset(&stage->in, stages_producers(stage->stages, stage->index));
    if (stage->ordered)
        order_reset(&stage->order);
    atomic_store(&stage->dropped, 0);
    atomic_store(&stage->refused, 0);
}

/* Needs the lock. */
static void close_input(leat_stages *stages)
{
    if (stages->input_open)
        item_queue_end_producer(&stage_at(stages, 0)->in);
    stages->input_open = false;
}

/* The source and the sink that leat_stages_run was given. */
struct feeds {
    leat_next_fn source;
    void *user;
    leat_emit_fn sink;
    void *sink_user;
};

/* Needs the lock. */
static int take_feeds(leat_stages *stages, const struct feeds *feeds)
{
    if (stages->built && (!stages->input.with.workers || !stages->output.with.workers))
        return -EBUSY;
    stages->input.source = feeds->source;
    stages->input.feed_user = feeds->user;
    stages->input.with.workers = 1;
    stages->output.sink = feeds->sink;
    stages->output.feed_user = feeds->sink_user;
    stages->output.with.workers = 1;
    return 0;
}

/* Needs the lock. Calls that have waited for the end of the previous run may still read its result, so it waits for
 * them. */
static int claim(leat_stages *stages, const struct feeds *feeds)
{
    while (atomic_load(&stages->state) == STAGES_ENDED && stages->waiting)
        pthread_cond_wait(&stages->changed, &stages->lock);
    enum stages_state state = atomic_load(&stages->state);
    int r = state == STAGES_NEW || state == STAGES_ENDED ? 0 : -EBUSY;
    if (r == 0 && feeds)
        r = take_feeds(stages, feeds);
    if (r == 0 && !stages->built)
        r = stages_build(stages);
    if (r < 0)
        return r;
    stages->cancelled = stages->input_open = stages->abort_untold = false;
    atomic_store(&stages->paused, false);
    atomic_store(&stages->finishing, false);
    stages->error = LEAT_INIT(struct leat_error);
    atomic_store(&stages->state, STAGES_STARTING); /* From here on, a cancel and a finish are for this run. */
    stages->waiting += feeds != NULL;              /* leat_stages_run reads the result of its own run. */
    return 0;
}

/* Needs the lock. A cancel or a finish that came since `claim` stays in force. */
static void reset(leat_stages *stages)
{
    struct stage *stage = &stages->input;
    do {
        if (stages->ran) /* Otherwise the queues are as they were made, and may have items. */
            stage_reset(stage);
        for (uint32_t i = 0; i < stage->with.workers; i++)
            worker_reset(&stage->worker[i], stage);
    } while ((stage = stage->next));
    stages->ran = true;
    if (stages->cancelled)
        stages_cancel_queues(stages);
    stages->input_open = !stages->input.source;
    if (atomic_load(&stages->finishing))
        close_input(stages);
    stages->began_ns = clock_ns();
    stages->ended_ns = 0;
}

/* Items of the previous run that still wait to be taken are dropped. */
static int begin(leat_stages *stages, const struct feeds *feeds)
{
    pthread_mutex_lock(&stages->lock);
    int r = claim(stages, feeds);
    pthread_mutex_unlock(&stages->lock);
    if (r < 0)
        return r;
    const leat_stages *outside = stages_enter(stages);
    if (stages->ran)
        stages_drop_waiting(&stages->output);
    stages_enter(outside);
    pthread_mutex_lock(&stages->lock);
    reset(stages);
    pthread_mutex_unlock(&stages->lock);
    return 0;
}

static void open_stages(leat_stages *stages)
{
    for (uint32_t i = 0; i < stages->count; i++) {
        struct stage *stage = stages->stage[i];
        int r = stage->with.open ? error_of_answer(stage->with.open(stage->with.user)) : 0;
        if (r < 0) {
            stages_fail(stages, r, stage, "open", 0, NULL);
            return;
        }
        stage->is_open = true;
    }
}

/* Needs the lock, so that no thread is subtracted before it was added. */
static int start_threads(leat_stages *stages)
{
    int r = 0;
    for (struct stage *stage = &stages->input; stage; stage = stage->next) {
        for (uint32_t i = 0; i < stage->with.workers && r == 0; i++) {
            r = thread_create(&stage->worker[i].thread, worker_main, &stage->worker[i]);
            if (r == 0) {
                stage->worker[i].made = true;
                stages->threads++;
            }
        }
    }
    return r;
}

/* All threads have left, or are about to. Drops what was not wanted. If nothing was cancelled, items that wait to be
 * taken stay. */
static void reap(leat_stages *stages)
{
    struct stage *stage = &stages->input;
    do {
        for (uint32_t i = 0; i < stage->with.workers; i++) {
            if (stage->worker[i].made)
                pthread_join(stage->worker[i].thread, NULL);
            stage->worker[i].made = false;
        }
    } while ((stage = stage->next));
    pthread_mutex_lock(&stages->lock);
    bool cancelled = stages->cancelled;
    pthread_mutex_unlock(&stages->lock);
    const leat_stages *outside = stages_enter(stages);
    for (stage = &stages->input; stage; stage = stage->next) {
        stages_drop_parked(stage);
        if (stage->kind != STAGE_SOURCE && (cancelled || stage->kind != STAGE_SINK))
            stages_drop_waiting(stage);
        if (stage->is_open && stage->with.close)
            stage->with.close(stage->with.user);
        stage->is_open = false;
    }
    stages_enter(outside);
    pthread_mutex_lock(&stages->lock);
    atomic_store(&stages->state, STAGES_ENDED);
    pthread_cond_broadcast(&stages->changed);
    pthread_mutex_unlock(&stages->lock);
}

/* After `begin`. */
static int start(leat_stages *stages)
{
    const leat_stages *outside = stages_enter(stages);
    open_stages(stages);
    stages_enter(outside);
    pthread_mutex_lock(&stages->lock);
    atomic_store(&stages->state, STAGES_RUNNING); /* Before the first thread exists, which may put or finish. */
    int r = !stages->cancelled ? start_threads(stages) : stages->error.code;
    if (stages->threads == 0)
        stages_tell_over(stages); /* No thread will do it. */
    pthread_mutex_unlock(&stages->lock);
    if (r < 0) {
        stages_fail(stages, r, NULL, "pthread_create", 0, "There is no thread for another worker");
        leat_stages_wait(stages, -1, NULL);
    }
    return r;
}

int leat_stages_start(leat_stages *stages)
{
    int r = begin(stages, NULL);
    return r < 0 ? r : start(stages);
}

/* ---- ending ---- */

int leat_stages_finish(leat_stages *stages)
{
    pthread_mutex_lock(&stages->lock);
    enum stages_state state = atomic_load(&stages->state);
    if (state == STAGES_RUNNING || state == STAGES_STARTING) {
        atomic_store(&stages->finishing, true);
        close_input(stages);
    }
    pthread_mutex_unlock(&stages->lock);
    return state == STAGES_NEW ? -EINVAL : 0;
}

static const struct leat_error none = {.size = sizeof(none)};

/* Needs the lock; the caller is counted in `waiting`. */
static int wait_for_end(leat_stages *stages, int timeout_ms, struct leat_error *ret_error)
{
    int64_t deadline_ns = stage_deadline(timeout_ms);
    bool in_time = deadline_ns >= 0, reaps = false;
    for (;;) {
        enum stages_state state = atomic_load(&stages->state);
        reaps = state == STAGES_RUNNING && stages->threads == 0;
        if (reaps || state == STAGES_NEW || state == STAGES_ENDED || !in_time)
            break;
        in_time = thread_cond_wait(&stages->changed, &stages->lock, deadline_ns);
    }
    enum stages_state state = atomic_load(&stages->state);
    if (state == STAGES_NEW)
        return error_return(ret_error, &none, -EINVAL);
    if (!reaps && state != STAGES_ENDED)
        return error_return(ret_error, &none, timeout_ms == 0 ? -EAGAIN : -ETIMEDOUT);
    if (reaps) {
        atomic_store(&stages->state, STAGES_JOINING);
        pthread_mutex_unlock(&stages->lock);
        reap(stages);
        pthread_mutex_lock(&stages->lock);
    }
    return error_return(ret_error, &stages->error, stages->error.code);
}

/* Needs the lock. */
static void leave(leat_stages *stages)
{
    if (--stages->waiting == 0)
        pthread_cond_broadcast(&stages->changed);
}

int leat_stages_wait(leat_stages *stages, int timeout_ms, struct leat_error *ret_error)
{
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    if (stages_is_inside(stages))
        return error_return(ret_error, &none, -EDEADLK);
    pthread_mutex_lock(&stages->lock);
    stages->waiting++;
    r = wait_for_end(stages, timeout_ms, ret_error);
    leave(stages);
    pthread_mutex_unlock(&stages->lock);
    return r;
}

/* Stores whether the call that aborted the run is still to be told its end, and returns what was stored before. */
static bool exchange_abort_untold(leat_stages *stages, bool untold)
{
    pthread_mutex_lock(&stages->lock);
    bool before = stages->abort_untold;
    stages->abort_untold = untold;
    pthread_mutex_unlock(&stages->lock);
    return before;
}

/* An abort is no failure of the call that does it, also if it is repeated because its time was up. */
static int abort_run(leat_stages *stages, int timeout_ms, struct leat_error *ret_error)
{
    enum stages_state state = atomic_load(&stages->state);
    bool first =
        (state == STAGES_RUNNING || state == STAGES_STARTING) &&
        stages_fail(stages, -ECANCELED, NULL, "abort", 0, "The run was stopped, and what was in flight was dropped");
    bool ours = exchange_abort_untold(stages, false) || first;
    int r = leat_stages_wait(stages, timeout_ms, ours ? NULL : ret_error);
    if (!ours)
        return r;
    if (r != -EAGAIN && r != -ETIMEDOUT)
        return 0;
    exchange_abort_untold(stages, true);
    return error_return(ret_error, &none, r);
}

int leat_stages_stop(leat_stages *stages, enum leat_stop how, int timeout_ms, struct leat_error *ret_error)
{
    int r = error_begin(ret_error);
    if (r == 0)
        r = enum_check(how, LEAT_STOP_ABORT);
    if (r < 0)
        return r;
    if (stages_is_inside(stages))
        return error_return(ret_error, &none, -EDEADLK);
    if (!origin_is_here(stages->origin)) /* After a fork the workers are the parent's. */
        return error_return(ret_error, &none, -EPERM);
    if (how == LEAT_STOP_ABORT)
        return abort_run(stages, timeout_ms, ret_error);
    leat_stages_finish(stages);
    leat_stages_resume(stages);
    return leat_stages_wait(stages, timeout_ms, ret_error);
}

int leat_stages_run(leat_stages *stages, leat_next_fn source, void *user, leat_emit_fn sink, void *sink_user,
                    struct leat_error *ret_error)
{
    struct feeds feeds = {source, user, sink, sink_user};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = !source ? -EINVAL : stages_is_inside(stages) ? -EDEADLK : begin(stages, &feeds);
    if (r < 0)
        return error_return(ret_error, &none, r);
    start(stages);
    pthread_mutex_lock(&stages->lock);
    r = wait_for_end(stages, -1, ret_error);
    leave(stages);
    pthread_mutex_unlock(&stages->lock);
    return r;
}

static int pause_all(leat_stages *stages, bool paused)
{
    if (atomic_load(&stages->state) != STAGES_RUNNING)
        return -EINVAL;
    atomic_store(&stages->paused, paused);
    for (struct stage *stage = &stages->input; stage; stage = stage->next) {
        if (stage->kind != STAGE_SOURCE && (stage->kind != STAGE_SINK || stage->with.workers))
            item_queue_pause(&stage->in, paused);
    }
    return 0;
}

int leat_stages_pause(leat_stages *stages)
{
    return pause_all(stages, true);
}

int leat_stages_resume(leat_stages *stages)
{
    return pause_all(stages, false);
}
