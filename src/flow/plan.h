/* SPDX-License-Identifier: MIT */
/* The plan of a pipeline: a chain of *legs*. Each leg is one hop, with the filters that only observe or pace. Between
 * two legs is a joint, which is a filter that transforms or joins. Most pipelines have one leg.
 *
 * plan_make writes the plan, and nothing else does: once it is made it is constant. Each run copies the hops and the
 * branches, and changes its copies. The nodes and joints that a plan points to do change as bytes move. */
#ifndef FLOW_PLAN_H
#define FLOW_PLAN_H

#include "flow/joint.h"
#include "flow/parts.h"

#define MEMORY_DEFAULT (16u * 1024 * 1024)

struct plan_leg {
    struct hop hop;       /* as it begins; its ladder holds the reasons */
    size_t first;         /* the place of its first filter, among all filters of the pipeline */
    struct budget budget; /* its share of the pipeline's memory limit; nothing is taken from it */
    struct joint *joint;  /* the joint behind it; NULL: it is the last leg */
    struct branch into;   /* the branch of a leg that ends at a joint */
    int64_t idle_ns;      /* of the child that it reads from, from the end of the leg before on; 0: no limit */
};

struct plan {
    const struct parts *parts;
    uint64_t memory_limit;
    struct plan_leg *leg;
    size_t legs;           /* 0: no plan has been made yet */
    struct joint *joint;   /* legs - 1 */
    struct branch *branch; /* of the last leg: one for each sink */
};

static inline const struct plan_leg *plan_last_leg(const struct plan *plan)
{
    return &plan->leg[plan->legs - 1];
}

/* Makes the legs of these parts and checks everything. It changes nothing outside the plan but what nodes say that the
 * planner sets, and may be called again. Returns 0 or a negative errno with *error filled. */
int plan_make(struct plan *plan, const struct parts *parts, struct leat_error *error);
void plan_free(struct plan *plan);
/* Returns the least memory in bytes with which each ladder has a route that works. */
uint64_t plan_minimum(const struct plan *plan);
/* Are buffers the only filters that cut the pipeline, so that the sinks get the source's bytes? */
bool plan_is_plain(const struct plan *plan);
/* Returns the bytes that filters need for themselves, in addition to that. */
uint64_t plan_codecs(const struct plan *plan);

#endif
