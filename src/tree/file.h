/* SPDX-License-Identifier: MIT */
/* Regular files: the contents, and their appearance as a whole. */
#ifndef TREE_FILE_H
#define TREE_FILE_H

struct tree_copy;
struct tree_dir;
struct tree_input;
struct tree_worker;

enum {
    FILE_SMALL = 128 * 1024, /* bytes that are read and written at once; more go through a pipeline */
};

/* Copies an open file, and tells its digest. Returns 0, or a code after it has recorded the problem; then the target
 * has nothing of it. */
int file_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
              struct tree_input *input);

#endif
