/* SPDX-License-Identifier: MIT */
#include "tree/target/change.h"
#include "tree/tree.h"

void change_tell(struct tree_copy *tree, const struct tree_dir *dir, const char *name, enum leat_tree_change change)
{
    if (!tree->options.changed)
        return;
    char *path CLEANUP_FREE = dir_path(dir, name);
    if (!path) {
        tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "copy", NULL);
        return;
    }
    pthread_mutex_lock(&tree->lock);
    tree->options.changed(tree->options.user, change, path[0] ? path : ".");
    pthread_mutex_unlock(&tree->lock);
}
