/* SPDX-License-Identifier: MIT */
#include "tree/journal/leftover.h"
#include "base/fd.h"
#include "tree/tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MIDDLE ".leat-"
enum {
    DIGITS = 6,
    NAME_ROOM = 256, /* bytes of a name, with its NUL */
    SHORTENED = 160  /* a longer name may have been cut in its hidden name */
};

/* The form is that of publish_make_hidden. Copies the name in it. */
static bool is_hidden(const char *hidden, char *ret_name, size_t size)
{
    size_t n = strlen(hidden), end = n - DIGITS - strlen(MIDDLE);
    if (n < 1 + 1 + strlen(MIDDLE) + DIGITS || hidden[0] != '.' || strncmp(hidden + end, MIDDLE, strlen(MIDDLE)) != 0 ||
        strspn(hidden + n - DIGITS, "0123456789abcdef") != DIGITS || end > size)
        return false;
    memcpy(ret_name, hidden + 1, end - 1);
    ret_name[end - 1] = '\0';
    return true;
}

static bool is_in_source(const struct tree_dir *dir, const char *name)
{
    struct stat st;
    return fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* It is no file of the source, but that which its name is made of is; and it was made since the copy began. */
static bool is_left(const struct tree_copy *tree, const struct tree_dir *dir, const char *hidden)
{
    struct stat st;
    char name[NAME_ROOM];
    if (!is_hidden(hidden, name, sizeof(name)) || is_in_source(dir, hidden))
        return false;
    return (strlen(name) >= SHORTENED || is_in_source(dir, name)) &&
           fstatat(dir->fd[TARGET], hidden, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) &&
           st.st_ctim.tv_sec >= tree->recorded.begun_s;
}

static void remove_hidden(const struct tree_copy *tree, const struct tree_dir *dir)
{
    const struct dirent *entry;
    int fd = fd_above_standard(openat(dir->fd[TARGET], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        fd_close(fd);
        return;
    }
    while ((entry = dir_next(stream)))
        if (is_left(tree, dir, entry->d_name))
            unlinkat(dir->fd[TARGET], entry->d_name, 0);
    closedir(stream);
}

void leftover_clear(const struct tree_copy *tree, const struct tree_dir *dir)
{
    struct stat st;
    if (!tree->recorded.slot || !dir->existed || dir->fd[TARGET] < 0)
        return;
    if (geteuid() != 0 && fstat(dir->fd[TARGET], &st) == 0 && (st.st_mode & 0300) != 0300)
        fchmod(dir->fd[TARGET], (st.st_mode & 07777) | 0700);
    if (tree->options.shards <= 1) /* those of another shard may be in use */
        remove_hidden(tree, dir);
}
