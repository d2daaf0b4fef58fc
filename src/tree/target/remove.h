/* SPDX-License-Identifier: MIT */
/* Deletes a folder of the target with all that is in it, and follows no links. */
#ifndef TREE_REMOVE_H
#define TREE_REMOVE_H

struct tree_copy;
struct tree_dir;

/* Deletes a name in the folder of the target, which is held. What a rule excludes stays, as does the journal of the
 * copy, and so do the folders above it. Another file system that is mounted below stays, which is a problem. A dry run
 * tells what would be deleted. */
void remove_name(struct tree_copy *tree, struct tree_dir *dir, const char *name);

#endif
