/* SPDX-License-Identifier: MIT */
/* The option `delete_extra`: names of the target that the source does not have. When all in a folder is done, its
 * folder of the target is read, and what the source lacks is deleted. A folder in which something failed keeps all. */
#ifndef TREE_EXTRA_H
#define TREE_EXTRA_H

#include "base/error.h"

struct tree_copy;
struct tree_dir;
struct tree_extra;

/* Can names be deleted there? Returns 0, or a code with a sentence. The ends are known, and not open. */
int extra_check(const struct tree_copy *tree, const char *source, const char *target, struct leat_error *error);

/* A folder was entered: it may lose names at its end, if nothing fails in it. Returns 0, or
 * -ENOMEM after it has recorded the problem. */
int extra_begin(struct tree_copy *tree, struct tree_dir *dir);
/* Something failed in the folder. */
void extra_spare(const struct tree_dir *dir);
/* All in the folder is done; its descriptors are held. Deletes what the source does not have. */
void extra_delete(struct tree_copy *tree, struct tree_dir *dir);

#endif
