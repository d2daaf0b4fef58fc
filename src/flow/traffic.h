/* Tells how an object in a store is, or was, read or written. */
#ifndef FLOW_TRAFFIC_H
#define FLOW_TRAFFIC_H

#include "node/node.h"
#include <jansson.h>
#include <stdio.h>

/* A line of the plan, for people. */
void traffic_plan_print(FILE *to, const struct node *node);
/* Lines of the report, for people. */
void traffic_print(FILE *to, const struct node_traffic *traffic);

/* An entry of the list "stores": of the plan, and of the report. `name` is the node's. NULL: no memory. */
json_t *traffic_plan_json(const struct node *node);
json_t *traffic_json(const struct node_traffic *traffic, enum leat_direction direction, const char *name);

#endif
