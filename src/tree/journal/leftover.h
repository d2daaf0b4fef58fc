/* SPDX-License-Identifier: MIT */
/* What a copy that was killed left in a folder of the target: hidden names beside files that it was replacing, and the
 * mode of a folder that was done. */
#ifndef TREE_LEFTOVER_H
#define TREE_LEFTOVER_H

struct tree_copy;
struct tree_dir;

/* Prepares a folder of the target, which is open, for a copy that goes on: removes hidden names of the copy before, and
 * lets the owner write, until the folder gets its attributes again. Does nothing in other copies, or if the folder is
 * new. What can't be done shows itself later. */
void leftover_clear(const struct tree_copy *tree, const struct tree_dir *dir);

#endif
