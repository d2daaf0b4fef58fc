/* SPDX-License-Identifier: MIT */
/* Which routes a hop may take, and in which order. */
#ifndef FLOW_PLAN_LADDER_H
#define FLOW_PLAN_LADDER_H

#include "flow/plan.h"

/* Fills the ladder of the hop: the route that the options ask for, else what the route table says, with the reasons.
 * Returns 0, or -EOPNOTSUPP with *error filled: the route that was asked for can't be taken. */
int plan_build_ladder(const struct parts *parts, struct hop *hop, struct leat_error *error);
/* May a run compare routes? Not if one is asked for, even if it is only preferred. */
bool plan_asks_to_learn(const struct parts *parts);

#endif
