/* SPDX-License-Identifier: MIT */
#include "tree/target/extra.h"
#include "base/fd.h"
#include "tree/target/remove.h"
#include "tree/tree.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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
    struct identity identity; /* see keep_others */
    char name[];
};

/* Opens the folder of one side for reading. NULL: it has recorded the problem. */
static DIR *open_side(struct tree_copy *tree, struct tree_dir *dir, int side)
{
    int fd = openat(dir->fd[side], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int code = fd < 0 ? fd : -errno;
        fd_close(fd);
        tree_problem(tree, dir, NULL, side == SOURCE ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK, code, "open", NULL);
    }
    return stream;
}

static int add(struct tree_extra_name **list, const char *name)
{
    struct tree_extra_name *extra = calloc(1, sizeof(*extra) + strlen(name) + 1);
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
    if (fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (errno != ENOENT)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -errno, "stat", NULL);
    return add(list, name) < 0 ? tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "delete", NULL) : 0;
}

static int find(struct tree_copy *tree, struct tree_dir *dir, struct tree_extra_name **list)
{
    const struct dirent *entry;
    DIR *stream = open_side(tree, dir, TARGET);
    if (!stream)
        return -EIO;
    int r = 0;
    while (r == 0 && (entry = dir_next(stream)))
        r = look(tree, dir, entry->d_name, list);
    if (r == 0 && errno)
        r = tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, -errno, "readdir", NULL);
    closedir(stream);
    return r;
}

/* ---- names that a file system takes as others: in other letters, or without a dot at the end ---- */

/* May the target give a file another name than it was told? */
static bool changes_names(const struct tree_dir *dir, const struct tree_extra_name *list)
{
    struct stat a, b;
    if (dir->closes_late) /* all that is not known to keep them */
        return true;
    for (; list; list = list->next) { /* ext4 and others can have folders without upper and lower case */
        char other[NAME_MAX + 1];
        snprintf(other, sizeof(other), "%s", list->name);
        for (char *c = other; *c; c++)
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        if (strcmp(other, list->name) != 0 && fstatat(dir->fd[TARGET], list->name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
            fstatat(dir->fd[TARGET], other, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino)
            return true;
    }
    return false;
}

/* Are the names equal but for upper and lower case? Of letters that ASCII does not have this is not known. */
static bool has_same_letters(const char *a, const char *b)
{
    while (*a || *b)
        if (*a & 0x80)
            a++;
        else if (*b & 0x80)
            b++;
        else if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
            return false;
    return true;
}

/* Has the target a name as it is written here? */
static bool is_listed(struct tree_copy *tree, struct tree_dir *dir, const char *name)
{
    const struct dirent *entry;
    DIR *stream = open_side(tree, dir, TARGET);
    bool is = false;
    while (stream && !is && (entry = dir_next(stream)))
        is = strcmp(entry->d_name, name) == 0;
    if (stream)
        closedir(stream);
    return is;
}

/* Takes the names from the list that are what the target made of a name of the source. */
static void keep_name(struct tree_copy *tree, struct tree_dir *dir, const char *name, struct tree_extra_name **list)
{
    struct stat st;
    struct identity kept;
    if (fstatat(dir->fd[TARGET], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    identity_of_stat(&kept, &st);
    while (*list) {
        struct tree_extra_name *extra = *list;
        if ((identity_is_same(&extra->identity, &kept) || has_same_letters(extra->name, name)) &&
            !is_listed(tree, dir, name)) {
            *list = extra->next;
            free(extra);
        } else
            list = &extra->next;
    }
}

/* Takes the names from the list that are what the target made of names of the source. Returns 0, or a code. */
static int keep_others(struct tree_copy *tree, struct tree_dir *dir, struct tree_extra_name **list)
{
    const struct dirent *entry;
    struct stat st;
    DIR *stream = open_side(tree, dir, SOURCE);
    if (!stream)
        return -EIO;
    for (struct tree_extra_name *extra = *list; extra; extra = extra->next)
        if (fstatat(dir->fd[TARGET], extra->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            identity_of_stat(&extra->identity, &st);
    while (*list && (entry = dir_next(stream)))
        keep_name(tree, dir, entry->d_name, list);
    int r = *list && errno ? tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, -errno, "readdir", NULL) : 0;
    closedir(stream);
    return r;
}

void extra_delete(struct tree_copy *tree, struct tree_dir *dir)
{
    struct tree_extra_name *list = NULL;
    if (!dir->extra || dir->fd[TARGET] < 0 || !select_reads(tree, dir) || atomic_load(&dir->extra->is_spared))
        return;
    int r = find(tree, dir, &list);
    if (r == 0 && list && changes_names(dir, list))
        r = keep_others(tree, dir, &list);
    for (struct tree_extra_name *next; list; list = next) {
        next = list->next;
        if (r == 0 && !tree_is_canceled(tree))
            remove_name(tree, dir, list->name);
        free(list);
    }
}
