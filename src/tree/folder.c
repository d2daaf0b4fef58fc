/* SPDX-License-Identifier: MIT */
#include "tree/folder.h"
#include "base/fd.h"
#include "tree/dir.h"
#include <fcntl.h>
#include <unistd.h>

int tree_folder_open(const char *path, enum leat_side side, struct stat *ret, struct leat_error *error)
{
    char text[128];
    int fd = fd_open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
    if (fd >= 0 && fstat(fd, ret) == 0)
        return fd;
    int code = fd < 0 ? fd : -errno;
    fd_close(fd);
    return error_at(error, code, side, path, "open", "%s", error_text(code, text, sizeof(text)));
}

int tree_folder_open_below(const struct tree_dir *dir, int side, struct stat *ret)
{
    int fd = openat(dir->parent->fd[side], dir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd < 0 || fstat(fd, ret) == 0)
        return fd;
    int code = -errno;
    fd_close(fd);
    return code;
}
