/* SPDX-License-Identifier: MIT */
/* What a copy keeps of a file besides its bytes. */
#ifndef TREE_ATTRIBUTES_H
#define TREE_ATTRIBUTES_H

#include <sys/stat.h>

struct tree_copy;
struct tree_dir;

/* Gives an open file or folder `to` what the options keep of `from`, an open file or folder that `st` describes; -1: it
 * is none. st_mode 0 and an owner of -1 are not known and not kept.
 * Records each problem for `name` in `dir`. Returns 0, or a negative errno: something could not be kept. */
int attributes_of_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int from,
                       const struct stat *st, int to);
/* The same; *ret_inode gets the inode of `to`, or stays as it is if that is unknown. */
int attributes_of_new_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int from,
                           const struct stat *st, int to, ino_t *ret_inode);
/* The same for a folder that is held. */
int attributes_of_dir(struct tree_copy *tree, struct tree_dir *dir);
/* The same for a new name in the folder of the target that can't be opened: a symbolic link, a FIFO, a device.
 * `name_now` is the name that it has for the moment. */
int attributes_of_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const char *name_now,
                       const struct stat *st);

#endif
