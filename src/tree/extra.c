/* SPDX-License-Identifier: MIT */
#include "tree/extra.h"
#include "base/fd.h"
#include "tree/remove.h"
#include "tree/tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

struct tree_extra {
    atomic_bool is_spared;
};

int extra_check(const struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    if (!tree->options.delete_extra)
        return 0;
    if (tree->options.claims || tree->options.shards > 1)
        return error_set(error, -EINVAL, "Processes that share a tree delete nothing: leave that to a copy by one");
    if (tree->options.names)
        return error_set(error, -EINVAL, "With a list of names nothing is deleted");
    if (!tree->sink->dir_open)
        return error_at(error, -EOPNOTSUPP, LEAT_SIDE_SINK, target, "open", "Names are deleted in a folder alone");
    if (!tree->source->dir_open)
        return error_at(error, -EOPNOTSUPP, LEAT_SIDE_SOURCE, source, "open",
                        "It is no folder, so no name can be known to be missing in it");
    return 0;
}

int extra_begin(struct tree_copy *tree, struct tree_dir *dir)
{
    if (!tree->options.delete_extra || !dir->existed)
        return 0;
    dir->extra = calloc(1, sizeof(*dir->extra));
    return dir->extra ? 0 : tree_problem(tree, dir, NULL, LEAT_SIDE_NONE, -ENOMEM, "open", NULL);
}

void extra_spare(const struct tree_dir *dir)
{
    if (dir->extra)
        atomic_store(&dir->extra->is_spared, true);
}

/* ---- the names: found first, and deleted when the folder is read, so that reading it is not disturbed ---- */

struct tree_extra_name {
    struct tree_extra_name *next;
    char name[];
};

static int add(struct tree_extra_name **list, const char *name)
{
    struct tree_extra_name *extra = malloc(sizeof(*extra) + strlen(name) + 1);
    if (!extra)
        return -ENOMEM;
    strcpy(extra->name, name);
    extra->next = *list;
    *list = extra;
    return 0;
}

/* Adds the name, if the source does not have it. Returns 0, or a code after it has recorded the problem. */
static int look(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct tree_extra_name **list)
{
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (errno != ENOENT)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -errno, "stat", NULL);
    return add(list, name) < 0 ? tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "delete", NULL) : 0;
}

static int find(struct tree_copy *tree, struct tree_dir *dir, struct tree_extra_name **list)
{
    const struct dirent *entry;
    int fd = openat(dir->fd[TARGET], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int code = fd < 0 ? fd : -errno;
        fd_close(fd);
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, code, "open", NULL);
    }
    int r = 0;
    while (r == 0 && (errno = 0, entry = readdir(stream)))
        r = look(tree, dir, entry->d_name, list);
    if (r == 0 && errno)
        r = tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, -errno, "readdir", NULL);
    closedir(stream);
    return r;
}

void extra_delete(struct tree_copy *tree, struct tree_dir *dir)
{
    struct tree_extra_name *list = NULL;
    if (!dir->extra || dir->fd[TARGET] < 0 || !select_reads(tree, dir) || atomic_load(&dir->extra->is_spared))
        return;
    int r = find(tree, dir, &list);
    for (struct tree_extra_name *next; list; list = next) {
        next = list->next;
        if (r == 0 && !tree_is_canceled(tree))
            remove_name(tree, dir, list->name);
        free(list);
    }
}
