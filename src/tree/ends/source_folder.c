/* SPDX-License-Identifier: MIT */
/* A folder as the source of a tree. */
#include "base/fd.h"
#include "base/platform.h"
#include "tree/ends/folder.h"
#include "tree/tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static int open_root(struct tree_copy *tree, const char *spec UNUSED, const char *path, struct leat_error *error)
{
    struct tree_dir *root = tree->root;
    int fd = tree_folder_open(path, LEAT_SIDE_SOURCE, &root->st, error);
    if (fd < 0)
        return fd;
    root->fd[SOURCE] = fd;
    identity_of_stat(&root->identity[SOURCE], &root->st);
    return 0;
}

static int dir_open(struct tree_dir *dir, struct stat *ret)
{
    int fd = tree_folder_open_below(dir, SOURCE, ret);
    if (fd < 0)
        return fd;
    dir->fd[SOURCE] = fd;
    return 0;
}

/* ---- the names; the stream of the folder that is read is all the state that there is ---- */

static int begin(struct tree_copy *tree, struct tree_dir *dir)
{
    int fd = openat(dir->fd[SOURCE], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    tree->source_state = fd < 0 ? NULL : fdopendir(fd);
    if (tree->source_state)
        return 0;
    int code = fd < 0 ? fd : -errno;
    fd_close(fd);
    return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, code, "open", NULL);
}

static void end(struct tree_copy *tree)
{
    closedir(tree->source_state);
    tree->source_state = NULL;
}

/* What is it? Not every file system says so while it is read. 0: the worker will find out why that is not known. */
static mode_t kind_of(const struct tree_dir *dir, const struct dirent *entry)
{
    struct stat st;
    mode_t kind = platform.entry_kind(entry);
    if (kind || fstatat(dir->fd[SOURCE], entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return kind;
    return st.st_mode & S_IFMT;
}

/* A file with several names is copied once. */
static void look_at_size(const struct tree_copy *tree, const struct tree_dir *dir, struct tree_found *ret)
{
    struct stat st;
    ret->has_bytes = fstatat(dir->fd[SOURCE], ret->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (ret->has_bytes)
        ret->bytes = (uint64_t)st.st_size / (tree->options.keep == LEAT_TREE_ALL ? (uint64_t)st.st_nlink : 1);
}

static int next(struct tree_copy *tree, struct tree_dir *dir, struct tree_found *ret)
{
    const struct dirent *entry = dir_next(tree->source_state);
    if (!entry)
        return errno ? tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, -errno, "readdir", NULL) : 0;
    *ret = (struct tree_found){.name = entry->d_name, .kind = kind_of(dir, entry)};
    if (tree->options.sizes && S_ISREG(ret->kind))
        look_at_size(tree, dir, ret);
    return 1;
}

/* ---- one name ---- */

static int look(struct tree_copy *tree, const struct tree_dir *dir, const char *name, void *mark UNUSED,
                struct stat *ret)
{
    if (fstatat(dir->fd[SOURCE], name, ret, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -errno, "stat", NULL);
    return 0;
}

static int file_open(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct tree_input *ret)
{
    int fd = openat(dir->fd[SOURCE], name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd < 0)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, fd, "open",
                            fd == -ELOOP ? "It became a symbolic link meanwhile" : NULL);
    int r = fstat(fd, &ret->st) < 0 ? -errno : 0;
    if (r == 0 && S_ISREG(ret->st.st_mode)) {
        ret->fd = fd;
        return 0;
    }
    fd_close(fd);
    return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, r < 0 ? r : -ESTALE, "stat",
                        r < 0 ? NULL : "It became something else meanwhile");
}

static void file_close(struct tree_copy *tree UNUSED, struct tree_input *input)
{
    input->fd = fd_close(input->fd);
}

static int link_read(struct tree_copy *tree, const struct tree_dir *dir, const char *name, void *mark UNUSED, char *ret,
                     size_t n)
{
    ssize_t length = readlinkat(dir->fd[SOURCE], name, ret, n);
    if (length < 0 || (size_t)length == n)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, length < 0 ? -errno : -ENAMETOOLONG, "readlink", NULL);
    ret[length] = '\0';
    return 0;
}

const struct tree_source source_folder = {
    .scheme = "",
    .open = open_root,
    .dir_open = dir_open,
    .begin = begin,
    .next = next,
    .end = end,
    .look = look,
    .file_open = file_open,
    .file_close = file_close,
    .link_read = link_read,
};
