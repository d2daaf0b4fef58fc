/* SPDX-License-Identifier: MIT */
/* A dry run: a sink that takes all and changes nothing. */
#ifndef TREE_PLAN_H
#define TREE_PLAN_H

#include "tree/ends.h"

struct tree_copy;

/* Refuses options that a dry run does not have. Returns 0, or -EINVAL with a sentence. */
int plan_check(const struct tree_copy *tree, struct leat_error *error);

/* Puts a sink in the place of tree->sink that looks at the target as that one does, and changes nothing. */
void plan_replace_sink(struct tree_copy *tree);

#endif
