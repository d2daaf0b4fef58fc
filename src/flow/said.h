/* What the nodes of a run have to say besides errors, for the report: the last lines that a child wrote to its standard
 * error. */
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

/* A copy of what this node (NULL: none) said, if it said something. Without memory it is left out. */
void said_take(struct said *said, const struct node *node);
void said_free(struct said *said);

/* A list of node and text. */
json_t *said_json(const struct said *said);
/* For people, indented. */
void said_print(FILE *to, const struct said *said);

#endif
