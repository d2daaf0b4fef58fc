/* SPDX-License-Identifier: MIT */
/* The planner. It cuts the filters into legs. For each hop it takes the ladder of routes that the table has for this
 * pair of nodes, and records why a route cannot serve the hop. It opens nothing and changes nothing outside the
 * pipeline, so a plan may be made again. */
#include "flow/plan_ladder.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Would two users of it disturb each other: a reader and a writer, or two writers? Terminals and devices are left out,
 * because they may be both source and sink, and a socket, because it has two directions. */
static bool keeps_bytes(const struct node *node)
{
    return node->kind == NODE_FILE || node->kind == NODE_BLOCK;
}

static bool is_same(const struct node *a, const struct node *b)
{
    return keeps_bytes(a) && a->kind == b->kind && identity_is_same(&a->identity, &b->identity);
}

/* A pipe that one pipeline reads and writes never ends. */
static bool is_loop(const struct node *in, const struct node *out)
{
    return is_same(in, out) || (in->kind == NODE_PIPE && identity_is_same(&in->identity, &out->identity));
}

static const char *noun(const struct node *node)
{
    return node->kind == NODE_FILE ? "file" : node_kind_name(node->kind);
}

static int PRINTF(4, 5)
    refuse_sink(struct leat_error *error, const struct node *sink, size_t index, const char *format, ...)
{
    char text[sizeof(error->text)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    error_at(error, -EINVAL, LEAT_SIDE_SINK, sink->name, "stat", "%s", text);
    error->index = (uint32_t)index;
    return -EINVAL;
}

/* Compares what the source and the sinks are, however their names are spelt. */
static int check_identities(const struct parts *parts, struct leat_error *error)
{
    const struct node *in = parts_source(parts);
    for (size_t i = 0; i < parts->sinks; i++) {
        const struct node *sink = &parts->sink[i]->node;
        if (is_loop(in, sink))
            return refuse_sink(error, sink, i, "The source and this sink are the same %s", noun(in));
        if (keeps_bytes(in) && identity_is_same(&in->identity, &sink->inherited))
            return refuse_sink(error, sink, i, "Its standard output and the source are the same %s", noun(in));
        for (size_t k = 0; k < parts->sinks; k++) {
            const struct node *other = &parts->sink[k]->node;
            if (k < i && is_same(other, sink))
                return refuse_sink(error, sink, i, "It is a sink twice; the other one is '%s'", other->name);
            if (k != i && keeps_bytes(other) && identity_is_same(&other->identity, &sink->inherited))
                return refuse_sink(error, sink, i, "Its standard output and the sink '%s' are the same %s", other->name,
                                   noun(other));
        }
    }
    return 0;
}

/* Can a filter or the length end a source that never ends? The filter of the option `rate`, which is the first, does
 * not end it. */
static bool ends_somewhere(const struct parts *parts)
{
    for (size_t i = parts->options.rate ? parts->in_front : 0; i < parts->filters; i++)
        if (filter_may_end(parts->filter[i]))
            return true;
    return parts->options.has_length;
}

/* Checks the offset if the size is known before the source is opened. The start of a descriptor in its file is not
 * known yet. */
static int check_offset(const struct parts *parts, struct leat_error *error)
{
    const struct node *in = parts_source(parts);
    if (in->kind != NODE_FILE || !in->has_size || parts->options.offset <= in->size)
        return 0;
    return error_at(error, -EINVAL, LEAT_SIDE_SOURCE, in->name, "stat",
                    "It has %llu bytes and ends before the offset %llu, where the transfer was to begin",
                    (unsigned long long)in->size, (unsigned long long)parts->options.offset);
}

static int check_parts(const struct parts *parts, struct leat_error *error)
{
    if (parts->bad_options.code) {
        *error = parts->bad_options;
        return error->code;
    }
    if (!parts->source)
        return error_set(error, -EINVAL, "The pipeline has no source");
    if (parts->sinks == 0 && parts->filters == 0)
        return error_set(error, -EINVAL, "The pipeline has neither a sink nor a filter");
    int r = check_identities(parts, error);
    if (r == 0)
        r = check_offset(parts, error);
    if (r < 0)
        return r;
    if (parts_source(parts)->kind != NODE_ZERO || ends_somewhere(parts))
        return 0;
    error_advise(error, LEAT_ADVICE_LENGTH);
    return error_at(error, -EINVAL, LEAT_SIDE_SOURCE, parts_source(parts)->name, "open", "It never ends");
}

/* ---- memory ---- */

static uint64_t hop_minimum(const struct hop *hop)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < hop->rungs; i++)
        if (!hop->strict || i == 0)
            least = MIN(least, hop->rung[i].route->minimum(hop));
    /* Whichever route runs first, the chunk route may have to go on after it, or confirm the end. */
    return MAX(least, route_chunk.minimum(hop)) + hop->in->memory.least;
}

/* Sets how much a source may hold ahead: three quarters of the limit, because the routes need the rest. A branch that
 * may drop or spill needs most of the memory itself, and then it is one quarter. */
static void share_memory(const struct parts *parts, struct hop *hop)
{
    struct node_memory *memory = &hop->in->memory;
    uint64_t limit = hop->budget->limit, least = route_chunk.minimum(hop);
    if (!memory->least)
        return;
    bool lags = false;
    for (size_t i = 0; i < hop->branches; i++)
        lags |= hop->branch[i].slow != LEAT_SLOW_WAIT;
    uint64_t most = limit > least ? limit - least : 0;
    memory->share = MIN(most, MAX(memory->least, lags ? limit / 4 : limit / 4 * 3));
    memory->pool = parts->options.pool;
}

/* All legs have equal shares. */
uint64_t plan_minimum(const struct plan *plan)
{
    uint64_t most = 0;
    for (size_t i = 0; i < plan->legs; i++)
        most = MAX(most, hop_minimum(&plan->leg[i].hop));
    return most * plan->legs;
}

bool plan_is_plain(const struct plan *plan)
{
    for (size_t i = 0; i + 1 < plan->legs; i++)
        if (!(plan->leg[i].joint->filter->ops->caps & FILTER_BUFFERS))
            return false;
    return true;
}

uint64_t plan_codecs(const struct plan *plan)
{
    const struct parts *parts = plan->parts;
    uint64_t sum = 0;
    for (size_t i = 0; i < parts->filters; i++)
        if (parts->filter[i]->ops->memory)
            sum += parts->filter[i]->ops->memory(parts->filter[i]);
    return sum;
}

/* ---- legs ---- */

static bool cuts(const leat_filter *filter)
{
    return filter->ops->caps & (FILTER_TRANSFORMS | FILTER_JOINS);
}

void plan_free(struct plan *plan)
{
    free(plan->leg);
    free(plan->joint);
    free(plan->branch);
    *plan = (struct plan){.legs = 0};
}

/* Allocates a plan without a leg's description. */
static int make_room(struct plan *plan, const struct parts *parts)
{
    size_t legs = 1;
    for (size_t i = 0; i < parts->filters; i++)
        legs += cuts(parts->filter[i]);
    plan_free(plan);
    plan->parts = parts;
    plan->memory_limit = parts->options.memory_limit ? parts->options.memory_limit : MEMORY_DEFAULT;
    plan->leg = calloc(legs, sizeof(plan->leg[0]));
    plan->joint = calloc(legs, sizeof(plan->joint[0]));
    plan->branch = calloc(parts->sinks + 1, sizeof(plan->branch[0]));
    if (!plan->leg || !plan->joint || !plan->branch)
        return -ENOMEM;
    plan->legs = legs;
    for (size_t i = 0; i < parts->sinks; i++)
        plan->branch[i] = (struct branch){.node = &parts->sink[i]->node,
                                          .slow = parts->slow[i].policy,
                                          .spill_folder = parts->slow[i].folder,
                                          .spill_size = parts->slow[i].spill,
                                          .residue = residue_none()};
    return 0;
}

/* Describes a leg: it begins at filter `first` and ends before the next filter that cuts. Returns the first filter of
 * the next leg. */
static size_t describe_leg(struct plan *plan, size_t index, size_t first)
{
    const struct parts *parts = plan->parts;
    struct plan_leg *leg = &plan->leg[index];
    bool begins = index == 0, ends = index + 1 == plan->legs;
    size_t behind = first;
    while (behind < parts->filters && !cuts(parts->filter[behind]))
        behind++;
    leg->first = first;
    budget_init(&leg->budget, plan->memory_limit / plan->legs);
    if (!ends) {
        leg->joint = &plan->joint[index];
        joint_make(leg->joint, parts->filter[behind], behind);
        leg->into = (struct branch){.node = leg->joint->into, .residue = residue_none()};
    }
    leg->hop = (struct hop){.in = begins ? parts_source(parts) : leg[-1].joint->out,
                            .branch = ends ? plan->branch : &leg->into,
                            .branches = ends ? parts->sinks : 1,
                            .filter = parts->filter + first,
                            .filters = behind - first,
                            .budget = &leg->budget,
                            .pool = parts->options.pool,
                            .sparse = (enum leat_sparse)parts->options.sparse,
                            .stability = (enum leat_stability)parts->options.stability,
                            .cache = (enum leat_cache)parts->options.cache,
                            .shared = parts->options.shared_engine != NULL,
                            .pipe_size = parts->options.pipe_size,
                            .learn.asked = plan_asks_to_learn(parts),
                            .residue = residue_none(),
                            .end = UINT64_MAX};
    return behind + 1;
}

/* The options `offset` and `length` are those of the source. */
static void describe_source(const struct parts *parts, struct hop *hop)
{
    struct node *in = hop->in;
    bool positions = in->kind == NODE_FILE || in->kind == NODE_BLOCK || in->seeks;
    in->from = in->seeks ? parts->options.offset : 0;
    hop->skip = positions ? 0 : parts->options.offset;
    hop->begins = parts->options.offset;
    hop->end = parts->options.has_length ? parts->options.length : UINT64_MAX;
    hop->size_binds = in->kind == NODE_FILE && in->has_size;
}

static void watch(struct hop *hop)
{
    hop->watched |= hop->in->idle_ns != 0;
    for (size_t i = 0; i < hop->branches; i++)
        hop->watched |= hop->branch[i].node->idle_ns != 0;
}

/* A child between two legs gets the longest idle limit of the endpoints. A child such as sort(1) may give no output
 * while it takes input. So its output is watched only when its input has ended. A buffer is not watched: it waits for
 * endpoints only. */
static void watch_children(struct plan *plan)
{
    int64_t idle_ns = parts_source(plan->parts)->idle_ns;
    for (size_t i = 0; i < plan->parts->sinks; i++)
        idle_ns = MAX(idle_ns, plan->branch[i].node->idle_ns);
    for (size_t i = 0; i + 1 < plan->legs; i++) {
        struct joint *joint = plan->leg[i].joint;
        if (!(joint->filter->ops->caps & FILTER_JOINS) || joint->filter->ops->caps & FILTER_BUFFERS)
            continue;
        joint->into->idle_ns = plan->leg[i + 1].idle_ns = idle_ns;
        joint->out->idle_ns = 0;
        plan->leg[i + 1].hop.watched |= idle_ns != 0;
    }
}

/* ---- the whole ---- */

/* The filters of the first leg see the bytes of the source. */
static int digest_of_source(const void *user, const char *algorithm, char *hex, size_t capacity)
{
    const struct plan *plan = user;
    const struct hop *hop = &plan->leg[0].hop;
    int r = -ENOENT;
    for (size_t i = 0; i < hop->filters && r == -ENOENT; i++)
        if (hop->filter[i]->ops->result)
            r = leat_filter_digest_hex(hop->filter[i], algorithm, hex, capacity);
    return r;
}

static void share_digests(const struct plan *plan)
{
    struct node *source = parts_source(plan->parts);
    source->digest = digest_of_source;
    source->digest_user = plan;
}

static void share_keep(const struct parts *parts)
{
    struct keep *keep = parts->options.shared_engine ? engine_keep(parts->options.shared_engine) : NULL;
    parts_source(parts)->keep = keep;
    for (size_t i = 0; i < parts->sinks; i++)
        parts->sink[i]->node.keep = keep;
}

int plan_make(struct plan *plan, const struct parts *parts, struct leat_error *error)
{
    int r = make_room(plan, parts);
    if (r < 0)
        return error_set(error, r, "out of memory");
    for (size_t i = 0, first = 0; i < plan->legs; i++)
        first = describe_leg(plan, i, first);
    r = check_parts(parts, error);
    if (r < 0)
        return r;
    describe_source(parts, &plan->leg[0].hop);
    watch_children(plan);
    for (size_t i = 0; i < plan->legs && r == 0; i++) {
        watch(&plan->leg[i].hop);
        r = plan_build_ladder(parts, &plan->leg[i].hop, error);
    }
    if (r < 0)
        return r;
    share_memory(parts, &plan->leg[0].hop);
    share_keep(parts);
    share_digests(plan);
    if (plan->memory_limit < plan_minimum(plan))
        return error_set(error, -ENOBUFS, "The memory limit of %llu bytes is below the plan's minimum of %llu",
                         (unsigned long long)plan->memory_limit, (unsigned long long)plan_minimum(plan));
    return 0;
}
