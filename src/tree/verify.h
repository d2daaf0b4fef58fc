/* SPDX-License-Identifier: MIT */
/* What the parts of a comparison share. */
#ifndef TREE_VERIFY_H
#define TREE_VERIFY_H

#include "tree/pairs.h"
#include "tree/tree.h"

enum {
    VERIFY_BYTES = 128 * 1024, /* that are read and compared at once */
};

/* The state of the sink of a comparison. */
struct tree_comparison {
    struct pairs pairs;
    struct leat_error first; /* the first difference; under the lock of the tree */
};

/* A worker's buffers, one a side. */
struct verify_worker {
    char *buffer[SIDES];
};

/* A name that both trees have. */
struct verify_name {
    struct tree_copy *tree;
    const struct tree_dir *dir;
    const char *name; /* NULL: the folder itself */
    struct stat st[SIDES];
};

/* Records a difference. The format is that of printf. */
void verify_difference(struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                       enum leat_tree_difference_kind kind, uint64_t offset, const char *format, ...) PRINTF(6, 7);

/* Compares the bytes of two regular files. */
void verify_contents(const struct verify_name *n, struct verify_worker *worker);

/* Compares owner, mode, time and attributes. */
void verify_attributes(const struct verify_name *n);

#endif
