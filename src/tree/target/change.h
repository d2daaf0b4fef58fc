/* SPDX-License-Identifier: MIT */
/* Tells the program what changes in the target. */
#ifndef TREE_CHANGE_H
#define TREE_CHANGE_H

#include <leat/tree.h>

struct tree_copy;
struct tree_dir;

/* Tells that `name` in the folder has changed, or would change in a dry run; NULL: the folder itself. */
void change_tell(struct tree_copy *tree, const struct tree_dir *dir, const char *name, enum leat_tree_change change);

#endif
