/* SPDX-License-Identifier: MIT */
/* One leg of a run. It moves the leg's bytes, reads a clone back if filters need its bytes, and tells the joints at its
 * two ends that it has ended without failure.
 *
 * How legs end: if the source of a leg is at its end, the leg ends when all bytes are delivered. If a leg has ended
 * without failure, the leg before is no longer needed, and ends without failure at whatever byte it is. If a leg fails,
 * or the run is cancelled, all legs stop where they are, and no joint is told of an end. */
#include "flow/leg.h"
#include "base/platform.h"
#include "base/trace.h"
#include <errno.h>
#include <stdio.h>

static bool is_first(const struct leg *leg)
{
    return leg == leg->run->leg;
}

static bool is_last(const struct leg *leg)
{
    return leg == run_last_leg(leg->run);
}

/* Has the leg behind ended, so that no more bytes of this leg are needed? */
static bool is_unwanted(const struct leg *leg)
{
    return !is_last(leg) && atomic_load(&leg[1].over);
}

static bool has_no_sink_left(const struct leg *leg)
{
    return leg->hop.branches > 0 && hop_count_live(&leg->hop) == 0;
}

/* ---- the beginning ---- */

/* Opening may show that a route which the plan allowed is unfit. */
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

/* Is the byte before the offset there? This is asked of a source that has no size, or one that leat does not trust. The
 * answer is yes on an error as well: the transfer meets the error again and reports it. */
static bool reaches(const struct node *in, uint64_t offset)
{
    uint8_t byte;
    struct op op = {.kind = OP_READ,
                    .fd = {in->fd, -1},
                    .offset = {in->position + (int64_t)offset - 1, -1},
                    .bytes = &byte,
                    .length = 1};
    return op_execute(&op) != 0;
}

static bool begins_within(const struct node *in, uint64_t offset)
{
    if (offset > (uint64_t)(INT64_MAX - in->position))
        return false;
    if (in->has_size && (uint64_t)in->position + offset > in->size)
        return false;
    return offset == 0 || platform.is_direct(in->fd) || reaches(in, offset);
}

static void begin_source(struct hop *hop)
{
    struct node *in = hop->in;
    hop->size_binds = in->kind == NODE_FILE && in->has_size && in->position >= 0;
    if (in->position < 0)
        hop->skip = in->seeks ? 0 : hop->begins;
    else if (begins_within(in, hop->begins))
        in->position += (int64_t)hop->begins;
    else
        hop_fail_offset(hop);
}

static void open_spills(struct hop *hop)
{
    char text[100];
    for (size_t i = 0; i < hop->branches && !hop->error.code; i++) {
        struct branch *branch = &hop->branch[i];
        int r = !branch->failed && hop_spills(hop, branch)
                    ? spill_open(&branch->spill, branch->spill_folder, branch->spill_size)
                    : 0;
        if (r < 0)
            error_at(&hop->error, r, LEAT_SIDE_NONE, "", "open",
                     "No file can be made%s%.60s%s for the bytes that the sink '%.60s' has not taken: %s",
                     branch->spill_folder ? " in the folder '" : "", branch->spill_folder ? branch->spill_folder : "",
                     branch->spill_folder ? "'" : "", branch->node->name, error_text(r, text, sizeof(text)));
    }
}

static void tell_begin(const struct leg *leg)
{
    const struct hop *hop = &leg->hop;
    const struct leat_trace_field field[] = {
        trace_text("source", hop->in->name), trace_text("sink", hop->branches ? hop->branch[0].node->name : ""),
        trace_number("sinks", hop->branches), trace_number("hop", (uint64_t)(leg - leg->run->leg))};
    trace_tell(LEAT_TRACE_HOP, field, COUNT(field), "the hop is open");
}

void leg_begin(struct leg *leg)
{
    struct hop *hop = &leg->hop;
    hop->waker = &atomic_load(&leg->loop)->waker;
    if (is_first(leg))
        begin_source(hop);
    else
        port_attach(&hop->in->port, hop->waker);
    if (!is_last(leg))
        port_attach(&leg->into.node->port, hop->waker);
    pipe_size_begin(hop);
    check_ladder_again(hop);
    cache_begin(hop);
    open_spills(hop);
    learn_begin(hop);
    if (trace_is_on())
        tell_begin(leg);
}

/* ---- reading a clone back ---- */

static bool must_read_back(const struct leg *leg)
{
    const struct hop *hop = &leg->hop;
    return hop_route(hop)->id == ROUTE_CLONE && hop->whole && hop_needs_bytes(hop) && hop->error.code == 0 &&
           !has_no_sink_left(leg);
}

/* No other process can see the clone before it is published, so the bytes that are read are those that are
 * published. */
static void begin_readback(struct leg *leg)
{
    struct hop *hop = &leg->hop;
    size_t i = 0;
    while (hop->branch[i].failed)
        i++;
    const struct node *sink = hop->branch[i].node;
    int fd = node_readable_fd(sink);
    leg->readback_of = i;
    leg->written = (struct node){.ops = sink->ops,
                                 .name = sink->name,
                                 .direction = LEAT_READ,
                                 .kind = NODE_FILE,
                                 .file_system = sink->file_system,
                                 .has_size = true,
                                 .cache = sink->cache,
                                 .size = hop->taken,
                                 .sparse = hop->in->sparse,
                                 .seek_fd = fd};
    node_set_fd(&leg->written, fd, 0, NODE_WAIT_NEVER);
    leg->readback = (struct hop){.in = &leg->written,
                                 .filter = leg->observer,
                                 .budget = hop->budget,
                                 .pool = hop->pool,
                                 .cache = hop->cache,
                                 .waker = hop->waker,
                                 .rung = {{.route = &route_chunk}},
                                 .rungs = 1,
                                 .size_binds = true,
                                 .residue = residue_none(),
                                 .end = UINT64_MAX};
    for (size_t k = 0; k < hop->filters; k++)
        if (hop->filter[k]->ops->caps & FILTER_OBSERVES)
            leg->observer[leg->readback.filters++] = hop->filter[k];
    hop_stop(hop);
    leg->phase = LEG_READBACK;
}

/* ---- finishing the joints ---- */

/* A child that ends before it has read all bytes is no failure of the leg that writes to it. The child's joint reports
 * whether the child ended well. */
static void forgive_broken_pipe(struct leg *leg)
{
    unsigned caps = is_last(leg) ? 0 : leg->plan->joint->filter->ops->caps;
    if (!(caps & FILTER_JOINS) || caps & FILTER_BUFFERS || leg->into.error.code != -EPIPE)
        return;
    leg->into.failed = false;
    leg->into.error = (struct leat_error){.code = 0};
    leg->phase = LEG_FINISH;
}

static enum verdict finish_end(struct leg *leg, const struct joint *joint, struct node *node, uint64_t bytes,
                               struct wait_set *ret_wait)
{
    struct leat_error error = {.size = sizeof(error)};
    int r = node->ops->finish ? node->ops->finish(node, bytes, &error) : 0;
    if (r == -EAGAIN) {
        wait_add(ret_wait, &node->port);
        ret_wait->deadline_ns = node->deadline_ns;
        return VERDICT_WAIT;
    }
    leg->ends_finished++;
    if (r < 0) {
        leg->error = error;
        leg->error.side = LEAT_SIDE_FILTER;
        leg->error.index = (uint32_t)joint->index;
    }
    return VERDICT_END;
}

/* Finishes the joint that the leg read from before the one that it wrote to, because the first may report a failure. */
static enum verdict finish_joints(struct leg *leg, struct wait_set *ret_wait)
{
    enum verdict verdict = VERDICT_END;
    if (leg->ends_finished == 0) {
        if (is_first(leg))
            leg->ends_finished++;
        else
            verdict = finish_end(leg, leg[-1].plan->joint, leg->hop.in, leg->hop.taken, ret_wait);
    }
    if (verdict == VERDICT_END && leg->ends_finished == 1 && !leg->error.code && !is_last(leg))
        verdict = finish_end(leg, leg->plan->joint, leg->into.node, leg->into.delivered, ret_wait);
    return verdict;
}

/* ---- the task ---- */

/* STEP_DOWN: call it again. */
static enum verdict move(struct leg *leg, struct op **ret_op, struct wait_set *ret_wait)
{
    if (is_unwanted(leg)) { /* what the filter has used of the last write still counts as delivered */
        if (joint_hands_back(leg->plan->joint) && hop_next(&leg->hop, ret_op, ret_wait) == VERDICT_OP &&
            (*ret_op)->user == leg->plan->joint)
            return VERDICT_OP;
        leg->phase = LEG_FINISH;
        return VERDICT_STEP_DOWN;
    }
    if (leg->plan->idle_ns && atomic_load(&leg[-1].over))
        leg->hop.in->idle_ns = leg->plan->idle_ns;
    /* After a failure of the source the hop still delivers what was taken. */
    enum verdict verdict = has_no_sink_left(leg) ? VERDICT_END : hop_next(&leg->hop, ret_op, ret_wait);
    if (verdict != VERDICT_END)
        return verdict;
    if (has_no_sink_left(leg))
        forgive_broken_pipe(leg);
    else if (must_read_back(leg))
        begin_readback(leg);
    else if (leg->hop.error.code == 0)
        leg->phase = LEG_FINISH;
    return leg->phase == LEG_MOVE ? VERDICT_END : VERDICT_STEP_DOWN;
}

static enum verdict step(struct leg *leg, struct op **ret_op, struct wait_set *ret_wait)
{
    switch (leg->phase) {
    case LEG_MOVE:
        return move(leg, ret_op, ret_wait);
    case LEG_READBACK:
        return hop_next(&leg->readback, ret_op, ret_wait);
    default:
        return finish_joints(leg, ret_wait);
    }
}

enum verdict leg_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait)
{
    struct leg *leg = run_leg_of(task);
    enum verdict verdict;
    do {
        if (atomic_load(&leg->run->cancelled))
            error_at(&leg->error, -ECANCELED, LEAT_SIDE_NONE, "", "cancel", "It was cancelled");
        if (leg->error.code || atomic_load(&leg->run->failed))
            return VERDICT_END;
        ret_wait->n = 0;
        ret_wait->deadline_ns = 0;
        verdict = step(leg, ret_op, ret_wait);
    } while (verdict == VERDICT_STEP_DOWN);
    return verdict;
}

/* A call that was ended because its leg must stop has not failed. */
void leg_done(struct task *task, struct op *op, ssize_t result)
{
    struct leg *leg = run_leg_of(task);
    if (result == -ECANCELED && (is_unwanted(leg) || atomic_load(&leg->run->failed)))
        result = -EAGAIN;
    hop_done(leg->phase == LEG_READBACK ? &leg->readback : &leg->hop, op, result);
}

/* ---- afterwards ---- */

static struct leat_error of_joint(struct leat_error error, const struct joint *joint)
{
    error.side = LEAT_SIDE_FILTER;
    error.index = (uint32_t)joint->index;
    return error;
}

static struct leat_error of_hop(const struct leg *leg)
{
    struct leat_error error = leg->hop.error;
    if (error.side == LEAT_SIDE_FILTER)
        error.index += (uint32_t)leg->plan->first;
    else if (is_unwanted(leg))
        error.code = 0;
    else if (error.side == LEAT_SIDE_SOURCE && !is_first(leg))
        error = leg[-1].plan->joint->error.code ? leg[-1].plan->joint->error : of_joint(error, leg[-1].plan->joint);
    return error;
}

struct leat_error leg_failure(const struct leg *leg)
{
    if (leg->error.code)
        return leg->error;
    if (leg->hop.error.code)
        return of_hop(leg);
    if (!is_last(leg) && leg->into.failed && !is_unwanted(leg))
        return of_joint(leg->into.error, leg->plan->joint);
    struct leat_error error = leg->readback.error;
    error.side = LEAT_SIDE_SINK;
    error.index = (uint32_t)leg->readback_of;
    return error;
}

bool leg_has_failed(const struct leg *leg)
{
    return leg_failure(leg).code != 0 || (is_last(leg) && has_no_sink_left(leg));
}

bool leg_end(struct leg *leg)
{
    bool failed = leg_has_failed(leg);
    leg->error = leg_failure(leg);
    return failed;
}

static void tell_end(const struct leg *leg)
{
    const struct hop *hop = &leg->hop;
    const struct leat_error error = leg_failure(leg);
    uint64_t held = 0;
    for (size_t i = 0; i < hop->branches; i++)
        held = MAX(held, hop->branch[i].held);
    const struct leat_trace_field field[] = {trace_text("source", hop->in->name),
                                             trace_text("sink", hop->branches ? hop->branch[0].node->name : ""),
                                             trace_number("hop", (uint64_t)(leg - leg->run->leg)),
                                             trace_number("taken", atomic_load(&hop->taken)),
                                             trace_number("delivered", leg_delivered(leg)),
                                             trace_number("held", held),
                                             trace_text("error", error.code ? leat_errno_name(error.code) : "")};
    trace_tell(LEAT_TRACE_HOP, field, COUNT(field), "the hop has moved its bytes%s%s", error.code ? ": " : "",
               error.code ? error.text : "");
}

void leg_let_go(struct leg *leg)
{
    struct hop *hop = &leg->hop;
    hop_stop(hop);
    if (leg->phase == LEG_READBACK)
        hop_stop(&leg->readback);
    cache_end_source(hop);
    residue_drop(hop, &hop->residue);
    for (size_t i = 0; i < hop->branches; i++) {
        residue_drop(hop, &hop->branch[i].residue);
        spill_close(&hop->branch[i].spill);
    }
    if (!is_last(leg) && leg->plan->joint->filter->ops->caps & FILTER_JOINS)
        filter_count(leg->plan->joint->filter, leg->into.delivered);
    if (hop->waker && trace_is_on())
        tell_end(leg);
}

uint64_t leg_delivered(const struct leg *leg)
{
    const struct hop *hop = &leg->hop;
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < hop->branches; i++) {
        const struct branch *branch = &hop->branch[i];
        most = MAX(most, branch->delivered + branch->discarded);
        if (!branch->failed)
            least = MIN(least, branch->delivered + branch->discarded);
    }
    return hop->branches == 0 ? hop->taken : hop_count_live(hop) ? least : most;
}
