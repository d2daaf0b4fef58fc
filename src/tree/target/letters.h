/* SPDX-License-Identifier: MIT */
/* Folders of the target in which upper and lower case are the same. There two names of the source may be one name, and
 * the copy of the second one would replace that of the first. */
#ifndef TREE_LETTERS_H
#define TREE_LETTERS_H

#include <stdbool.h>

struct tree_dir;

/* The target has something of this name in the folder, which is held: is that in truth another name of the source, in
 * other letters? Costs one call for each folder where letters differ; otherwise the folder is read once. False if
 * that is unknown, and if the source is no folder. */
bool letters_clash(struct tree_dir *dir, const char *name);
void letters_free(struct tree_dir *dir);

#endif
