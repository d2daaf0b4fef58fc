/* The runner: plans, opens, moves, finishes, verifies and commits, in that order.
 *
 * Opening and moving are a task (`next`, `done`), so that an engine may run many of them on few threads. The end is a
 * straight line: filters, the route lets go, sinks are finished, digests are verified, and only then is anything
 * published. Each sink is committed or aborted exactly once, and so is the source. */
#include "base/sigpipe.h"
#include "flow/pipeline.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>

static leat_pipeline *pipeline_of(struct task *task)
{
    return (leat_pipeline *)((char *)task - offsetof(leat_pipeline, task));
}

static bool is_over(const leat_pipeline *p)
{
    return p->runner.error.code != 0 || p->hop.error.code != 0 || (p->sinks > 0 && hop_live(&p->hop) == 0);
}

/* ---- opening ---- */

static void fail_open(leat_pipeline *p, size_t index, const struct leat_error *error)
{
    if (index == 0) {
        p->runner.error = *error;
        return;
    }
    struct branch *branch = &p->branch[index - 1];
    branch->failed = true;
    branch->error = *error;
    branch->error.index = (uint32_t)(index - 1);
    if (!p->hop.first_failed)
        p->hop.first_failed = index;
}

/* One node after the other: a FIFO that waits for its other side holds up those behind it, as in a shell. */
static enum verdict open_nodes(leat_pipeline *p, struct wait_set *ret_wait)
{
    struct runner *run = &p->runner;
    while (run->opened < 1 + p->sinks && run->error.code == 0) {
        struct node *node = run->opened == 0 ? p->hop.in : p->branch[run->opened - 1].node;
        struct leat_error error = {.size = sizeof(error)};
        int r = node->ops->open ? node->ops->open(node, p->hop.in, &error) : 0;
        if (r == -EAGAIN) {
            wait_add(ret_wait, &node->port);
            ret_wait->deadline_ns = node->deadline_ns;
            return VERDICT_WAIT;
        }
        if (r < 0)
            fail_open(p, run->opened, &error);
        run->opened++;
    }
    run->phase = RUN_START;
    return VERDICT_OP;
}

/* ---- starting ---- */

static uint64_t expected_bytes(const leat_pipeline *p)
{
    const struct node *in = p->hop.in;
    uint64_t begin = in->position > 0 ? (uint64_t)in->position : in->position < 0 ? p->hop.skip : 0;
    if (!in->has_size)
        return in->kind == NODE_ZERO ? p->options.length : 0;
    uint64_t left = in->size > begin ? in->size - begin : 0;
    return p->options.has_length ? MIN(left, p->options.length) : left;
}

static void start_filters(leat_pipeline *p)
{
    for (size_t i = 0; i < p->filters; i++) {
        leat_filter *filter = p->filter[i];
        if (atomic_exchange(&filter->busy, true)) {
            error_at(&p->runner.error, -EBUSY, LEAT_SIDE_FILTER, filter->ops->name, "start",
                     "The filter is in use by another pipeline, or twice in this one");
            return;
        }
        p->runner.started++;
        if (filter->ops->start && filter->ops->start(filter, expected_bytes(p), &p->runner.error) < 0) {
            p->runner.error.side = LEAT_SIDE_FILTER;
            return;
        }
    }
}

/* What opening has shown may rule out a route that the plan allowed. */
static void check_ladder_again(struct hop *hop)
{
    for (size_t i = 0; i < hop->rungs; i++) {
        char reason[REASON_MAX];
        const char *why = hop->rung[i].rejected ? NULL : hop->rung[i].route->unfit(hop, reason);
        if (why) {
            hop->rung[i].rejected = true;
            snprintf(hop->rung[i].reason, REASON_MAX, "%s", why);
        }
    }
    if (hop->strict && hop->rung[0].rejected)
        error_at(&hop->error, -EOPNOTSUPP, LEAT_SIDE_NONE, "", "route", "The route '%s' can't be taken: %s",
                 hop->rung[0].route->name, hop->rung[0].reason);
    while (hop->rung[hop->current].rejected && hop->current + 1 < hop->rungs && !hop->strict)
        hop->current++;
}

static void start_moving(leat_pipeline *p)
{
    struct hop *hop = &p->hop;
    p->runner.phase = RUN_MOVE;
    if (is_over(p))
        return;
    hop->size_binds = hop->in->kind == NODE_FILE && hop->in->has_size && hop->in->position >= 0;
    if (hop->in->position >= 0)
        hop->in->position += (int64_t)p->options.offset;
    else
        hop->skip = p->options.offset;
    check_ladder_again(hop);
    cache_begin(hop);
    if (expected_bytes(p))
        atomic_store(&p->expected, expected_bytes(p));
    start_filters(p);
}

/* ---- reading a clone back ---- */

static bool must_read_back(const leat_pipeline *p)
{
    return hop_route(&p->hop)->id == ROUTE_CLONE && p->hop.whole && hop_needs_bytes(&p->hop) && !is_over(p);
}

/* The clone is ours alone until it is published, so what is read from it is what will be there. */
static void begin_readback(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    size_t i = 0;
    while (p->branch[i].failed)
        i++;
    const struct node *sink = p->branch[i].node;
    int fd = node_readable_fd(sink);
    run->readback_of = i;
    run->written = (struct node){.ops = sink->ops,
                                 .name = sink->name,
                                 .direction = LEAT_READ,
                                 .kind = NODE_FILE,
                                 .file_system = sink->file_system,
                                 .has_size = true,
                                 .cache = sink->cache,
                                 .size = p->hop.taken,
                                 .sparse = p->hop.in->sparse,
                                 .seek_fd = fd};
    node_set_fd(&run->written, fd, 0, NODE_WAIT_NEVER);
    run->readback = (struct hop){.in = &run->written,
                                 .filter = run->observer,
                                 .budget = &p->budget,
                                 .cache = p->hop.cache,
                                 .waker = p->hop.waker,
                                 .rung = {{.route = &route_chunk}},
                                 .rungs = 1,
                                 .size_binds = true,
                                 .residue = residue_none(),
                                 .end = UINT64_MAX};
    for (size_t k = 0; k < p->filters; k++)
        if (p->filter[k]->ops->caps & FILTER_OBSERVES)
            run->observer[run->readback.filters++] = p->filter[k];
    hop_stop(&p->hop);
    run->phase = RUN_READBACK;
}

/* ---- the task ---- */

static enum verdict runner_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait)
{
    leat_pipeline *p = pipeline_of(task);
    struct runner *run = &p->runner;
    p->hop.waker = &task->loop->waker;
    for (;;) {
        if (atomic_load(&p->cancelled))
            error_at(&run->error, -ECANCELED, LEAT_SIDE_NONE, "", "cancel", "It was cancelled");
        if (run->error.code)
            return VERDICT_END;
        enum verdict verdict = VERDICT_OP;
        switch (run->phase) {
        case RUN_OPEN:
            if (open_nodes(p, ret_wait) == VERDICT_WAIT)
                return VERDICT_WAIT;
            continue;
        case RUN_START:
            start_moving(p);
            continue;
        case RUN_MOVE:
            if (p->sinks && hop_live(&p->hop) == 0)
                return VERDICT_END;
            /* After a failure of the source the hop still delivers what was taken. */
            verdict = hop_next(&p->hop, ret_op, ret_wait);
            if (verdict != VERDICT_END || !must_read_back(p))
                return verdict;
            begin_readback(p);
            continue;
        default:
            return hop_next(&run->readback, ret_op, ret_wait);
        }
    }
}

static void runner_done(struct task *task, struct op *op, ssize_t result)
{
    leat_pipeline *p = pipeline_of(task);
    hop_done(p->runner.phase == RUN_READBACK ? &p->runner.readback : &p->hop, op, result);
}

/* ---- the end ---- */

static void let_go(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    int code = run->error.code ? run->error.code : p->hop.error.code;
    for (size_t i = 0; i < run->started; i++) {
        leat_filter *filter = p->filter[i];
        struct leat_error error = {.size = sizeof(error)};
        if (filter->ops->finish && filter->ops->finish(filter, code, &error) < 0 && !code) {
            error.side = LEAT_SIDE_FILTER;
            error.index = (uint32_t)i;
            if (!run->error.code)
                run->error = error;
        }
    }
    hop_stop(&p->hop);
    if (run->phase == RUN_READBACK) {
        hop_stop(&run->readback);
        if (run->readback.error.code && !run->error.code) {
            run->error = run->readback.error;
            run->error.side = LEAT_SIDE_SINK;
            run->error.index = (uint32_t)run->readback_of;
        }
    }
    cache_end_source(&p->hop);
    residue_drop(&p->hop, &p->hop.residue);
    for (size_t i = 0; i < p->sinks; i++)
        residue_drop(&p->hop, &p->branch[i].residue);
    if (p->hop.error.code && !run->error.code)
        run->error = p->hop.error;
}

/* What the sinks have for certain: where a shared source's position is left. */
static uint64_t delivered_everywhere(const leat_pipeline *p)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < p->sinks; i++) {
        const struct branch *branch = &p->branch[i];
        most = MAX(most, branch->delivered + branch->discarded);
        if (!branch->failed)
            least = MIN(least, branch->delivered + branch->discarded);
    }
    return p->sinks == 0 ? p->hop.taken : hop_live(&p->hop) ? least : most;
}

static void fail_end(leat_pipeline *p, size_t index, struct leat_error *error)
{
    error->offset = p->branch[index].delivered;
    fail_open(p, index + 1, error);
}

static void uncache(leat_pipeline *p, size_t index)
{
    struct branch *branch = &p->branch[index];
    struct leat_error error = {.size = sizeof(error)};
    int r = cache_end_sink(&p->hop, branch);
    if (r == 0)
        return;
    error_at(&error, r, LEAT_SIDE_SINK, branch->node->name, "sync_file_range",
             "The disk did not take what was written");
    fail_end(p, index, &error);
}

static void finish_nodes(leat_pipeline *p)
{
    struct node *in = p->hop.in;
    if (in->ops->finish)
        in->ops->finish(in, delivered_everywhere(p), &p->runner.error);
    for (size_t i = 0; i < p->sinks; i++) {
        struct branch *branch = &p->branch[i];
        struct leat_error error = {.size = sizeof(error)};
        if (!branch->failed && branch->node->ops->finish &&
            branch->node->ops->finish(branch->node, branch->delivered, &error) < 0)
            fail_end(p, i, &error);
        if (!branch->failed)
            uncache(p, i);
    }
}

static int value_of(const leat_pipeline *p, const char *algorithm, char hex[LEAT_DIGEST_HEX_MAX])
{
    for (size_t i = 0; i < p->filters; i++)
        if (p->filter[i]->ops->result && leat_filter_digest_hex(p->filter[i], algorithm, hex, LEAT_DIGEST_HEX_MAX) == 0)
            return 0;
    return -ENOENT;
}

static void verify(leat_pipeline *p)
{
    for (size_t i = 0; i < p->expectations; i++) {
        const struct expectation *e = &p->expectation[i];
        char hex[LEAT_DIGEST_HEX_MAX];
        int r = value_of(p, e->algorithm, hex);
        if (r < 0)
            error_at(&p->runner.error, r, LEAT_SIDE_FILTER, "digest", "verify", "There is no %s digest to compare",
                     e->algorithm);
        else if (strcasecmp(hex, e->hex) != 0)
            error_at(&p->runner.error, -EBADMSG, LEAT_SIDE_FILTER, "digest", "verify",
                     "The %s digest is %.40s%s, not the expected one; nothing was published", e->algorithm, hex,
                     strlen(hex) > 40 ? "..." : "");
    }
}

static void end_node(struct node *node, int code, uint64_t delivered)
{
    if (code && node->ops->abort)
        node->ops->abort(node, code, delivered);
    if (node->ops->close)
        node->ops->close(node);
}

/* What an abort could not undo is told with what made it necessary. */
static void add_note(struct leat_error *error, const struct node *node)
{
    size_t n = strlen(error->text);
    snprintf(error->text + n, sizeof(error->text) - n, "; '%s': %s", node->name, node->left);
}

/* Also of nodes that were never opened: whoever handed one in is told how it ended. */
static void commit_or_abort(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    struct node *in = pipeline_source(p);
    for (size_t i = 0; i < p->sinks; i++) {
        struct branch *branch = &p->branch[i];
        const struct node_ops *ops = branch->node->ops;
        struct leat_error error = {.size = sizeof(error)};
        if (!run->error.code && !branch->failed && ops->commit && ops->commit(branch->node, &error) < 0)
            fail_end(p, i, &error);
    }
    bool nobody = p->sinks && hop_live(&p->hop) == 0;
    int code = run->error.code ? run->error.code : nobody ? -ECANCELED : 0;
    if (in && !code && in->ops->commit && in->ops->commit(in, &run->error) < 0)
        code = run->error.code;
    for (size_t i = 0; i < p->sinks; i++) {
        struct branch *branch = &p->branch[i];
        struct leat_error *error = branch->failed ? &branch->error : &run->error;
        end_node(branch->node, error->code, branch->delivered);
        if (branch->node->left)
            add_note(error, branch->node);
    }
    if (in)
        end_node(in, code, delivered_everywhere(p));
}

/* The failure that the run is known by, with its numbers. */
static struct leat_error first_failure(const leat_pipeline *p)
{
    struct leat_error error = p->runner.error;
    const struct branch *branch = p->hop.first_failed ? &p->branch[p->hop.first_failed - 1] : NULL;
    if (!error.code && branch)
        error = branch->error;
    error.size = sizeof(error);
    error.taken = p->hop.taken;
    error.delivered = error.side == LEAT_SIDE_SINK && branch ? branch->delivered : delivered_everywhere(p);
    error.held = branch ? branch->held : p->sinks ? p->branch[0].held : 0;
    error.node = error.node ? error.node : "";
    error.operation = error.operation ? error.operation : "";
    return error;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A file system and a decoder say -EBADMSG too. */
static bool is_mismatch(const struct leat_error *error)
{
    return error->code == -EBADMSG && strcmp(error->operation, "verify") == 0;
}

static void make_report(leat_pipeline *p)
{
    struct leat_error error = first_failure(p);
    struct verdict_of_run verdict = {
        .code = error.code,
        .status = error.code == 0            ? "done"
                  : is_mismatch(&error)      ? "mismatch"
                  : error.code == -ECANCELED ? "cancelled"
                                             : "failed",
        .seconds = (double)(clock_ns() - p->began_ns) / 1e9,
        .cpu_seconds = cpu_seconds() - p->cpu_began,
    };
    p->result = error.code;
    p->report = report_make(p, &error, &verdict);
}

static void runner_ended(struct task *task)
{
    leat_pipeline *p = pipeline_of(task);
    let_go(p);
    p->runner.whole = !is_over(p);
    if (p->runner.whole)
        finish_nodes(p);
    if (!is_over(p))
        verify(p);
    commit_or_abort(p);
    make_report(p);
    for (size_t i = 0; i < p->runner.started; i++) /* their values have been read */
        atomic_store(&p->filter[i]->busy, false);
    p->tell(p);
}

void runner_init(leat_pipeline *p)
{
    p->task = (struct task){.next = runner_next, .done = runner_done, .ended = runner_ended};
}

void runner_prepare(leat_pipeline *p)
{
    p->cpu_began = cpu_seconds();
    p->began_ns = clock_ns();
    p->runner.error.size = sizeof(p->runner.error);
    atomic_store(&p->expected, UINT64_MAX);
    plan_make(p, &p->runner.error);
}

void runner_run_alone(leat_pipeline *p)
{
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    loop_add(&p->own_loop, &p->task);
    loop_quit(&p->own_loop);
    loop_run(&p->own_loop);
    sigpipe_leave(&guard);
}

void runner_give_up(leat_pipeline *p)
{
    commit_or_abort(p);
    make_report(p);
    p->tell(p);
}
