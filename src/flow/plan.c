/* The planner: one hop from the source to its branches, with the ladder of routes that the table gives for this pair,
 * and for each route that can't serve it the reason. It only looks, so a plan costs nothing and may be repeated. */
#include "flow/pipeline.h"
#include "flow/table.h"
#include <errno.h>
#include <stdio.h>

static bool same_file(const struct node *a, const struct node *b)
{
    return a->kind == NODE_FILE && b->kind == NODE_FILE && a->inode && a->device == b->device && a->inode == b->inode;
}

/* Of files that are not there yet only the names can be compared. */
static bool same_new_file(const struct node *a, const struct node *b)
{
    return a->kind == NODE_FILE && b->kind == NODE_FILE && !a->inode && !b->inode && strcmp(a->name, b->name) == 0;
}

static int check_parts(leat_pipeline *p, struct leat_error *error)
{
    if (p->bad_options.code) {
        *error = p->bad_options;
        return error->code;
    }
    if (!p->source)
        return error_set(error, -EINVAL, "The pipeline has no source");
    if (p->sinks == 0 && p->filters == 0)
        return error_set(error, -EINVAL, "The pipeline has neither a sink nor a filter");
    for (size_t i = 0; i < p->sinks; i++) {
        const struct node *sink = p->branch[i].node;
        if (same_file(pipeline_source(p), sink))
            return error_at(error, -EINVAL, LEAT_SIDE_SINK, sink->name, "stat",
                            "The source and this sink are the same file");
        for (size_t k = 0; k < i; k++)
            if (same_file(p->branch[k].node, sink) || same_new_file(p->branch[k].node, sink))
                return error_at(error, -EINVAL, LEAT_SIDE_SINK, sink->name, "stat", "It is a sink twice");
    }
    if (pipeline_source(p)->kind == NODE_ZERO && !p->options.has_length)
        return error_at(error, -EINVAL, LEAT_SIDE_SOURCE, pipeline_source(p)->name, "open",
                        "It never ends: give a --length");
    return 0;
}

/* ---- the ladder ---- */

static const struct route *route_by_id(enum route_id id)
{
    for (size_t i = 0; registry_routes[i]; i++)
        if (registry_routes[i]->id == id)
            return registry_routes[i];
    return NULL;
}

static const struct route *route_by_name(const char *name)
{
    for (size_t i = 0; registry_routes[i]; i++)
        if (strcmp(registry_routes[i]->name, name) == 0)
            return registry_routes[i];
    return NULL;
}

static void add_rung(struct hop *hop, const struct route *route)
{
    if (!route)
        return; /* this build has none */
    for (size_t i = 0; i < hop->rungs; i++)
        if (hop->rung[i].route == route)
            return;
    struct rung *rung = &hop->rung[hop->rungs++];
    char reason[REASON_MAX];
    const char *why = route->unfit(hop, reason);
    *rung = (struct rung){.route = route, .rejected = why != NULL};
    if (why)
        snprintf(rung->reason, REASON_MAX, "%s", why);
}

static void add_table_order(struct hop *hop)
{
    const struct table_row *row = table_find(hop);
    hop->why = row->why;
    for (size_t i = 0; i == 0 || row->order[i - 1] != ROUTE_CHUNK; i++)
        add_rung(hop, route_by_id(row->order[i]));
    /* What the table leaves out is slower here; it is named all the same. */
    for (size_t i = 0; registry_routes[i]; i++)
        add_rung(hop, registry_routes[i]);
}

static int build_ladder(leat_pipeline *p, struct leat_error *error)
{
    struct hop *hop = &p->hop;
    const char *name = p->route ? p->route : "auto";
    bool prefers = strncmp(name, "prefer:", 7) == 0;
    const struct route *asked = strcmp(name, "auto") == 0 ? NULL : route_by_name(prefers ? name + 7 : name);
    if (asked)
        add_rung(hop, asked);
    if (asked && !prefers) {
        hop->strict = true;
        hop->why = "it was asked for";
        if (hop->rung[0].rejected)
            return error_set(error, -EOPNOTSUPP, "The route '%s' can't be taken: %s", asked->name, hop->rung[0].reason);
        add_rung(hop, route_by_id(ROUTE_CHUNK)); /* to confirm the end */
        return 0;
    }
    if (hop->cache == LEAT_CACHE_DIRECT) { /* a clone looks at no byte at all */
        add_rung(hop, route_by_id(ROUTE_CLONE));
        add_rung(hop, route_by_id(ROUTE_DIRECT));
    }
    add_table_order(hop);
    if (hop->cache == LEAT_CACHE_DIRECT)
        hop->why = "the page cache is to be passed by";
    if (asked && !hop->rung[0].rejected)
        hop->why = "it was preferred";
    while (hop->rung[hop->current].rejected)
        hop->current++; /* the chunk route never is */
    for (size_t i = 0; i < hop->current; i++)
        if (hop->rung[i].route->id != ROUTE_CLONE) /* the table's reason counts a clone out */
            hop->why = "the fastest of those that can serve";
    return 0;
}

/* ---- memory ---- */

uint64_t plan_minimum(const leat_pipeline *p)
{
    const struct hop *hop = &p->hop;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < hop->rungs; i++)
        if (!hop->strict || i == 0)
            least = MIN(least, hop->rung[i].route->minimum(hop));
    /* Whatever is taken first, chunks may have to take over, or confirm the end. */
    return MAX(least, route_chunk.minimum(hop));
}

/* ---- the whole ---- */

static void describe_hop(leat_pipeline *p)
{
    const struct node *in = pipeline_source(p);
    p->hop = (struct hop){.in = pipeline_source(p),
                          .branch = p->branch,
                          .branches = p->sinks,
                          .filter = p->filter,
                          .filters = p->filters,
                          .budget = &p->budget,
                          .sparse = (enum leat_sparse)p->options.sparse,
                          .stability = (enum leat_stability)p->options.stability,
                          .cache = (enum leat_cache)p->options.cache,
                          .residue = residue_none(),
                          .end = p->options.has_length ? p->options.length : UINT64_MAX};
    p->hop.watched = in->idle_ns != 0;
    for (size_t i = 0; i < p->sinks; i++)
        p->hop.watched |= p->branch[i].node->idle_ns != 0;
    bool positions = in->kind == NODE_FILE || in->kind == NODE_BLOCK;
    p->hop.skip = positions ? 0 : p->options.offset;
    p->hop.shared = p->options.shared_engine != NULL;
    p->hop.begins = p->options.offset;
    p->hop.size_binds = in->kind == NODE_FILE && in->has_size;
}

int plan_make(leat_pipeline *p, struct leat_error *error)
{
    int r = check_parts(p, error);
    if (r < 0)
        return r;
    budget_init(&p->budget, p->options.memory_limit ? p->options.memory_limit : MEMORY_DEFAULT);
    describe_hop(p);
    r = build_ladder(p, error);
    if (r < 0)
        return r;
    if (p->budget.limit < plan_minimum(p))
        return error_set(error, -ENOBUFS, "The memory limit of %llu bytes is below the plan's minimum of %llu",
                         (unsigned long long)p->budget.limit, (unsigned long long)plan_minimum(p));
    return 0;
}
