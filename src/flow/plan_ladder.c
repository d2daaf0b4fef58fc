/* SPDX-License-Identifier: MIT */
#include "flow/plan_ladder.h"
#include "route/table.h"
#include <errno.h>
#include <stdio.h>

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
        return; /* this build does not have the route */
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
    /* The table leaves out routes that are slower here; the plan names them as well. */
    for (size_t i = 0; registry_routes[i]; i++)
        add_rung(hop, registry_routes[i]);
}

int plan_build_ladder(const struct parts *parts, struct hop *hop, struct leat_error *error)
{
    const char *name = parts->route ? parts->route : "auto";
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
    if (hop->cache == LEAT_CACHE_DIRECT) { /* a clone reads no byte, so it does not use the cache either */
        add_rung(hop, route_by_id(ROUTE_CLONE));
        add_rung(hop, route_by_id(ROUTE_DIRECT));
    }
    add_table_order(hop);
    if (hop->cache == LEAT_CACHE_DIRECT)
        hop->why = "the page cache is to be passed by";
    if (asked && !hop->rung[0].rejected)
        hop->why = "it was preferred";
    while (hop->rung[hop->current].rejected)
        hop->current++; /* the chunk route is never rejected */
    for (size_t i = 0; i < hop->current; i++)
        if (hop->rung[i].route->id != ROUTE_CLONE) /* the table's reason holds without a clone, too */
            hop->why = "the fastest of those that can serve";
    return 0;
}

bool plan_asks_to_learn(const struct parts *parts)
{
    return !parts->options.no_learn && (!parts->route || strcmp(parts->route, "auto") == 0);
}
