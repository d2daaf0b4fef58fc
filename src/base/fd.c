/* SPDX-License-Identifier: MIT */
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int fd_close(int fd)
{
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return -1;
}

void fd_close_pointer(int *fd)
{
    *fd = fd_close(*fd);
}

int fd_open(const char *path, int flags, unsigned mode)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) /* with O_NONBLOCK, EAGAIN means that another process has a lease on the file, not "would block" */
        return errno == EAGAIN ? -EBUSY : -errno;
    return fd_above_standard(fd);
}

int fd_unnamed(void)
{
    const char *wanted = getenv("TMPDIR");
    return fd_unnamed_in(wanted && *wanted ? wanted : "/var/tmp");
}

int fd_unnamed_in(const char *folder)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/leat-XXXXXX", folder);
    if (n >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd = platform.open_unnamed(AT_FDCWD, folder, 0600);
    if (fd >= 0)
        return fd;
    fd = mkstemp(path);
    if (fd < 0)
        return -errno;
    unlink(path);
    fd = fd_above_standard(fd);
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        fd = fd_close(fd);
    return fd;
}

int fd_above_standard(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (above < 0)
        above = -errno;
    fd_close(fd);
    return above;
}

int fd_socket(int family, int type, int protocol)
{
    return fd_above_standard(platform.socket(family, type, protocol));
}

int fd_accept(int listener)
{
    return fd_above_standard(platform.accept(listener));
}

int fd_own(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

static int both_above_standard(const int fd[2], int ret[2])
{
    int above[2] = {fd_above_standard(fd[0]), fd_above_standard(fd[1])};
    if (above[0] >= 0 && above[1] >= 0) {
        ret[0] = above[0];
        ret[1] = above[1];
        return 0;
    }
    fd_close(above[0]);
    fd_close(above[1]);
    return above[0] < 0 ? above[0] : above[1];
}

bool fd_wake(int fd)
{
    int saved = errno;
    ssize_t n = write(fd, "", 1);
    errno = saved;
    return n == 1;
}

int fd_pipe_of_size(int ret[2], size_t size, size_t *ret_size)
{
    int fd[2];
    int r = platform.pipe_make(fd, size, ret_size);
    return r < 0 ? r : both_above_standard(fd, ret);
}

int fd_pipe(int ret[2])
{
    int fd[2];
    int r = platform.pipe(fd);
    return r < 0 ? r : both_above_standard(fd, ret);
}

void fd_reset_on_close(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

int fd_flag_open(struct fd_flag *flag)
{
    return flag->fd[0] >= 0 ? 0 : fd_pipe(flag->fd);
}

void fd_flag_set(struct fd_flag *flag, bool raised)
{
    char byte;
    if (flag->fd[1] < 0 || flag->raised == raised)
        return;
    if (raised)
        flag->raised = fd_wake(flag->fd[1]);
    else
        flag->raised = read(flag->fd[0], &byte, 1) != 1;
}

void fd_flag_close(struct fd_flag *flag)
{
    fd_close(flag->fd[0]);
    fd_close(flag->fd[1]);
    *flag = FD_FLAG_NONE;
}
