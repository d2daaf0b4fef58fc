/* SPDX-License-Identifier: MIT */
/* Growing a pipe, and being fair about it. The kernel counts the pages of all pipes of a user. Above a soft limit
 * (fs.pipe-user-pages-soft) no pipe of that user grows any more, and each new pipe of any of the user's programs has
 * only two pages. So leat gives back what it took if it took the last of them. */
#include "base/fd.h"
#include "kernel/files.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define USUAL_PAGES 16 /* of a new pipe, below the soft limit; see pipe(7) */

/* Does a new pipe of this user still have the usual size? */
static bool leaves_room(void)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return true; /* there are no descriptors, which says nothing about pages */
    int size = fcntl(fd[0], F_GETPIPE_SZ);
    fd_close(fd[0]);
    fd_close(fd[1]);
    return size >= USUAL_PAGES * sysconf(_SC_PAGESIZE);
}

/* Asks for `want`, then for half of it, and so on. Returns the size that the pipe has now. */
static int ask(int fd, int was, size_t want)
{
    for (; want > (size_t)was; want /= 2) {
        int is = fcntl(fd, F_SETPIPE_SZ, (int)want);
        if (is > 0)
            return is;
        if (errno != EPERM && errno != EBUSY && errno != ENOMEM)
            break;
    }
    return was;
}

int linux_pipe_grow(int fd, size_t want, size_t *ret_was, size_t *ret_is)
{
    int was = fcntl(fd, F_GETPIPE_SZ);
    if (was <= 0)
        return was < 0 ? -errno : -EINVAL;
    int is = ask(fd, was, MIN(want, (size_t)INT_MAX / 2 + 1));
    while (is > was && !leaves_room()) {
        int less = fcntl(fd, F_SETPIPE_SZ, MAX(is / 2, was));
        if (less <= 0) /* it holds more bytes than that already */
            break;
        is = less;
    }
    *ret_was = (size_t)was;
    *ret_is = (size_t)is;
    return 0;
}
