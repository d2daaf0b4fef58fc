/* SPDX-License-Identifier: MIT */
/* A folder that is missing stands for an empty one: it has no descriptor, and nothing below it is looked up. */
#include "tree/target/plan.h"
#include "base/fd.h"
#include "tree/ends/folder.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <unistd.h>

/* ---- folders ---- */

/* The folder around a missing target must exist: mkdir(2) would need it. */
static int look_around(const char *path, struct leat_error *error)
{
    char *around = strdup(path);
    char text[128];
    struct stat st;
    if (!around)
        return error_set(error, -ENOMEM, "out of memory");
    size_t n = strlen(around);
    while (n > 1 && around[n - 1] == '/')
        n--;
    while (n > 0 && around[n - 1] != '/')
        n--;
    around[n] = '\0';
    int r = stat(n ? around : ".", &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    free(around);
    return r < 0 ? error_at(error, r, LEAT_SIDE_SINK, path, "mkdir", "%s", error_text(r, text, sizeof(text))) : 0;
}

static int open_root(struct tree_copy *tree, const char *spec UNUSED, const char *path, struct leat_error *error)
{
    struct tree_dir *root = tree->root;
    struct leat_error own = {.size = sizeof(own)};
    struct stat st;
    int fd = tree_folder_open(path, LEAT_SIDE_SINK, &st, &own);
    if (fd == -ENOENT)
        return look_around(path, error);
    if (fd < 0)
        return error_hand_on(error, &own);
    root->existed = root->closes_late = true;
    root->fd[TARGET] = fd;
    identity_of_stat(&root->identity[TARGET], &st);
    return 0;
}

/* The target is no folder of this machine: nothing is looked at. */
static int open_nothing(struct tree_copy *tree UNUSED, const char *spec UNUSED, const char *rest UNUSED,
                        struct leat_error *error UNUSED)
{
    return 0;
}

static int dir_open(struct tree_copy *tree UNUSED, struct tree_dir *dir, bool again, struct stat *ret,
                    const char **ret_operation)
{
    bool is_missing = again ? !dir->existed : dir->parent->fd[TARGET] < 0;
    int fd = is_missing ? -ENOENT : tree_folder_open_below(dir, TARGET, ret);
    *ret_operation = "open";
    if (fd < 0 && fd != -ENOENT)
        return fd == -ELOOP ? -ENOTDIR : fd;
    if (fd < 0 && again && dir->existed)
        return fd;
    if (fd < 0)
        *ret = (struct stat){.st_mode = S_IFDIR};
    else
        dir->fd[TARGET] = fd;
    if (!again)
        dir->existed = dir->closes_late = fd >= 0;
    return 0;
}

static int dir_end(struct tree_copy *tree UNUSED, struct tree_dir *dir UNUSED)
{
    return 0;
}

/* ---- names ---- */

static bool is_folder(const struct tree_dir *dir, const char *name)
{
    struct stat st;
    return dir->existed && dir->fd[TARGET] >= 0 && fstatat(dir->fd[TARGET], name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

static int file_take(struct tree_copy *tree, struct tree_dir *dir, const char *name, struct tree_input *input UNUSED)
{
    if (is_folder(dir, name))
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, -EISDIR, "stat", "A file can't replace a folder");
    return 0;
}

static int make(const struct tree_making *m)
{
    if (is_folder(m->dir, m->name))
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, -EISDIR, "rename", NULL);
    return 0;
}

int plan_check(const struct tree_copy *tree, struct leat_error *error)
{
    const struct leat_tree_options *o = &tree->options;
    if (o->dry_run && (o->claims || o->shards > 1))
        return error_set(error, -EINVAL, "Processes that share a tree have no dry run: leave that to one");
    if (o->dry_run && o->resume)
        return error_set(error, -EINVAL, "A dry run can't tell what a journal proves: leave out resume");
    if (o->dry_run && (o->publish || o->sync))
        return error_set(error, -EINVAL, "A dry run makes nothing that could be published or synced");
    if (o->dry_run && o->digest)
        return error_set(error, -EINVAL, "A dry run reads no files, so it has no digests");
    return 0;
}

void plan_replace_sink(struct tree_copy *tree)
{
    const struct tree_sink *sink = tree->sink;
    bool has_folders = sink->dir_open != NULL;
    tree->planned = (struct tree_sink){
        .scheme = sink->scheme,
        .has_keys = sink->has_keys,
        .open = has_folders ? open_root : open_nothing,
        .dir_open = has_folders ? dir_open : NULL,
        .dir_end = has_folders ? dir_end : NULL,
        .file_take = file_take,
        .symlink = sink->symlink ? make : NULL,
        .special = sink->special ? make : NULL,
        .hard_link = sink->hard_link ? make : NULL,
    };
    tree->sink = &tree->planned;
}
