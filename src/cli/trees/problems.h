/* SPDX-License-Identifier: MIT */
/* The problems of a copy of trees: the first ones are named, all are counted by kind. */
#ifndef CLI_TREES_PROBLEMS_H
#define CLI_TREES_PROBLEMS_H

#include "cli.h"
#include <leat/tree.h>

enum {
    PROBLEMS_SHOWN = 20,
    PROBLEM_KINDS = 32, /* errors that are counted apart */
};

struct tree_problems {
    struct leat_error first[PROBLEMS_SHOWN];
    uint64_t count;
    struct {
        int32_t code; /* a negative errno; 0: all others */
        uint64_t count;
    } kind[PROBLEM_KINDS];
    size_t kinds;
};

/* Counts a problem, and says it, unless it is one of many. */
void problems_add(struct tree_problems *problems, const struct leat_error *error);

/* Says at the end how many there were, and how many of each kind, one line each. `lost` counts by enum leat_tree_lost.
 * `is_verbose`: also if none of it was a problem. */
void problems_sum_up(const struct tree_problems *problems, const uint64_t lost[LEAT_TREE_LOST_KINDS], bool is_verbose);

/* Returns a name of what is lost, such as "owner"; NULL: no such kind. */
const char *problems_lost(size_t kind);

#endif
