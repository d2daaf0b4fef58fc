/* SPDX-License-Identifier: MIT */
/* The walker: reads one folder after the other and makes batches of the names in it. It runs on one thread, the source
 * of the stages, and is never far ahead of the workers, since their queue is short. */
#include "tree/flat.h"
#include "tree/share/shard.h"
#include "tree/tree.h"

enum {
    NAMES_BYTES = 4000
};

/* What the walker is in the middle of. */
struct tree_reading {
    struct tree_dir *dir; /* held; NULL: none */
};

/* Names of folders that are not read yet, all of them in one folder, which has a piece of work for them. A folder may
 * have millions of them, so each is no more than its name. */
struct tree_unread {
    struct tree_dir *dir;
    struct tree_unread *next;
    size_t at, used; /* what was taken, and what is there */
    char bytes[NAMES_BYTES];
};

static struct tree_unread *new_names(struct tree_copy *tree, struct tree_dir *dir)
{
    struct tree_unread *names = malloc(sizeof(*names));
    if (!names)
        return NULL;
    *names = (struct tree_unread){.dir = dir, .next = tree->unread};
    dir_add_work(tree, dir);
    return tree->unread = names;
}

static void drop_names(struct tree_copy *tree)
{
    struct tree_unread *names = tree->unread;
    tree->unread = names->next;
    dir_end_work(tree, names->dir);
    free(names);
}

static int add_pending(struct tree_copy *tree, struct tree_dir *dir, const char *name)
{
    size_t n = strlen(name) + 1;
    struct tree_unread *names = tree->unread;
    if (!names || names->dir != dir || names->used + n > sizeof(names->bytes))
        names = new_names(tree, dir);
    if (!names)
        return -ENOMEM;
    dir->has_names = true;
    memcpy(names->bytes + names->used, name, n);
    names->used += n;
    return 0;
}

/* Takes a folder of those that were found last. NULL: there is none, or the copy has ended for lack of memory. */
static struct tree_dir *take_pending(struct tree_copy *tree)
{
    struct tree_unread *names = tree->unread;
    struct tree_dir *dir = tree->pending;
    tree->pending = NULL;
    if (dir || !names)
        return dir;
    const char *name = names->bytes + names->at;
    dir = dir_new(tree, names->dir, name);
    if (!dir)
        tree_problem(tree, names->dir, name, LEAT_SIDE_NONE, -ENOMEM, "open", NULL);
    names->at += strlen(name) + 1;
    if (names->at == names->used)
        drop_names(tree);
    return dir;
}

static void end(struct tree_copy *tree, struct tree_reading *reading)
{
    if (!reading->dir)
        return;
    tree->source->end(tree);
    dir_release(tree, reading->dir);
    dir_end_work(tree, reading->dir);
    reading->dir = NULL;
}

/* Takes the next folder. Returns 1, or 0: there is none. */
static int begin_next(struct tree_copy *tree, struct tree_reading *reading)
{
    struct tree_dir *dir;
    while (!tree_is_canceled(tree) && (dir = take_pending(tree))) {
        if (dir != tree->root && dir_enter(tree, dir) != 0) {
            dir_end_work(tree, dir);
            continue;
        }
        atomic_fetch_add(&tree->counts.directories, 1);
        reading->dir = dir;
        if (select_reads(tree, dir) && tree->source->begin(tree, dir) == 0)
            return 1;
        reading->dir = NULL;
        dir_release(tree, dir);
        dir_end_work(tree, dir);
    }
    return 0;
}

/* Adds the next name. Returns 1: it was added to the batch, is a folder, is left out, or is left to another shard; 0:
 * the folder has ended; -ENOMEM. */
static int read_name(struct tree_copy *tree, struct tree_reading *reading, struct tree_batch *batch)
{
    struct tree_found found;
    if (tree->source->next(tree, reading->dir, &found) <= 0)
        return 0;
    int taken = select_name(tree, reading->dir, found.name, S_ISDIR(found.kind));
    if (taken <= 0)
        return taken < 0 ? taken : 1;
    if (S_ISDIR(found.kind))
        return add_pending(tree, reading->dir, found.name) < 0 ? -ENOMEM : 1;
    if (!shard_leaves_name(tree, reading->dir, found.name, found.kind)) {
        batch_add(batch, found.name, strlen(found.name), S_ISREG(found.kind), found.mark);
        batch_count(tree, &found);
    }
    return 1;
}

/* Fills a batch from the folder that is being read. */
static int fill(struct tree_copy *tree, struct tree_reading *reading, struct tree_batch *batch)
{
    int r = 1;
    while (r > 0 && !batch_is_full(tree, batch))
        r = read_name(tree, reading, batch);
    return r;
}

int walk_next(void *user, void **ret_batch)
{
    struct tree_copy *tree = user;
    struct tree_reading *reading = tree->reading;
    if (tree->source->is_flat) {
        struct tree_batch *batch = NULL;
        int r = flat_next(tree, &batch);
        *ret_batch = batch;
        return r;
    }
    while (reading->dir || begin_next(tree, reading)) {
        struct tree_batch *batch = NULL;
        int r = batch_new(tree, reading->dir, &batch);
        if (r == 0)
            r = fill(tree, reading, batch);
        if (r <= 0)
            end(tree, reading);
        if (r >= 0 && batch->count > 0) {
            *ret_batch = batch;
            return 0;
        }
        if (batch)
            batch_free(tree, batch);
        if (r < 0)
            return r;
    }
    struct tree_batch *help = NULL;
    atomic_store(&tree->counts.has_found_all, 1);
    int r = pieces_next(tree, &help);
    *ret_batch = help;
    return r;
}

int walk_begin(struct tree_copy *tree)
{
    if (tree->source->is_flat)
        return flat_begin(tree);
    tree->reading = calloc(1, sizeof(*tree->reading));
    return tree->reading ? 0 : -ENOMEM;
}

void walk_end(struct tree_copy *tree)
{
    if (tree->reading)
        end(tree, tree->reading);
    free(tree->reading);
    flat_end(tree);
    if (tree->pending)
        dir_end_work(tree, tree->pending);
    while (tree->unread)
        drop_names(tree);
}
