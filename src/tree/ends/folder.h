/* SPDX-License-Identifier: MIT */
/* What a folder has in common as a source and as a sink. */
#ifndef TREE_FOLDER_H
#define TREE_FOLDER_H

#include "base/error.h"
#include <sys/stat.h>

struct tree_dir;

/* Opens a folder by its path, with links followed. Returns the descriptor, or a negative errno with *error filled in.
 */
int tree_folder_open(const char *path, enum leat_side side, struct stat *ret, struct leat_error *error);
/* Opens the folder at a path as the root of a target, and makes it if it is missing. root->st is that of the source.
 * Returns 0, or a negative errno with *error filled in. */
int tree_folder_make_root(struct tree_dir *root, const char *path, struct leat_error *error);
/* Opens a folder by its name in the folder above, whose descriptor of that side is open; never through a link. Returns
 * the descriptor, which is above those of standard input and output, or a negative errno. */
int tree_folder_open_below(const struct tree_dir *dir, int side, struct stat *ret);

/* Returns the path of a folder that does not depend on the working folder and on links, from malloc; of one that does
 * not exist, if the folder around it does. NULL: no memory. */
char *tree_folder_path(const char *path);

#endif
