/* SPDX-License-Identifier: MIT */
#include "tree/ends/folder.h"
#include "base/fd.h"
#include "base/text.h"
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

/* Makes the path of a name in an existing folder, without links before the name. `text` is changed. */
static char *full_path_of_new(char *text, const char *path)
{
    size_t n = strlen(text);
    while (n > 1 && text[n - 1] == '/')
        text[--n] = '\0';
    char *slash = strrchr(text, '/'), *name = slash ? slash + 1 : text;
    if (slash)
        *slash = '\0';
    char *folder CLEANUP_FREE = realpath(!slash ? "." : text[0] ? text : "/", NULL);
    return folder ? text_join(folder, folder[1] ? "/" : "", name) : strdup(path);
}

char *tree_folder_path(const char *path)
{
    char *full = realpath(path, NULL);
    if (full)
        return full;
    char *text CLEANUP_FREE = strdup(path);
    return text ? full_path_of_new(text, path) : NULL;
}
