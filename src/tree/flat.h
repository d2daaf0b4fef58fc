/* SPDX-License-Identifier: MIT */
/* The walker of a source that is flat: see ends.h. */
#ifndef TREE_FLAT_H
#define TREE_FLAT_H

struct tree_batch;
struct tree_copy;

/* Begins. Returns 0 or -ENOMEM. */
int flat_begin(struct tree_copy *tree);
/* Gives the next batch, as walk_next. */
int flat_next(struct tree_copy *tree, struct tree_batch **ret_batch);
/* Ends the work of all folders. Allowed at any time. */
void flat_end(struct tree_copy *tree);

#endif
