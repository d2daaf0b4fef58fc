/* SPDX-License-Identifier: MIT */
/* Removes what the layers below have. No link is followed. */
#include "base/fd.h"
#include "tree/archive/unpack.h"
#include "tree/dir.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static DIR *open_stream(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    fd = fd < 0 ? fd : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream)
        fd_close(fd);
    return stream;
}

bool unpack_is_empty(int folder)
{
    DIR *stream = open_stream(folder, ".");
    bool is_empty = stream && !dir_next(stream);
    if (stream)
        closedir(stream);
    return is_empty;
}

/* Each level has a descriptor, so a folder can't be deeper than a process may have of them. */
static int remove_in(int folder, const char *name)
{
    const struct dirent *entry;
    int r = 0;
    DIR *stream = open_stream(folder, name);
    if (!stream)
        return -errno;
    while (r == 0 && (entry = dir_next(stream)))
        r = unpack_remove(dirfd(stream), entry->d_name);
    closedir(stream);
    return r;
}

int unpack_remove_all(int folder)
{
    return remove_in(folder, ".");
}

int unpack_remove(int folder, const char *name) /* NOLINT(misc-no-recursion) */
{
    if (unlinkat(folder, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    int r = remove_in(folder, name);
    return r < 0 ? r : unlinkat(folder, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
