/* SPDX-License-Identifier: MIT */
/* One folder is open at a time, so a tree may be of any depth. The way up is "..", which must be the folder that was
 * left on the way down. */
#include "tree/target/wipe.h"
#include "base/fd.h"
#include "base/identity.h"
#include "tree/dir.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

struct wipe_level {
    struct identity above;
    char *name; /* in the folder above */
    struct wipe_level *up;
};

/* A folder of this user may have lost the right to be read, or to lose a name. */
static int open_folder(int at, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    struct stat st;
    int fd = openat(at, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        fd = openat(at, name, flags);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd >= 0 && geteuid() != 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        fchmod(fd, 0700);
    return fd;
}

/* Removes what can be removed at once. Returns 0: nothing is left; 1: *ret_name is a folder that is not empty, from
 * malloc; or a negative errno. */
static int empty(int fd, char **ret_name)
{
    const struct dirent *entry;
    int r = 0, own = fd_above_standard(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (!stream) {
        r = -errno;
        fd_close(own);
        return r;
    }
    while (r == 0 && (entry = dir_next(stream))) {
        const char *name = entry->d_name;
        if (unlinkat(fd, name, 0) == 0)
            continue;
        if (errno != EISDIR && errno != EPERM)
            r = -errno;
        else if (unlinkat(fd, name, AT_REMOVEDIR) < 0) {
            r = errno == ENOTEMPTY || errno == EEXIST ? 1 : errno == ENOTDIR ? -EPERM : -errno;
            *ret_name = r > 0 ? strdup(name) : NULL;
            r = r > 0 && !*ret_name ? -ENOMEM : r;
        }
    }
    if (r == 0 && !entry && errno)
        r = -errno;
    closedir(stream);
    return r;
}

/* Takes the name. Returns 0 or a negative errno. */
static int go_down(int *fd, struct wipe_level **level, char *name)
{
    struct wipe_level *one = malloc(sizeof(*one));
    int below = one ? open_folder(*fd, name) : -ENOMEM;
    struct identity here;
    int r = below < 0 ? below : identity_of_fd(&one->above, *fd);
    if (r == 0)
        r = identity_of_fd(&here, below);
    if (r == 0 && here.device != one->above.device)
        r = -EXDEV;
    if (r < 0) {
        fd_close(below);
        free(one);
        free(name);
        return r;
    }
    one->name = name;
    one->up = *level;
    *level = one;
    fd_close(*fd);
    *fd = below;
    return 0;
}

/* Removes the folder that is open, which is empty, from the one above it. */
static int go_up(int *fd, struct wipe_level **level)
{
    struct wipe_level *one = *level;
    struct identity now;
    int above = openat(*fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    above = above < 0 ? -errno : fd_above_standard(above);
    int r = above < 0 ? above : identity_of_fd(&now, above);
    if (r == 0 && !identity_is_same(&now, &one->above))
        r = -ESTALE;
    if (r == 0 && unlinkat(above, one->name, AT_REMOVEDIR) < 0)
        r = -errno;
    fd_close(*fd);
    *fd = above;
    *level = one->up;
    free(one->name);
    free(one);
    return r;
}

int wipe_folder(int at, const char *name)
{
    struct wipe_level *level = NULL;
    bool is_empty = false;
    int fd = open_folder(at, name), r = fd < 0 ? fd : 0;
    while (r == 0 && !is_empty) {
        char *inner = NULL;
        r = empty(fd, &inner);
        is_empty = r == 0 && !level;
        if (r > 0)
            r = go_down(&fd, &level, inner);
        else if (r == 0 && level)
            r = go_up(&fd, &level);
    }
    while (level) {
        struct wipe_level *up = level->up;
        free(level->name);
        free(level);
        level = up;
    }
    fd_close(fd);
    return r < 0 ? r : unlinkat(at, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
