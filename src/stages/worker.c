/* SPDX-License-Identifier: MIT */
/* The thread of a worker: it takes items by the hand, calls the stage's function, and passes the results on. This file
 * is longer than 400 lines: all its parts work on the state of the one hand. */
#include "base/thread.h"
#include "stages/stages.h"
#include <errno.h>

/* ---- results ---- */

/* Drops results that are not wanted, in the name of the stage that would have got them. */
static void refuse(struct worker *w)
{
    struct stage *next = w->stage->next;
    for (uint32_t i = 0; i < w->out_n; i++) {
        if (w->out[i].bytes != ITEM_CONTROL)
            count_shared(&next->refused, 1);
        stage_drop(next, &w->out[i]);
    }
    w->out_n = 0;
}

/* The results stay, because the time was up. */
static bool is_late(int code)
{
    return code == -EAGAIN || code == -ETIMEDOUT;
}

static int push_out(struct worker *w, int64_t deadline_ns)
{
    uint64_t wait_ns = 0;
    size_t n = 0;
    int r = w->gone;
    if (w->out_n == 0)
        return r;
    if (r == 0)
        r = item_queue_push(&w->stage->next->in, w->out, w->out_n, &n, deadline_ns, &wait_ns);
    if (wait_ns)
        count(&w->counts.wait_out_ns, wait_ns);
    memmove(w->out, w->out + n, (w->out_n - n) * sizeof(w->out[0]));
    w->out_n -= (uint32_t)n;
    if (is_late(r))
        return r;
    w->gone = r;
    refuse(w);
    return r;
}

int worker_flush(struct worker *w, int64_t deadline_ns)
{
    struct stage *stage = w->stage;
    if (w->out_n > 0 && stage->ordered && w->gone == 0) {
        int64_t began = clock_ns();
        int r = order_wait(&stage->order, w->hand.first, deadline_ns);
        count(&w->counts.wait_out_ns, (uint64_t)(clock_ns() - began));
        if (is_late(r))
            return r;
        w->gone = r == 0 && stage->order.ended ? -EPIPE : r;
    }
    return push_out(w, deadline_ns);
}

/* Gathers results, but no more than items of this hand were worked on, because the results lie in the places of these
 * items meanwhile. If the hand has one item only, a result is pushed at once: it may take long until the function
 * returns. If the time is up, the function keeps this item, and those that were gathered before stay here. */
static int worker_emit(leat_work *work, void *item, int64_t deadline_ns)
{
    struct worker *w = (struct worker *)work;
    struct stage *stage = w->stage, *next = stage->next;
    uint32_t room = w->hand.n ? MIN(w->at + w->calling, w->hand.n) : 1;
    int r = w->out_n >= room ? worker_flush(w, deadline_ns) : 0;
    if (is_late(r))
        return r;
    w->out[w->out_n++] = (struct stage_item){item, stage_size_of(next, item)};
    if (next->in.bytes_limit || w->gone || (w->hand.n <= 1 && !stage->ordered))
        r = worker_flush(w, deadline_ns);
    if (is_late(r)) {
        w->out_n--; /* the last one, so it is this item */
        return r;
    }
    if (item == work->current)
        work->gave = true;
    count(&w->counts.out, 1);
    return r;
}

/* ---- one item ---- */

static int call(struct worker *w, struct stage_item item)
{
    struct stage *stage = w->stage;
    if (stage->kind == STAGE_GROUP)
        return group_add(w, item);
    if (stage->kind == STAGE_FUNCTION)
        return stage_call(&stage->with, &w->work, item.item, &w->last);
    return stage->sink ? error_of_answer(stage->sink(stage->feed_user, item.item)) : LEAT_STAGE_SKIP;
}

/* Waits before a retry; results that are ready are pushed first. False: all has ended meanwhile, and the item has not
 * failed for good. */
static bool back_off(struct worker *w)
{
    uint32_t doublings = MIN(w->work.attempt, 14);
    int64_t ms = MIN((int64_t)w->stage->with.backoff_ms << doublings, 10000);
    if (worker_flush(w, NO_DEADLINE) < 0)
        return false;
    if (ms > 0 && !stages_sleep(w->stage->stages, clock_ns() + ms * 1000000))
        w->gone = -ECANCELED;
    return w->gone == 0;
}

static void begin_item(struct worker *w, struct stage_item item)
{
    w->work.current = item.item;
    w->work.gave = false;
    w->work.attempt = 0;
    w->calling = 1;
}

/* `r` is the answer to the first call with the item. Returns the answer to the last one. */
static int try_again(struct worker *w, struct stage_item item, int r)
{
    while (r < 0 && !w->gone && !w->work.gave && w->work.attempt < w->stage->with.retries && back_off(w)) {
        w->work.attempt++;
        count(&w->counts.retries, 1);
        r = call(w, item);
    }
    return r;
}

/* The item has failed for good. */
static void handle_failure(struct worker *w, struct stage_item item, int code)
{
    struct stage *stage = w->stage;
    uint64_t number = w->hand.first + w->at;
    if (w->gone == 0 && stage->with.on_error == LEAT_ON_ERROR_FAIL)
        stages_fail(stage->stages, code, stage, "function", number, NULL);
    if (w->work.gave) {
        count(&w->counts.done, 1);
    } else if (w->gone == 0 && stage->with.on_error == LEAT_ON_ERROR_DROP && stage->with.dead) {
        struct leat_error error = stage_make_dead_error(stage->name, stage->index, number, code);
        count(&w->counts.dead, 1);
        stage->with.dead(stage->with.user, item.item, &error);
    } else {
        stage_drop(stage, &item);
    }
}

static void handle_answer(struct worker *w, struct stage_item item, int answer)
{
    w->work.current = NULL;
    if (answer < LEAT_STAGE_DONE || answer > LEAT_STAGE_END)
        answer = error_of_answer(answer);
    if (answer < 0) {
        handle_failure(w, item, answer);
    } else if (answer == LEAT_STAGE_SKIP && !w->work.gave) {
        stage_drop(w->stage, &item);
    } else {
        count(&w->counts.done, 1);
        w->last = answer == LEAT_STAGE_END;
    }
}

/* ---- a hand ---- */

void worker_drop_rest(struct worker *w)
{
    for (; w->at < w->hand.n; w->at++)
        stage_drop(w->stage, &w->hand.items[w->at]);
}

/* All items before it are done, and no item after it has begun. */
void worker_handle_control(struct worker *w, int64_t deadline_ns)
{
    struct stage *stage = w->stage;
    struct stage_item item = w->hand.items[0];
    int r = 0;
    if (stage->kind == STAGE_GROUP)
        group_flush(w);
    if (stage->with.control)
        r = error_of_answer(stage->with.control(&w->work, &item.item, stage->with.user));
    if (r < 0 && w->gone == 0)
        stages_fail(stage->stages, r, stage, "control", w->hand.first, "a control item was not welcome");
    worker_flush(w, deadline_ns);
    w->at = 1;
    if (stage->next) {
        w->out[w->out_n++] = item;
    } else if (stage->stages->options.control_done) {
        stage->stages->options.control_done(stage->stages->options.user, item.item, 0);
    }
}

/* Gives all items that are left in the hand to a function of many. One of them may be settled by its answer; those
 * behind that one are left. */
static void work_many(struct worker *w)
{
    struct stage *stage = w->stage;
    void *items[HAND_MAX];
    uint32_t n = w->hand.n - w->at;
    for (uint32_t i = 0; i < n; i++)
        items[i] = w->hand.items[w->at + i].item;
    begin_item(w, (struct stage_item){.item = w}); /* no item is it, so none counts as emitted */
    w->calling = n;
    int r = stage->with.function_many(&w->work, items, n, &w->work.done, stage->with.user);
    uint32_t done = (uint32_t)(r == LEAT_STAGE_DONE ? n : MIN(w->work.done, n));
    if (r < LEAT_STAGE_DONE || r > LEAT_STAGE_END || (r != LEAT_STAGE_DONE && w->work.done > n))
        r = error_of_answer(w->work.done > n ? -EPROTO : r);
    w->work.done = 0;
    w->at += done;
    count(&w->counts.done, done);
    w->last = r == LEAT_STAGE_END;
    if (r == LEAT_STAGE_DONE || w->last)
        return;
    if (done == n) { /* the answer is about no item */
        if (r < 0 && w->gone == 0)
            stages_fail(stage->stages, r, stage, "function", w->hand.first + w->at - 1, NULL);
        return;
    }
    struct stage_item item = w->hand.items[w->at];
    begin_item(w, item);
    handle_answer(w, item, try_again(w, item, r));
    w->at++;
}

static void work_one(struct worker *w)
{
    struct stage_item item = w->hand.items[w->at];
    begin_item(w, item);
    handle_answer(w, item, try_again(w, item, call(w, item)));
    w->at++;
}

static void work_hand(struct worker *w)
{
    w->at = 0;
    w->last = false;
    if (w->hand.control) {
        worker_handle_control(w, NO_DEADLINE);
        return;
    }
    while (w->at < w->hand.n && !w->last && w->gone == 0)
        if (w->stage->with.function_many)
            work_many(w);
        else
            work_one(w);
    worker_drop_rest(w);
}

/* The worker that has the turn also pushes what other workers have parked behind it. */
static void leave_in_order(struct worker *w)
{
    struct stage *stage = w->stage;
    struct span span = {.n = w->hand.n, .made = w->out_n, .bytes = w->hand.bytes, .done = true, .last = w->last};
    w->last = false;
    w->hand.n = 0;
    w->hand.bytes = 0;
    if (order_park(&stage->order, w->hand.first, &span, w->out)) {
        w->out_n = 0;
        return;
    }
    do {
        w->out_n = span.made;
        if (stage->order.ended)
            refuse(w);
        push_out(w, NO_DEADLINE);
        if (span.last && !stage->order.ended) {
            stage->order.ended = true;
            stages_close(stage->stages, stage->index);
        }
        item_queue_release(&stage->in, span.n, span.bytes);
    } while (order_leave(&stage->order, span.n, &span, w->out));
}

/* Chooses the size of the next hand from the time that this one took, so that it takes about BATCH_NS. */
static void size_hand(struct worker *w, int64_t ns, uint32_t n)
{
    uint32_t most = w->stage->with.batch ? MIN(w->stage->with.batch, HAND_MAX) : HAND_MAX;
    int64_t fit = BATCH_NS / MAX(ns / n, 1);
    w->hand.wanted = (uint32_t)MAX(MIN(MIN(fit, (int64_t)w->hand.wanted * 2), most), 1);
}

void worker_begin_hand(struct worker *w)
{
    w->watch.out_ns = atomic_load_explicit(&w->counts.wait_out_ns, memory_order_relaxed);
    w->watch.began_ns = clock_ns();
}

void worker_end_hand(struct worker *w, uint32_t n)
{
    uint64_t out_ns = atomic_load_explicit(&w->counts.wait_out_ns, memory_order_relaxed) - w->watch.out_ns;
    int64_t ns = clock_ns() - w->watch.began_ns - (int64_t)out_ns;
    count(&w->counts.busy_ns, (uint64_t)MAX(ns, 0));
    if (n > 0)
        size_hand(w, ns, n);
}

/* Works until the queue ends. Returns the code of the pop that ended it. */
static int work_all(struct worker *w)
{
    struct stage *stage = w->stage;
    for (;;) {
        uint64_t wait_ns = 0;
        int r = item_queue_pop(&stage->in, &w->hand, w->group ? w->group_deadline_ns : NO_DEADLINE, &wait_ns);
        if (wait_ns)
            count(&w->counts.wait_in_ns, wait_ns);
        if (r == -ETIMEDOUT)
            group_flush(w);
        else if (r != 0)
            return r;
        if (r != 0)
            continue;
        uint32_t n = w->hand.n;
        worker_begin_hand(w);
        work_hand(w);
        if (stage->ordered)
            leave_in_order(w);
        else
            worker_flush(w, NO_DEADLINE);
        worker_end_hand(w, n);
        if (w->last)
            stages_close(stage->stages, stage->index);
    }
}

/* ---- the source ---- */

/* Returns 0: one more item was pushed. 1: the end, or a failure. */
static int feed_one(struct worker *w, uint64_t number)
{
    struct stage *stage = w->stage, *next = stage->next;
    leat_stages *stages = stage->stages;
    void *item;
    if (atomic_load(&stages->paused) && item_queue_wait_resumed(&next->in) < 0)
        return 1;
    if (atomic_load(&stages->finishing))
        return 1;
    int r = stage->source(stage->feed_user, &item);
    if (r != LEAT_STAGES_END)
        r = error_of_answer(r);
    if (r < 0)
        stages_fail(stages, r, stage, "source", number, NULL);
    if (r != 0)
        return 1;
    w->out[w->out_n++] = (struct stage_item){item, stage_size_of(next, item)};
    count(&w->counts.out, 1);
    push_out(w, NO_DEADLINE);
    return w->gone != 0;
}

/* Each item is pushed at once, because it is not known how long the source takes for the next one. */
static void feed_all(struct worker *w)
{
    uint64_t out_ns = 0;
    int64_t since = clock_ns();
    int r = 0;
    for (uint64_t number = 0; r == 0; number++) {
        r = feed_one(w, number);
        if (r == 0 && number % 8 != 0)
            continue;
        uint64_t all_out_ns = atomic_load_explicit(&w->counts.wait_out_ns, memory_order_relaxed);
        int64_t now = clock_ns(), busy = now - since - (int64_t)(all_out_ns - out_ns);
        count(&w->counts.busy_ns, (uint64_t)MAX(busy, 0));
        since = now;
        out_ns = all_out_ns;
    }
}

/* ---- the thread ---- */

static void open_and_work(struct worker *w)
{
    struct stage *stage = w->stage;
    int r = 0;
    if (stage->with.worker_open)
        r = error_of_answer(stage->with.worker_open(stage->with.user, &w->work.state));
    if (r < 0) {
        stages_fail(stage->stages, r, stage, "worker_open", 0, NULL);
        return;
    }
    w->opened = true;
    if (stage->kind == STAGE_SOURCE)
        feed_all(w);
    else if (stage->with.function_all)
        worker_call_all(w);
    else if (work_all(w) == 1 && stage->kind == STAGE_GROUP)
        group_flush(w);
}

static void worker_gone(void *user)
{
    struct worker *w = user;
    struct stage *stage = w->stage;
    leat_stages *stages = stage->stages;
    if (!w->finished)
        stages_fail(stages, -EOWNERDEAD, stage, "worker", w->hand.first + w->at, "a function has left its thread");
    if (stage->next)
        item_queue_end_producer(&stage->next->in);
    pthread_mutex_lock(&stages->lock);
    if (--stages->threads == 0)
        stages_tell_over(stages);
    pthread_mutex_unlock(&stages->lock);
}

/* It also runs if a function has called pthread_exit. Then everything ends. */
static void worker_leave(void *user)
{
    struct worker *w = user;
    bool finished = w->finished;
    w->finished = false;
    pthread_cleanup_push(worker_gone, w);
    if (!finished) {
        stages_fail(w->stage->stages, -EOWNERDEAD, w->stage, "worker", w->hand.first + w->at,
                    "a function has left its thread");
        w->at += MIN(w->work.gave + (uint32_t)MIN(w->work.done, HAND_MAX), w->hand.n - w->at);
        worker_drop_rest(w);
        refuse(w);
    }
    group_drop(w);
    if (w->opened && w->stage->with.worker_close) {
        w->opened = false;
        w->stage->with.worker_close(w->stage->with.user, w->work.state);
    }
    w->finished = true;
    pthread_cleanup_pop(1);
}

void *worker_main(void *user)
{
    struct worker *w = user;
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    stages_enter(w->stage->stages);
    pthread_cleanup_push(worker_leave, w);
    open_and_work(w);
    w->finished = true;
    pthread_cleanup_pop(1);
    return NULL;
}

void worker_reset(struct worker *worker, struct stage *stage)
{
    memset(worker, 0, sizeof(*worker));
    worker->stage = stage;
    worker->work.emit = worker_emit;
    worker->hand.wanted = 1;
}
