/* SPDX-License-Identifier: MIT */
/* What the nodes of a run tell the report besides errors: the last lines that a child wrote to its standard error. */
#ifndef FLOW_SAID_H
#define FLOW_SAID_H

#include "base/json.h"
#include "node/node.h"
#include <stdio.h>

struct said {
    size_t n;
    struct said_entry {
        char *node;
        char *text;
    } * entry;
};

/* Adds a copy of node->said. Does nothing if there is no text, `node` is NULL, or memory is short. */
void said_take(struct said *said, const struct node *node);
void said_free(struct said *said);

/* Returns a list of objects with "node" and "text". */
json_t *said_json(const struct said *said);
/* Prints the texts as indented lines. */
void said_print(FILE *to, const struct said *said);

#endif
