/* SPDX-License-Identifier: MIT */
/* leat_tree_walk: a pass that only tells the names, with a target that is nothing. */
#include "tree/tree.h"

struct telling {
    int (*found)(void *user, const char *name, int32_t is_file);
    void *user;
};

static int open_nothing(struct tree_copy *tree UNUSED, const char *spec UNUSED, const char *rest UNUSED,
                        struct leat_error *error UNUSED)
{
    return 0;
}

static void close_nothing(struct tree_copy *tree UNUSED)
{
}

static const struct tree_sink sink_nothing = {
    .scheme = "",
    .open = open_nothing,
    .close = close_nothing,
};

/* Returns 0 or a code after it has recorded the problem. */
static int tell(struct tree_copy *tree, const struct tree_dir *dir, const char *name, bool is_file)
{
    const struct telling *telling = tree->given;
    char *path CLEANUP_FREE = dir_path(dir, name);
    if (!path)
        return tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "walk", NULL);
    pthread_mutex_lock(&tree->lock);
    int r = error_of_answer(telling->found(telling->user, path, is_file));
    pthread_mutex_unlock(&tree->lock);
    return r < 0 ? tree_problem(tree, dir, name, LEAT_SIDE_NONE, r, "walk", NULL) : 0;
}

static void tell_batch(struct tree_copy *tree, void *worker UNUSED, struct tree_batch *batch)
{
    const char *name = batch->bytes;
    for (unsigned i = 0; i < batch->count && !tree_is_canceled(tree); i++, name += strlen(name) + 1)
        if (tell(tree, batch->dir, name, batch->is_file[i]) < 0)
            atomic_store(&tree->canceled, true);
}

static const struct tree_pass walking = {
    .name = "walk",
    .sink = &sink_nothing,
    .check = tree_check_only_reads,
    .batch = tell_batch,
    .worker_open = entry_worker_open,
    .worker_close = entry_worker_close,
};

int leat_tree_walk(const char *folder, int (*found)(void *found_user, const char *name, int32_t is_file),
                   void *found_user, const struct leat_tree_options *options, struct leat_tree_result *ret_result,
                   struct leat_error *ret_error)
{
    struct telling telling = {found, found_user};
    return tree_run(&walking, &telling, folder, "", options, ret_result, ret_error);
}
