/* SPDX-License-Identifier: MIT */
/* Runs a hop down its ladder of routes, and enforces the limit on the idle time of its nodes. */
#include "base/trace.h"
#include "route/hop.h"
#include <errno.h>
#include <stdio.h>

/* ---- idle time ---- */

static bool waits_for(const struct wait_set *wait, const struct port *port)
{
    for (size_t i = 0; i < wait->n; i++)
        if (wait->port[i] == port)
            return true;
    return false;
}

/* The hop waits. Returns true if it waits for this node, and the node's idle time is over. Else it moves the deadline
 * of the wait to the end of the idle time. */
static bool watch(struct node *node, struct wait_set *wait, int64_t now)
{
    if (!node->idle_ns || node->expired || !waits_for(wait, &node->port)) {
        node->waiting_since_ns = 0;
        return false;
    }
    if (!node->waiting_since_ns)
        node->waiting_since_ns = now;
    int64_t deadline = node->waiting_since_ns + node->idle_ns;
    if (now >= deadline) {
        node->expired = true;
        node->port.blocked = false;
        return true;
    }
    wait->deadline_ns = wait->deadline_ns ? MIN(wait->deadline_ns, deadline) : deadline;
    return false;
}

/* True: the idle time of a node is over, so the hop has something to do. */
static bool watch_all(struct hop *hop, struct wait_set *wait)
{
    int64_t now = clock_ns();
    bool any = watch(hop->in, wait, now);
    for (size_t i = 0; i < hop->branches; i++)
        any |= !hop->branch[i].failed && watch(hop->branch[i].node, wait, now);
    return any;
}

/* Is `op` a call on a node whose idle time is over? For nodes that are ready the idle time starts again. */
static bool is_overdue(struct hop *hop, const struct op *op)
{
    bool overdue = hop->in->expired && op->fd[0] == hop->in->fd;
    if (!hop->in->port.blocked)
        hop->in->waiting_since_ns = 0;
    for (size_t i = 0; i < hop->branches; i++) {
        struct node *node = hop->branch[i].node;
        overdue |= node->expired && op->fd[1] == node->fd;
        if (!node->port.blocked)
            node->waiting_since_ns = 0;
    }
    return overdue;
}

/* ---- the ladder ---- */

static const char *sink_name(const struct hop *hop)
{
    return hop->branches ? hop->branch[0].node->name : "";
}

/* The route begins. `reason` is the one of the table for its place in the ladder. */
static void tell_route(const struct hop *hop)
{
    const char *name = hop_route(hop)->name;
    const struct leat_trace_field field[] = {
        trace_text("route", name), trace_text("source", hop->in->name), trace_text("sink", sink_name(hop)),
        trace_number("from", atomic_load(&hop->taken)), trace_text("reason", hop->current == 0 ? hop->why : "")};
    trace_tell(LEAT_TRACE_ROUTE, field, COUNT(field),
               atomic_load(&hop->taken) ? "the route %s goes on" : "the route %s moves the bytes", name);
}

static void tell_step_down(const struct hop *hop, const struct rung *from)
{
    const struct leat_trace_field field[] = {
        trace_text("route", from->route->name), trace_text("source", hop->in->name), trace_text("sink", sink_name(hop)),
        trace_number("at", atomic_load(&hop->taken)), trace_text("reason", from->reason)};
    trace_tell(LEAT_TRACE_ROUTE, field, COUNT(field), "the route %s is given up: %s", from->route->name, from->reason);
}

static int start_route(struct hop *hop)
{
    int r = hop_route(hop)->start(hop);
    bool compares = hop->learn.on && hop->learn.trial.phase != TRIAL_REST;
    if (r == 0 && trace_is_on() && !compares)
        tell_route(hop);
    return r;
}

void hop_stop(struct hop *hop)
{
    const struct route *route = hop_route(hop);
    if (!hop->state)
        return;
    for (size_t i = 0; i < hop->branches; i++)
        hop->branch[i].held = route->held ? route->held(hop, &hop->branch[i]) : 0;
    if (route->stop)
        route->stop(hop);
    else
        free(hop->state);
    hop->state = NULL;
}

static bool has_residue(const struct hop *hop)
{
    bool any = hop->residue.bytes > 0;
    for (size_t i = 0; i < hop->branches; i++)
        any |= hop->branch[i].residue.bytes > 0;
    return any;
}

/* Why the next one down can't take over, or NULL. */
static const char *unfit_now(const struct hop *hop, const struct rung *rung, char reason[REASON_MAX])
{
    if (rung->rejected)
        return rung->reason;
    if (rung->route->id != ROUTE_CHUNK && has_residue(hop))
        return "bytes are left that only chunks can take over";
    return rung->route->unfit(hop, reason);
}

static bool fail_ladder(struct hop *hop, int code, const struct rung *last)
{
    error_at(&hop->error, code, LEAT_SIDE_NONE, "", "route", "No route is left; the last one said: %s", last->reason);
    return false;
}

/* Moves to the first rung that is fit, from `first` on and then from the top: a route that was compared may stand
 * behind the one that goes on. Returns false if there is none. */
static bool find_rung(struct hop *hop, size_t first)
{
    for (size_t i = 0; i < hop->rungs; i++) {
        struct rung *rung = &hop->rung[(first + i) % hop->rungs];
        char reason[REASON_MAX];
        const char *why = unfit_now(hop, rung, reason);
        if (!why) {
            hop->current = (size_t)(rung - hop->rung);
            return true;
        }
        if (!rung->rejected)
            snprintf(rung->reason, REASON_MAX, "%s", why);
        rung->rejected = true;
    }
    return false;
}

/* Moves down to a rung that is fit. If a route was only being compared, the one before it goes on. The residues that
 * the old route leaves are still held, and the next route counts them. `r` is the result of its start. Returns false if
 * the hop fails. If the chunk route fails, the hop fails, even if rungs follow: the chunk route confirms the end of the
 * other routes, which would then return to it. */
static bool step_down(struct hop *hop, int r)
{
    int code = r == -ENOMEM ? r : -EOPNOTSUPP;
    struct rung *from = &hop->rung[hop->current];
    hop_stop(hop);
    from->rejected = true;
    if (trace_is_on())
        tell_step_down(hop, from);
    bool compared = learn_stop(hop);
    if (from->route->id == ROUTE_CHUNK && !compared)
        return fail_ladder(hop, code, from);
    if (hop->strict) {
        error_at(&hop->error, code, LEAT_SIDE_NONE, "", "route", "The route '%s' was forced and does not work here: %s",
                 from->route->name, from->reason);
        return false;
    }
    if (!find_rung(hop, compared ? hop->current : hop->current + 1))
        return fail_ladder(hop, code, from);
    learn_begin(hop);
    return true;
}

/* Only a read shows the end of a file: a splice of a file of procfs returns 0 although it has bytes, and a file that
 * grew has more bytes. */
static bool must_confirm(const struct hop *hop)
{
    return !hop->whole && hop_route(hop)->id != ROUTE_CHUNK && hop->in->kind == NODE_FILE && hop->taken < hop->end &&
           hop->error.code == 0 && (hop->branches == 0 || hop_count_live(hop) > 0) && !hop_is_cut(hop);
}

static void confirm(struct hop *hop)
{
    learn_stop(hop);
    hop_stop(hop);
    for (size_t i = 0; i < hop->rungs; i++)
        if (hop->rung[i].route->id == ROUTE_CHUNK)
            hop->current = i;
}

/* The route has ended. Returns true if the hop has not: another route begins. */
static bool goes_on(struct hop *hop)
{
    if (learn_goes_on(hop)) {
        hop_stop(hop);
        learn_change(hop);
        return true;
    }
    if (!must_confirm(hop))
        return false;
    confirm(hop);
    return true;
}

enum verdict hop_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    for (;;) {
        enum verdict verdict = VERDICT_STEP_DOWN;
        learn_look(hop);
        int r = hop->state ? 0 : start_route(hop);
        if (r == 0)
            verdict = hop_route(hop)->next(hop, ret_op, ret_wait);
        if (verdict == VERDICT_STEP_DOWN) {
            if (!step_down(hop, r))
                return VERDICT_END;
        } else if (hop->watched && verdict == VERDICT_OP && is_overdue(hop, *ret_op))
            hop_done(hop, *ret_op, -ETIMEDOUT);
        else if (!(verdict == VERDICT_END && goes_on(hop)) &&
                 !(verdict == VERDICT_WAIT && hop->watched && watch_all(hop, ret_wait)))
            return verdict;
        ret_wait->n = 0;
        ret_wait->deadline_ns = 0;
    }
}

void hop_done(struct hop *hop, struct op *op, ssize_t result)
{
    hop_route(hop)->done(hop, op, result);
    if (hop->cache != LEAT_CACHE_KEEP)
        cache_behind(hop);
}
