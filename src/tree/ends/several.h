/* SPDX-License-Identifier: MIT */
/* Several folders as the targets of one copy: each byte of the source is read once and written to all of them. Each
 * target has folders of its own (branch in struct tree_dir), and the sink of a folder makes what is in them. The pair
 * that the walker and the workers know has no descriptor of a target then. A target that can't have a folder has
 * nothing below it either; the others go on. */
#ifndef TREE_SEVERAL_H
#define TREE_SEVERAL_H

#include "tree/ends.h"

/* Refuses options that do not go with several targets. Returns 0, or -EINVAL with a sentence. */
int several_check(struct tree_copy *tree, struct leat_error *error);

/* If there are more targets: refuses ends that do not fit, and targets of which one is in another one or in the source;
 * then puts a sink in the place of tree->sink that copies to all. `from` and `to` are paths. Returns 0, or a code with
 * a sentence; nothing is made. */
int several_replace_sink(struct tree_copy *tree, const char *from, const char *to, struct leat_error *error);

/* Copies `first`, a name of a target, to a further name there that can't be a hard link. Returns 0, or a code after it
 * has recorded the problem; that it is no hard link is recorded, too. */
int several_copy_link(const struct tree_making *making);

#endif
