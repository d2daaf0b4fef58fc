/* SPDX-License-Identifier: MIT */
/* Regular files: the contents, and their appearance as a whole. */
#ifndef TREE_FILE_H
#define TREE_FILE_H

#include <sys/stat.h>

struct tree_copy;
struct tree_dir;
struct tree_worker;

enum {
    FILE_SMALL = 128 * 1024, /* bytes that are read and written at once; more go through a pipeline */
};

/* Opens a file of the source, and nothing that has become something else. Returns the descriptor, or a code after it
 * has recorded the problem. */
int file_open(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct stat *ret);
/* Copies it. Returns 0, or a code after it has recorded the problem; then the target has nothing of it. */
int file_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name, int in,
              const struct stat *st);

#endif
