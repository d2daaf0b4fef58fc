/* The runner plans, opens and starts the legs. When all legs have ended, ending.c goes on. The legs are tasks, so that
 * an engine can run many of them on few threads. */
#include "base/sigpipe.h"
#include "flow/pipeline.h"
#include <errno.h>
#include <stdio.h>

#define THREAD_BYTES (1024 * 1024) /* of the source: for fewer, a thread does not pay */

bool runner_is_over(const leat_pipeline *p)
{
    bool any = p->runner.error.code != 0 || atomic_load(&p->runner.failed) != 0;
    for (size_t i = 0; i < p->legs; i++)
        any |= leg_has_failed(&p->leg[i]);
    return any;
}

/* ---- opening ---- */

/* Returns a node by its number in the order of opening: the source, the two of each joint, the sinks. */
static struct node *node_at(const leat_pipeline *p, size_t index)
{
    size_t joints = 2 * (p->legs - 1);
    if (index == 0)
        return pipeline_source(p);
    if (index > joints)
        return p->branch[index - 1 - joints].node;
    const struct joint *joint = &p->leg[(index - 1) / 2].joint;
    return index % 2 ? joint->into : joint->out;
}

void runner_fail_sink(leat_pipeline *p, size_t index, const struct leat_error *error)
{
    struct branch *branch = &p->branch[index];
    struct hop *hop = &pipeline_last_leg(p)->hop;
    branch->failed = true;
    branch->error = *error;
    branch->error.index = (uint32_t)index;
    if (!hop->first_failed)
        hop->first_failed = index + 1;
}

static void fail_open(leat_pipeline *p, size_t index, struct leat_error *error)
{
    size_t joints = 2 * (p->legs - 1);
    if (index > joints) {
        runner_fail_sink(p, index - 1 - joints, error);
        return;
    }
    if (index > 0) {
        error->side = LEAT_SIDE_FILTER;
        error->index = (uint32_t)p->leg[(index - 1) / 2].joint.index;
    }
    p->runner.error = *error;
}

static int claim_filter(leat_pipeline *p, size_t index)
{
    leat_filter *filter = p->filter[index];
    if (!p->runner.claimed[index] && atomic_exchange(&filter->busy, true)) {
        error_at(&p->runner.error, -EBUSY, LEAT_SIDE_FILTER, filter->ops->name, "start",
                 "The filter is in use by another pipeline, or twice in this one");
        p->runner.error.index = (uint32_t)index;
        return -EBUSY;
    }
    p->runner.claimed[index] = true;
    return 0;
}

/* The nodes of a joint belong to its filter, which may serve another pipeline at this moment. So the filter is claimed
 * before they are opened. */
static int claim_joint(leat_pipeline *p, size_t index)
{
    bool joint = index % 2 && index < 2 * (p->legs - 1);
    return joint ? claim_filter(p, p->leg[index / 2].joint.index) : 0;
}

/* Opens one node after the other. While a FIFO waits for its other side, the nodes behind it stay closed, as in a
 * shell. */
enum verdict runner_open(leat_pipeline *p, struct wait_set *ret_wait)
{
    struct runner *run = &p->runner;
    size_t nodes = 1 + 2 * (p->legs - 1) + p->sinks;
    for (; run->opened < nodes && run->error.code == 0; run->opened++) {
        if (claim_joint(p, run->opened) < 0)
            break;
        struct node *node = node_at(p, run->opened);
        struct leat_error error = {.size = sizeof(error)};
        node->verbatim = node->direction == LEAT_WRITE && p->legs == 1;
        int r = node->ops->open ? node->ops->open(node, pipeline_source(p), &error) : 0;
        if (r == -EAGAIN) {
            wait_add(ret_wait, &node->port);
            ret_wait->deadline_ns = node->deadline_ns;
            return VERDICT_WAIT;
        }
        if (r < 0)
            fail_open(p, run->opened, &error);
    }
    return VERDICT_STEP_DOWN;
}

/* ---- starting ---- */

uint64_t runner_expected(const leat_pipeline *p)
{
    const struct hop *hop = &p->leg[0].hop;
    const struct node *in = hop->in;
    uint64_t begin = in->position > 0 ? (uint64_t)in->position : in->position < 0 ? in->from + hop->skip : 0;
    if (!in->has_size)
        return in->kind == NODE_ZERO ? p->options.length : 0;
    uint64_t left = in->size > begin ? in->size - begin : 0;
    return p->options.has_length ? MIN(left, p->options.length) : left;
}

/* Is the number of bytes that reach the sinks known? A filter may end the stream before its source ends, or change its
 * length. */
static bool length_is_known(const leat_pipeline *p)
{
    for (size_t i = p->options.rate ? p->in_front : 0; i < p->filters; i++)
        if (p->filter[i]->ops->caps & (FILTER_PACES | FILTER_TRANSFORMS | FILTER_JOINS))
            return false;
    return p->legs == 1 && pipeline_source(p)->has_size && p->options.sparse != LEAT_SPARSE_ALWAYS;
}

/* A sink that has no room for all bytes fails before a byte moves. Holes need no room. */
static void check_room(leat_pipeline *p)
{
    uint64_t expected = runner_expected(p);
    if (!length_is_known(p))
        return;
    for (size_t i = 0; i < p->sinks; i++) {
        const struct node *node = p->branch[i].node;
        struct leat_error error = {.size = sizeof(error)};
        bool leaves_holes = pipeline_source(p)->sparse && node->kind == NODE_FILE;
        if (p->branch[i].failed || !node->has_room || expected <= node->room || leaves_holes)
            continue;
        error_at(&error, -ENOSPC, LEAT_SIDE_SINK, node->name, "write",
                 "No space left: there is room for %llu bytes, and %llu are to come", (unsigned long long)node->room,
                 (unsigned long long)expected);
        runner_fail_sink(p, i, &error);
    }
}

/* How many bytes come behind the first joint is not known. */
static void start_filters(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    for (; run->started < p->filters && run->error.code == 0; run->started++) {
        leat_filter *filter = p->filter[run->started];
        bool known = p->legs == 1 || run->started <= p->leg[0].joint.index;
        if (claim_filter(p, run->started) < 0)
            return;
        if (filter->ops->start && filter->ops->start(filter, known ? runner_expected(p) : 0, &run->error) < 0) {
            run->error.side = LEAT_SIDE_FILTER;
            run->error.index = (uint32_t)run->started;
        }
    }
}

/* The thread of a leg also runs the transform before the leg. If the legs on both sides have work to do as well, a
 * thread of its own saves a fifth of the time (unzstd and zstd, two processors). The first and the last leg stay on the
 * thread that runs the pipeline, because they call the functions of the program's endpoints. With a single transform, a
 * second thread would save 3%. */
static bool thread_pays(const leat_pipeline *p, size_t leg)
{
    uint64_t expected = runner_expected(p);
    bool small = expected && expected < THREAD_BYTES;
    return leg + 1 < p->legs && p->leg[leg - 1].joint.filter->ops->caps & FILTER_TRANSFORMS && !small &&
           !p->options.shared_engine;
}

static void choose_loop(leat_pipeline *p, size_t index)
{
    struct leg *leg = &p->leg[index];
    struct loop *loop = atomic_load(&p->leg[0].loop);
    if (thread_pays(p, index) && loop_open(&leg->own_loop, p->engine, NULL) == 0) {
        leg->has_thread = loop_run_on_thread(&leg->own_loop, &leg->thread) == 0;
        if (!leg->has_thread)
            loop_close(&leg->own_loop);
    }
    atomic_store(&leg->loop, leg->has_thread ? &leg->own_loop : loop);
}

bool runner_start(leat_pipeline *p)
{
    if (!runner_is_over(p)) {
        for (size_t i = 1; i < p->legs; i++)
            choose_loop(p, i);
        for (size_t i = 0; i < p->legs; i++)
            leg_begin(&p->leg[i]);
        check_room(p);
        if (runner_expected(p) && p->legs == 1)
            atomic_store(&p->expected, runner_expected(p));
        start_filters(p);
    }
    if (runner_is_over(p))
        return false;
    atomic_store(&p->runner.running, p->legs);
    for (size_t i = 1; i < p->legs; i++)
        loop_add(atomic_load(&p->leg[i].loop), &p->leg[i].task);
    return true;
}

/* The task looks at once whether it must stop, and the call that it has in flight is ended. */
static void poke(struct leg *leg)
{
    struct loop *loop = atomic_load(&leg->loop);
    if (loop)
        loop_poke(loop, &leg->task);
}

void runner_poke(leat_pipeline *p)
{
    for (size_t i = 0; i < p->legs; i++)
        poke(&p->leg[i]);
}

/* ---- from the first leg to the last ---- */

double runner_cpu_seconds(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
        return 0; /* not every system counts it */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void runner_ended(struct task *task)
{
    struct leg *leg = (struct leg *)((char *)task - offsetof(struct leg, task));
    leat_pipeline *p = leg->pipeline;
    size_t nobody = 0, self = (size_t)(leg - p->leg);
    bool failed = leg_has_failed(leg);
    leg->error = leg_failure(leg); /* fixed now, whatever happens to the other legs */
    if (failed && atomic_compare_exchange_strong(&p->runner.failed, &nobody, self + 1))
        runner_poke(p);
    else if (!failed && atomic_load(&p->runner.failed) == 0) { /* otherwise another leg has stopped it */
        atomic_store(&leg->over, true);
        if (self > 0)
            poke(leg - 1);
        if (self + 1 < p->legs && leg[1].idle_ns) /* its idle limit applies from now on */
            poke(leg + 1);
    }
    if (atomic_fetch_sub(&p->runner.running, 1) == 1 && p->options.shared_engine)
        runner_end(p);
}

void runner_prepare(leat_pipeline *p)
{
    p->cpu_began = runner_cpu_seconds();
    p->began_ns = clock_ns();
    p->runner.error.size = sizeof(p->runner.error);
    atomic_store(&p->runner.running, 1);
    atomic_store(&p->expected, UINT64_MAX);
    plan_make(p, &p->runner.error);
}

void runner_run_alone(leat_pipeline *p)
{
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    loop_add(&p->own_loop, &p->leg[0].task);
    loop_quit(&p->own_loop);
    loop_run(&p->own_loop);
    for (size_t i = 1; i < p->legs; i++)
        if (p->leg[i].has_thread) {
            loop_quit(&p->leg[i].own_loop);
            pthread_join(p->leg[i].thread, NULL);
        }
    runner_end(p);
    loop_run(&p->own_loop);
    sigpipe_leave(&guard);
}
