/* SPDX-License-Identifier: MIT */
#include "route/learn.h"
#include "base/trace.h"
#include "route/hop.h"

static bool can_be_left(const struct rung *rung)
{
    return !rung->rejected && rung->route->compared;
}

/* A server that copies by itself is not to be compared with bytes that cross the network. */
static bool may_learn(const struct hop *hop)
{
    bool on_server = hop->in->kind == NODE_FILE && hop->in->network;
    return hop->learn.asked && !hop->strict && !hop->shared && !on_server && hop->branches > 0 &&
           hop->cache == LEAT_CACHE_KEEP && hop->skip == 0 && !hop_is_paced(hop);
}

size_t learn_candidates(const struct hop *hop, size_t ret_rung[TRIAL_ROUTES])
{
    size_t n = 0;
    bool fit = may_learn(hop) && can_be_left(&hop->rung[hop->current]);
    for (size_t i = 0; i < hop->rungs && n < TRIAL_ROUTES && fit; i++)
        if (can_be_left(&hop->rung[i]))
            ret_rung[n++] = i;
    return n;
}

static int64_t thread_ns(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (int64_t)t.tv_sec * 1000000000 + t.tv_nsec : 0;
}

static void begin_window(struct hop *hop, int64_t now)
{
    hop->learn.window = (struct trial_sample){.bytes = hop->taken, .ns = now, .cpu_ns = thread_ns()};
}

void learn_begin(struct hop *hop)
{
    struct learn *l = &hop->learn;
    size_t n = learn_candidates(hop, l->rung), home = 0;
    l->on = n >= 2;
    if (!l->on)
        return;
    while (l->rung[home] != hop->current)
        home++;
    int64_t now = clock_ns();
    trial_begin(&l->trial, n, home, now);
    begin_window(hop, now);
}

static void stay(struct hop *hop)
{
    if (hop->learn.leaves)
        hop->end = hop->learn.end;
    hop->learn.leaves = false;
}

bool learn_stop(struct hop *hop)
{
    struct learn *l = &hop->learn;
    bool compared = l->on && !hop->state && hop->current != l->rung[l->trial.home];
    stay(hop);
    l->on = false;
    if (compared)
        hop->current = l->rung[l->trial.home];
    return compared;
}

static void leave(struct hop *hop)
{
    hop->learn.leaves = true;
    hop->learn.end = hop->end;
    hop->end = hop->taken;
}

static void tell_change(const struct hop *hop)
{
    const char *name = hop->rung[hop->learn.rung[hop->learn.trial.home]].route->name;
    const struct leat_trace_field field[] = {trace_text("route", name), trace_text("source", hop->in->name),
                                             trace_number("from", hop->taken)};
    trace_tell(LEAT_TRACE_ROUTE, field, COUNT(field), "the route %s is better here", name);
}

static void end_window(struct hop *hop, int64_t now)
{
    struct learn *l = &hop->learn;
    struct trial_sample did = {.bytes = hop->taken - l->window.bytes, .ns = now - l->window.ns};
    did.cpu_ns = l->window.cpu_ns ? thread_ns() - l->window.cpu_ns : 0;
    uint32_t changes = l->trial.changes;
    trial_step(&l->trial, &did, now);
    if (l->trial.changes == changes)
        return;
    l->since = hop->taken;
    if (trace_is_on())
        tell_change(hop);
}

static bool has_route_of_window(const struct hop *hop)
{
    return hop->learn.rung[hop->learn.trial.running] == hop->current;
}

/* The window of a pair ends when its route has delivered all that it has taken. Between pairs the route goes on, unless
 * the next window is another route's. */
void learn_look(struct hop *hop)
{
    struct learn *l = &hop->learn;
    if (!l->on || l->leaves || !hop->state)
        return;
    int64_t now = clock_ns();
    if (now - l->window.ns < trial_tuning.window_ns)
        return;
    l->stepped = l->trial.phase == TRIAL_REST;
    if (l->stepped)
        end_window(hop, now);
    if (l->stepped && has_route_of_window(hop))
        begin_window(hop, now);
    else
        leave(hop);
}

bool learn_goes_on(struct hop *hop)
{
    struct learn *l = &hop->learn;
    bool ended = hop->source_ended || hop->whole || hop->error.code || hop_count_live(hop) == 0;
    if (!l->leaves)
        return false;
    stay(hop);
    if (ended)
        return false;
    if (!l->stepped)
        end_window(hop, clock_ns());
    return true;
}

void learn_change(struct hop *hop)
{
    hop->current = hop->learn.rung[hop->learn.trial.running];
    begin_window(hop, clock_ns());
}
