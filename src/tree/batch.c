/* SPDX-License-Identifier: MIT */
#include "tree/tree.h"
#include <limits.h>

int batch_new(struct tree_copy *tree, struct tree_dir *dir, struct tree_batch **ret)
{
    enum leat_side side = LEAT_SIDE_NONE;
    struct tree_batch *batch = malloc(sizeof(*batch));
    int r = batch ? dir_hold(tree, dir, &side) : -ENOMEM;
    if (r < 0) {
        free(batch);
        return tree_problem(tree, dir, NULL, side, r, "open", NULL);
    }
    batch->dir = dir;
    batch->count = 0;
    batch->used = 0;
    batch->large = NULL;
    dir_add_work(tree, dir);
    pieces_add_batch(tree);
    *ret = batch;
    return 0;
}

void batch_add(struct tree_batch *batch, const char *name, size_t n, bool is_file, void *mark)
{
    batch->is_file[batch->count] = is_file;
    batch->mark[batch->count] = mark;
    memcpy(batch->bytes + batch->used, name, n + 1);
    batch->used += n + 1;
    batch->count++;
    batch->dir->has_names = true;
}

void batch_count(struct tree_copy *tree, const struct tree_found *found)
{
    atomic_fetch_add(&tree->counts.found, 1);
    if (found->has_bytes)
        atomic_fetch_add(&tree->counts.found_bytes, found->bytes);
    else if (S_ISREG(found->kind) || found->kind == 0)
        atomic_fetch_add(&tree->counts.unsized, 1);
}

bool batch_is_full(const struct tree_copy *tree, const struct tree_batch *batch)
{
    return batch->count == tree->batch_names || batch->used + BATCH_NAME_MAX > BATCH_BYTES;
}

void batch_drop_mark(struct tree_copy *tree, struct tree_batch *batch, unsigned i)
{
    if (batch->mark[i] && tree->source->drop)
        tree->source->drop(tree, batch->mark[i]);
    batch->mark[i] = NULL;
}

void batch_free(struct tree_copy *tree, struct tree_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        batch_drop_mark(tree, batch, i);
    dir_release(tree, batch->dir);
    dir_end_work(tree, batch->dir);
    pieces_unref(tree, batch->large);
    pieces_end_batch(tree);
    free(batch);
}
