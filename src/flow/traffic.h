/* SPDX-License-Identifier: MIT */
/* Describes how an object in a store will be read or written (the plan), or was (the report). */
#ifndef FLOW_TRAFFIC_H
#define FLOW_TRAFFIC_H

#include "node/node.h"
#include <jansson.h>
#include <stdio.h>

/* Prints a line of the plan. */
void traffic_plan_print(FILE *to, const struct node *node);
/* Prints lines of the report. */
void traffic_print(FILE *to, const struct node_traffic *traffic);

/* Return an entry of the list "stores" of the plan, and of the report. `name` is the node's. NULL: out of memory. */
json_t *traffic_plan_json(const struct node *node);
json_t *traffic_json(const struct node_traffic *traffic, enum leat_direction direction, const char *name);

#endif
