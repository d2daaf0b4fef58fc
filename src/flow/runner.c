/* SPDX-License-Identifier: MIT */
/* The runner plans, opens and starts the legs. When all legs have ended, ending.c goes on. The legs are tasks, so that
 * an engine can run many of them on few threads. */
#include "flow/runner.h"
#include "base/sigpipe.h"
#include "flow/ending.h"
#include "flow/failure.h"
#include "flow/leg.h"
#include <errno.h>
#include <stdio.h>

#define THREAD_BYTES (1024 * 1024) /* of the source: for fewer, a thread does not pay */

/* ---- opening ---- */

static size_t joint_nodes(const struct run *run)
{
    return 2 * (run->plan->legs - 1);
}

/* Returns the joint whose node has this number, or NULL. */
static const struct joint *joint_at(const struct run *run, size_t index)
{
    return index > 0 && index <= joint_nodes(run) ? run->plan->leg[(index - 1) / 2].joint : NULL;
}

/* Returns a node by its number in the order of opening: the source, the two of each joint, the sinks. */
static struct node *node_at(const struct run *run, size_t index)
{
    const struct joint *joint = joint_at(run, index);
    if (joint)
        return index % 2 ? joint->into : joint->out;
    return index == 0 ? parts_source(run->plan->parts) : run->branch[index - 1 - joint_nodes(run)].node;
}

static void fail_open(struct run *run, size_t index, struct leat_error *error)
{
    const struct joint *joint = joint_at(run, index);
    if (joint)
        failure_of_filter(run, joint->index, error);
    else if (index == 0)
        failure_of_run(run, error);
    else
        failure_of_sink(run, index - 1 - joint_nodes(run), error);
}

static int claim_filter(struct run *run, size_t index)
{
    leat_filter *filter = run->plan->parts->filter[index];
    if (!run->claimed[index] && atomic_exchange(&filter->busy, true)) {
        struct leat_error error = {.size = sizeof(error)};
        error_at(&error, -EBUSY, LEAT_SIDE_FILTER, filter->ops->name, "start",
                 "The filter is in use by another pipeline, or twice in this one");
        failure_of_filter(run, index, &error);
        return -EBUSY;
    }
    run->claimed[index] = true;
    return 0;
}

/* The nodes of a joint belong to its filter, which may serve another pipeline at this moment. So the filter is claimed
 * before they are opened. */
static int claim_joint(struct run *run, size_t index)
{
    const struct joint *joint = joint_at(run, index);
    if (!joint || index % 2 == 0)
        return 0;
    int r = claim_filter(run, joint->index);
    if (r == 0)
        joint->into->memory.pool = run->plan->parts->options.pool;
    return r;
}

/* Opens the nodes, one after the other. While a FIFO waits for its other side, the nodes behind it stay closed, as in a
 * shell. WAIT: a node is not open yet. END: each node is open, or its sink has failed, or the run has. */
static enum verdict open_nodes(struct run *run, struct wait_set *ret_wait)
{
    struct node *source = parts_source(run->plan->parts);
    size_t nodes = 1 + joint_nodes(run) + run->plan->parts->sinks;
    for (; run->opened < nodes && run->error.code == 0; run->opened++) {
        if (claim_joint(run, run->opened) < 0)
            break;
        struct node *node = node_at(run, run->opened);
        struct leat_error error = {.size = sizeof(error)};
        node->waker = &atomic_load(&run->leg[0].loop)->waker;
        node->verbatim = node->direction == LEAT_WRITE && run->plan->legs == 1;
        int r = node->ops->open ? node->ops->open(node, source, &error) : 0;
        if (r == -EAGAIN) {
            wait_add(ret_wait, &node->port);
            ret_wait->deadline_ns = node->deadline_ns;
            return VERDICT_WAIT;
        }
        if (r < 0)
            fail_open(run, run->opened, &error);
    }
    return VERDICT_END;
}

/* ---- starting ---- */

/* Returns the bytes that are expected of the source; 0: unknown. */
static uint64_t expected_of(const struct run *run)
{
    const struct leat_pipeline_options *options = &run->plan->parts->options;
    const struct hop *hop = &run->leg[0].hop;
    const struct node *in = hop->in;
    uint64_t begin = in->position > 0 ? (uint64_t)in->position : in->position < 0 ? in->from + hop->skip : 0;
    if (!in->has_size)
        return in->kind == NODE_ZERO ? options->length : 0;
    uint64_t left = in->size > begin ? in->size - begin : 0;
    return options->has_length ? MIN(left, options->length) : left;
}

/* Is the number of bytes that reach the sinks known? A filter may end the stream before its source ends, or change its
 * length. */
static bool length_is_known(const struct plan *plan)
{
    for (size_t i = plan->parts->options.rate ? plan->parts->in_front : 0; i < plan->parts->filters; i++)
        if (filter_may_end(plan->parts->filter[i]))
            return false;
    return plan_is_plain(plan) && parts_source(plan->parts)->has_size &&
           plan->parts->options.sparse != LEAT_SPARSE_ALWAYS;
}

/* A sink that has no room for all bytes fails before a byte moves. Holes need no room. */
static void check_room(struct run *run)
{
    uint64_t expected = expected_of(run);
    if (!length_is_known(run->plan))
        return;
    for (size_t i = 0; i < run->plan->parts->sinks; i++) {
        const struct node *node = run->branch[i].node;
        struct leat_error error = {.size = sizeof(error)};
        bool leaves_holes = parts_source(run->plan->parts)->sparse && node->kind == NODE_FILE;
        if (run->branch[i].failed || !node->has_room || expected <= node->room || leaves_holes)
            continue;
        error_at(&error, -ENOSPC, LEAT_SIDE_SINK, node->name, "write",
                 "No space left: there is room for %llu bytes, and %llu are to come", (unsigned long long)node->room,
                 (unsigned long long)expected);
        failure_of_sink(run, i, &error);
    }
}

/* How many bytes come behind the first joint is not known. */
static void start_filters(struct run *run)
{
    for (; run->started < run->plan->parts->filters && run->error.code == 0; run->started++) {
        leat_filter *filter = run->plan->parts->filter[run->started];
        bool known = plan_is_plain(run->plan) || run->started <= run->plan->leg[0].joint->index;
        if (claim_filter(run, run->started) < 0)
            return;
        struct leat_error error = {.size = sizeof(error)};
        if (filter->ops->start && filter->ops->start(filter, known ? expected_of(run) : 0, &error) < 0)
            failure_of_filter(run, run->started, &error);
    }
}

/* Neither side of a buffer must wait for the other, not even for its disk. */
static bool is_behind_buffer(const struct run *run, size_t leg)
{
    for (size_t i = 0; i < leg; i++)
        if (run->plan->leg[i].joint->filter->ops->caps & FILTER_BUFFERS)
            return true;
    return false;
}

/* Functions of the program run on the thread that runs the pipeline. They do not block. */
static bool may_move(const struct run *run, size_t leg)
{
    const struct hop *hop = &run->leg[leg].hop;
    for (size_t i = 0; leg + 1 == run->plan->legs && i < hop->branches; i++)
        if (hop->branch[i].node->kind == NODE_CALL)
            return false;
    return !run->plan->parts->options.shared_engine;
}

/* The thread of a leg also runs the transform before the leg. If the legs on both sides have work to do as well, a
 * thread of its own saves a fifth of the time (unzstd and zstd, two processors). The first and the last leg stay on the
 * thread that runs the pipeline, because they call the functions of the program's endpoints. With a single transform, a
 * second thread would save 3%. */
static bool thread_pays(const struct run *run, size_t leg)
{
    if (is_behind_buffer(run, leg))
        return may_move(run, leg);
    uint64_t expected = expected_of(run);
    bool small = expected && expected < THREAD_BYTES;
    return leg + 1 < run->plan->legs && run->plan->leg[leg - 1].joint->filter->ops->caps & FILTER_TRANSFORMS &&
           !small && !run->plan->parts->options.shared_engine;
}

static void choose_loop(struct run *run, size_t index)
{
    struct leg *leg = &run->leg[index];
    struct loop *loop = atomic_load(&run->leg[0].loop);
    if (thread_pays(run, index) && loop_open(&leg->own_loop, run->engine, NULL) == 0) {
        leg->has_thread = loop_run_on_thread(&leg->own_loop, &leg->thread) == 0;
        if (!leg->has_thread)
            loop_close(&leg->own_loop);
    }
    atomic_store(&leg->loop, leg->has_thread ? &leg->own_loop : loop);
}

/* Called when all nodes are open: starts the filters and the other legs. Returns false if the run has failed. */
static bool start(struct run *run)
{
    if (!failure_is_there(run)) {
        for (size_t i = 1; i < run->plan->legs; i++)
            choose_loop(run, i);
        for (size_t i = 0; i < run->plan->legs; i++)
            leg_begin(&run->leg[i]);
        check_room(run);
        if (expected_of(run) && plan_is_plain(run->plan))
            atomic_store(&run->expected, expected_of(run));
        start_filters(run);
    }
    if (failure_is_there(run))
        return false;
    atomic_store(&run->running, run->plan->legs);
    for (size_t i = 1; i < run->plan->legs; i++)
        loop_add(atomic_load(&run->leg[i].loop), &run->leg[i].task);
    return true;
}

/* The hook `next` of the first leg until all nodes are open and the other legs have started. */
static enum verdict begin_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait)
{
    struct run *run = run_leg_of(task)->run;
    if (atomic_load(&run->cancelled)) {
        failure_by_cancel(run);
        return VERDICT_END;
    }
    if (open_nodes(run, ret_wait) == VERDICT_WAIT)
        return VERDICT_WAIT;
    if (!start(run))
        return VERDICT_END;
    task->next = leg_next;
    return leg_next(task, ret_op, ret_wait);
}

/* ---- from the first leg to the last ---- */

/* On a shared engine the last leg to end goes on with the end of the run; otherwise runner_run_alone does. */
static void leg_ended(struct task *task)
{
    struct leg *leg = run_leg_of(task);
    struct run *run = leg->run;
    size_t self = (size_t)(leg - run->leg);
    if (leg_end(leg))
        failure_of_leg(run, self);
    else if (atomic_load(&run->failed) == 0) { /* otherwise another leg has stopped it */
        atomic_store(&leg->over, true);
        if (self > 0)
            run_poke_leg(leg - 1);
        if (self + 1 < run->plan->legs && leg[1].plan->idle_ns) /* its idle limit applies from now on */
            run_poke_leg(leg + 1);
    }
    if (atomic_fetch_sub(&run->running, 1) == 1 && run->plan->parts->options.shared_engine)
        ending_begin(run);
}

static void make_leg(struct run *run, size_t index)
{
    const struct plan_leg *plan = &run->plan->leg[index];
    struct leg *leg = &run->leg[index];
    *leg = (struct leg){.run = run, .plan = plan, .into = plan->into, .hop = plan->hop};
    leg->task = (struct task){.next = index == 0 ? begin_next : leg_next, .done = leg_done, .ended = leg_ended};
    leg->error.size = sizeof(leg->error);
    budget_init(&leg->budget, plan->budget.limit);
    leg->hop.budget = &leg->budget;
    leg->hop.branch = plan->joint ? &leg->into : run->branch;
    if (index == 0 && leg->hop.in)
        leg->hop.in->memory.budget = &leg->budget;
}

int runner_prepare(struct run *run, const struct plan *plan)
{
    size_t sinks = plan->legs ? plan->parts->sinks : 0;
    run->plan = plan;
    run->leg = plan->legs ? calloc(plan->legs, sizeof(run->leg[0])) : NULL;
    run->branch = calloc(sinks + 1, sizeof(run->branch[0]));
    if (!run->leg || !run->branch)
        return -ENOMEM;
    for (size_t i = 0; i < sinks; i++)
        run->branch[i] = plan->branch[i];
    for (size_t i = 0; i < plan->legs; i++)
        make_leg(run, i);
    run->error = (struct leat_error){.size = sizeof(run->error)};
    atomic_store(&run->running, 1);
    atomic_store(&run->expected, UINT64_MAX);
    return 0;
}

void runner_run_alone(struct run *run)
{
    struct loop *loop = atomic_load(&run->leg[0].loop);
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    loop_add(loop, &run->leg[0].task);
    loop_quit(loop);
    loop_run(loop);
    for (size_t i = 1; i < run->plan->legs; i++)
        if (run->leg[i].has_thread) {
            loop_quit(&run->leg[i].own_loop);
            pthread_join(run->leg[i].thread, NULL);
        }
    ending_begin(run);
    loop_run(loop);
    sigpipe_leave(&guard);
}

void runner_free(struct run *run)
{
    for (size_t i = 0; run->leg && i < run->plan->legs; i++)
        if (run->leg[i].has_thread)
            loop_close(&run->leg[i].own_loop);
    free(run->leg);
    free(run->branch);
    run->leg = NULL;
    run->branch = NULL;
}
