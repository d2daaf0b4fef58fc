/* SPDX-License-Identifier: MIT */
/* Which names of the source are copied: rules with patterns, and the depth. */
#ifndef TREE_SELECT_H
#define TREE_SELECT_H

#include "tree/select/pattern.h"
#include <leat/base.h>

struct tree_copy;
struct tree_dir;

struct tree_rule {
    struct pattern pattern;
    bool is_taken; /* what matches is copied */
};

struct tree_select {
    struct tree_rule *rules;
    size_t count;
    bool needs_path; /* a rule is compared with more than the last part of a path */
};

/* Reads the rules of the options. Returns 0, -ENOMEM or, after *error says why, -EINVAL. */
int select_init(struct tree_copy *tree, struct leat_error *error);
void select_clear(struct tree_copy *tree);

/* The ends are known, and not open: refuses options that they do not have, and puts others in their place, for a dry
 * run or a list of names. Returns 0, or a code with *error filled in. */
int select_ends(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error);

/* Do the rules take this name of a folder? It does not matter whether the source or the target has it. Returns 1, 0, or
 * -ENOMEM. */
int select_takes(struct tree_copy *tree, const struct tree_dir *dir, const char *name, bool is_folder);
/* The same for a name that the walker has found: a name that is left out is counted. */
int select_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, bool is_folder);
/* The same for a path from the root, as a source that is flat gives it: the folders above it and the depth count as
 * well. */
int select_path(struct tree_copy *tree, const char *path, bool is_folder);
/* Is what is in the folder copied? */
bool select_reads(const struct tree_copy *tree, const struct tree_dir *dir);

#endif
