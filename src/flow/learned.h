/* SPDX-License-Identifier: MIT */
/* What a hop has learned about its routes, for the report. */
#ifndef FLOW_LEARNED_H
#define FLOW_LEARNED_H

#include "base/json.h"
#include "route/hop.h"
#include <stdio.h>

/* Were routes compared? `learn` is that of the hop, and `rung` its ladder. */
bool learned_something(const struct learn *learn);
json_t *learned_json(const struct learn *learn, const struct rung *rung);
void learned_print(FILE *to, const struct learn *learn, const struct rung *rung);

#endif
