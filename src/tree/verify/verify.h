/* SPDX-License-Identifier: MIT */
/* What the parts of a comparison share. */
#ifndef TREE_VERIFY_H
#define TREE_VERIFY_H

#include "tree/tree.h"
#include "tree/verify/pairs.h"

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

/* Hooks of a sink that is only looked at, see ends.h. */
int verify_open_target(struct tree_copy *tree, const char *spec, const char *path, struct leat_error *error);
int verify_open_folder(struct tree_copy *tree, struct tree_dir *dir, bool again, struct stat *ret,
                       const char **ret_operation);
/* A difference is the result if there is no problem. */
int verify_finish_target(struct tree_copy *tree, struct leat_error *error);
void verify_close_target(struct tree_copy *tree);

/* As those of struct leat_stage: the state is a struct verify_worker. */
int verify_worker_open(void *user, void **ret_worker);
void verify_worker_close(void *user, void *worker);

#endif
