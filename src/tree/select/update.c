/* SPDX-License-Identifier: MIT */
#include "tree/select/update.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

/* Gets what has the name in the target. */
static bool find_old(const struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct stat *ret)
{
    return tree->options.update && dir->existed && fstatat(dir->fd[TARGET], name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool leave(struct tree_copy *tree, bool is_left)
{
    if (is_left)
        atomic_fetch_add(&tree->counts.unchanged, 1);
    return is_left;
}

/* Compares two times. A file system that has coarser times than the source's has cut off the rest: down to 100 ns, the
 * microsecond, the millisecond, 10 ms, the second, or 2 s. Such a time is equal. */
static int compare_times(const struct timespec *source, const struct timespec *target)
{
    static const int64_t steps[] = {1, 100, 1000, 1000000, 10000000, 1000000000, 2000000000};
    if (target->tv_sec > source->tv_sec || (target->tv_sec == source->tv_sec && target->tv_nsec > source->tv_nsec))
        return 1;
    if (source->tv_sec - target->tv_sec > 1)
        return -1;
    /* Two seconds are all that a step may span. */
    int64_t from = (int64_t)(source->tv_sec & 1) * 1000000000 + source->tv_nsec;
    int64_t to = from - (int64_t)(source->tv_sec - target->tv_sec) * 1000000000 - (source->tv_nsec - target->tv_nsec);
    for (size_t i = 0; i < COUNT(steps); i++)
        if (from - from % steps[i] == to)
            return 0;
    return -1;
}

static enum tree_update compare(const struct stat *source, const struct stat *target)
{
    if (!S_ISREG(target->st_mode))
        return UPDATE_COPY;
    int order = compare_times(&source->st_mtim, &target->st_mtim);
    if (order == 0)
        return source->st_size == target->st_size ? UPDATE_SAME : UPDATE_COPY;
    return order > 0 ? UPDATE_NEWER : UPDATE_COPY;
}

enum tree_update update_of_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                                const struct stat *st)
{
    struct stat old;
    enum tree_update update = find_old(tree, dir, name, &old) ? compare(st, &old) : UPDATE_COPY;
    leave(tree, update != UPDATE_COPY);
    return update;
}

bool update_leaves_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, void *mark)
{
    struct stat st, old;
    if (!find_old(tree, dir, name, &old))
        return false;
    if (tree->source->look(tree, dir, name, mark, &st) < 0)
        return true;
    bool is_one_of_several = st.st_nlink > 1 && tree->options.keep == LEAT_TREE_ALL;
    return S_ISREG(st.st_mode) && !is_one_of_several && leave(tree, compare(&st, &old) != UPDATE_COPY);
}

bool update_leaves_symlink(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const char *text)
{
    char old[PATH_MAX];
    if (!tree->options.update || !dir->existed)
        return false;
    ssize_t n = readlinkat(dir->fd[TARGET], name, old, sizeof(old));
    return leave(tree, n >= 0 && (size_t)n == strlen(text) && memcmp(old, text, (size_t)n) == 0);
}

bool update_leaves_special(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct stat *st)
{
    struct stat old;
    return leave(tree, find_old(tree, dir, name, &old) && ((old.st_mode ^ st->st_mode) & S_IFMT) == 0 &&
                           old.st_rdev == st->st_rdev);
}

bool update_leaves_link(struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                        const struct tree_dir *from, const char *first)
{
    struct stat old, st;
    if (!find_old(tree, dir, name, &old))
        return false;
    bool is_link = fstatat(from->fd[TARGET], first, &st, AT_SYMLINK_NOFOLLOW) == 0 && old.st_dev == st.st_dev &&
                   old.st_ino == st.st_ino;
    return leave(tree, is_link || (fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                                   compare(&st, &old) == UPDATE_NEWER));
}
