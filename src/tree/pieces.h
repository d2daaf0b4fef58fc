/* SPDX-License-Identifier: MIT */
/* Large files, of which several workers copy pieces, so that one large file at the end of a tree does not leave the
 * others idle. The worker that meets the file owns the copy and takes one piece after the other. When the walker has
 * found all names, it gives out each such file once more, to workers that have nothing else to do.
 *
 * Each piece is read and written at its own place, so pieces may be copied in any order. A file whose size changes
 * meanwhile is not copied, as by a pipeline. */
#ifndef TREE_PIECES_H
#define TREE_PIECES_H

#include "tree/ends.h"
#include <pthread.h>

struct tree_batch;
struct tree_large;
struct tree_worker;

struct tree_pieces {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tree_large *first; /* files that are being copied */
    unsigned batches;         /* that workers have, or will have */
};

/* What a copy in pieces gives. */
struct tree_moved {
    uint64_t bytes;        /* length of the file; on -ESTALE: what it is now, which is not what it was */
    enum leat_side side;   /* on failure */
    const char *operation; /* on failure; static */
};

void pieces_init(struct tree_pieces *pieces);
void pieces_clear(struct tree_pieces *pieces);

/* May this file be copied so? */
bool pieces_fit(const struct tree_copy *tree, const struct tree_input *input, const struct tree_output *output);
/* Copies a file in a folder that is held. Returns when no worker uses its descriptors. Returns 0 or a negative errno;
 * it records no problem. */
int pieces_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir,
                const struct tree_input *input, const struct tree_output *output, struct tree_moved *ret);

/* The walker has found all names. Waits until a file may be helped with, and gives a batch for that; or until no worker
 * has a batch: LEAT_STAGES_END. Returns -ENOMEM, too. */
int pieces_next(struct tree_copy *tree, struct tree_batch **ret);
/* What a worker does with such a batch. */
void pieces_help(struct tree_copy *tree, struct tree_worker *worker, struct tree_large *large);
/* The batch no longer refers to the file. NULL is allowed. */
void pieces_unref(struct tree_copy *tree, struct tree_large *large);

/* Count the batches. */
void pieces_add_batch(struct tree_copy *tree);
void pieces_end_batch(struct tree_copy *tree);

#endif
