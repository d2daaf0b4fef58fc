/* SPDX-License-Identifier: MIT */
/* Probes of splice between a pipe and each kind of peer, of tee, of vmsplice, and of pipes. Every descriptor here is
 * non-blocking and every pipe has less than a page in it, so that no call can wait. */
#include "base/units.h"
#include "kernel/libc.h"
#include "kernel/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

/* A peer is two descriptors: [0] is read and [1] is written. For a file, and for a socket that is connected to itself,
 * both are the same descriptor. */

/* Connects a TCP socket to itself, which needs no listening port that a stranger could reach. Without lingering, no
 * connection stays in TIME_WAIT. */
static int tcp_to_itself(int ret[2])
{
    CLEANUP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    socklen_t size = sizeof(own);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &size) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)) < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&own, sizeof(own)) < 0 && errno != EINPROGRESS)
        return -errno;
    int code = probe_wait(fd, POLLOUT);
    if (code < 0)
        return code;
    ret[0] = ret[1] = fd;
    fd = -1;
    return 0;
}

/* Opens a new pseudo-terminal in raw mode. `from`: the bytes go from the master to the terminal; otherwise from the
 * terminal to the master. */
static int tty_pair(int ret[2], bool from)
{
    CLEANUP_FD int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || unlockpt(master) < 0)
        return -errno;
    CLEANUP_FD int tty = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios mode;
    if (tty < 0 || tcgetattr(tty, &mode) < 0)
        return -errno;
    cfmakeraw(&mode);
    if (tcsetattr(tty, TCSANOW, &mode) < 0)
        return -errno;
    ret[0] = from ? tty : master;
    ret[1] = from ? master : tty;
    tty = master = -1;
    return 0;
}

static int null_device(int ret[2])
{
    int fd = fd_open("/dev/null", O_WRONLY, 0);
    if (fd < 0)
        return fd;
    ret[1] = fd;
    return 0;
}

static int file_peer(struct probe_run *run, int ret[2])
{
    int fd = probe_any_file(run);
    if (fd < 0)
        return fd;
    ret[0] = ret[1] = fd;
    return 0;
}

static int peer_open(struct probe_run *run, enum probe_peer kind, bool from, int ret[2])
{
    switch (kind) {
    case PEER_FILE:
        return file_peer(run, ret);
    case PEER_PIPE:
        return probe_pipe(ret);
    case PEER_NULL:
        return null_device(ret);
    case PEER_UNIX:
        return probe_socket_pair(ret);
    case PEER_TCP:
        return tcp_to_itself(ret);
    case PEER_TTY:
        return tty_pair(ret, from);
    }
    return -EINVAL;
}

static int splice_once(int from, int to)
{
    return probe_moved(splice(from, NULL, to, NULL, PROBE_BYTES, SPLICE_F_NONBLOCK), PROBE_BYTES);
}

/* A pty delivers its bytes a moment later. */
static int put_and_wait(int peer[2])
{
    int code = probe_put(peer[1]);
    if (code < 0)
        return code;
    lseek(peer[0], 0, SEEK_SET); /* only a file has a position */
    return probe_wait(peer[0], POLLIN);
}

int probe_splice_from(struct probe_run *run, const struct probe *probe)
{
    CLEANUP_PAIR int peer[2] = {-1, -1};
    CLEANUP_PAIR int pipe[2] = {-1, -1};
    int code = peer_open(run, (enum probe_peer)probe->which, true, peer);
    if (code == 0)
        code = probe_pipe(pipe);
    if (code == 0)
        code = put_and_wait(peer);
    if (code == 0)
        code = splice_once(peer[0], pipe[1]);
    return code == 0 ? probe_check(pipe[0]) : code;
}

int probe_splice_to(struct probe_run *run, const struct probe *probe)
{
    CLEANUP_PAIR int peer[2] = {-1, -1};
    CLEANUP_PAIR int pipe[2] = {-1, -1};
    int code = peer_open(run, (enum probe_peer)probe->which, false, peer);
    if (code == 0)
        code = probe_pipe(pipe);
    if (code == 0)
        code = probe_put(pipe[1]);
    if (code == 0)
        code = splice_once(pipe[0], peer[1]);
    return code == 0 && peer[0] >= 0 ? probe_check(peer[0]) : code;
}

int probe_tee(struct probe_run *run UNUSED, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int from[2] = {-1, -1};
    CLEANUP_PAIR int to[2] = {-1, -1};
    int code = probe_pipe(from);
    if (code == 0)
        code = probe_pipe(to);
    if (code == 0)
        code = probe_put(from[1]);
    if (code == 0)
        code = probe_moved(tee(from[0], to[1], PROBE_BYTES, SPLICE_F_NONBLOCK), PROBE_BYTES);
    if (code == 0)
        code = probe_check(to[0]);
    return code == 0 ? probe_check(from[0]) : code;
}

/* Finds out whether the pipe shares the caller's page or has a copy: changes the page afterwards, and reads the pipe.
 */
static int share_or_copy(struct probe_run *run, char *page, int pipe[2])
{
    memset(page, 'a', PAGE);
    struct iovec iov = {page, PAGE};
    int code = probe_moved(vmsplice(pipe[1], &iov, 1, SPLICE_F_NONBLOCK), PAGE);
    if (code < 0)
        return code;
    memset(page, 'b', PAGE);
    char seen;
    if (read(pipe[0], &seen, 1) != 1)
        return -EOPNOTSUPP;
    probe_say(run, seen == 'b' ? "User memory enters a pipe without a copy: the pages are shared until they are read."
                               : "User memory enters a pipe, but as a copy: no better than write.");
    return 0;
}

int probe_vmsplice(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int pipe[2] = {-1, -1};
    int code = probe_pipe(pipe);
    if (code < 0)
        return code;
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    code = share_or_copy(run, page, pipe);
    munmap(page, PAGE);
    return code;
}

/* A kernel without the flag for pipes returns EOPNOTSUPP; a kernel with it returns EAGAIN for an empty pipe. */
int probe_nowait(struct probe_run *run UNUSED, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int pipe[2] = {-1, -1};
    int code = probe_pipe(pipe);
    if (code < 0)
        return code;
    char byte = 'a';
    struct iovec iov = {&byte, 1};
    code = probe_moved(pwritev2(pipe[1], &iov, 1, -1, RWF_NOWAIT), 1);
    if (code == 0)
        code = probe_moved(preadv2(pipe[0], &iov, 1, -1, RWF_NOWAIT), 1);
    if (code < 0)
        return code;
    ssize_t n = preadv2(pipe[0], &iov, 1, -1, RWF_NOWAIT);
    return n < 0 && errno == EAGAIN ? 0 : -EOPNOTSUPP;
}

#define WANTED (1 << 20)

/* If the full size is refused, tries half of it, and so on, and reports how far the pipe grows. */
int probe_pipe_size(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int pipe[2] = {-1, -1};
    int code = probe_pipe(pipe);
    if (code < 0)
        return code;
    if (fcntl(pipe[1], F_SETPIPE_SZ, WANTED) >= 0)
        return fcntl(pipe[1], F_GETPIPE_SZ) >= WANTED ? 0 : -EOPNOTSUPP;
    code = -errno;
    for (int want = WANTED / 2; want >= (int)PAGE; want /= 2)
        if (want <= fcntl(pipe[1], F_GETPIPE_SZ) || fcntl(pipe[1], F_SETPIPE_SZ, want) >= 0)
            break;
    char size[16];
    size_format((uint64_t)MAX(0, fcntl(pipe[1], F_GETPIPE_SZ)), size, sizeof(size));
    probe_say(run, "A pipe grows to %s only, by its own limit or because this user holds too many pages in pipes.",
              size);
    return code;
}

static const char *limit_format(int64_t pages, char *buffer, size_t size)
{
    if (pages == 0)
        return "unlimited";
    snprintf(buffer, size, "%lld pages", (long long)pages);
    return buffer;
}

int probe_pipe_limits(struct probe_run *run, const struct probe *probe UNUSED)
{
    int64_t most = probe_number("/proc/sys/fs/pipe-max-size");
    int64_t soft = probe_number("/proc/sys/fs/pipe-user-pages-soft");
    int64_t hard = probe_number("/proc/sys/fs/pipe-user-pages-hard");
    int64_t worst = MIN(most, MIN(soft, hard));
    if (worst < 0)
        return (int)worst;
    char size[16], text[2][32];
    probe_say(run, "Without privilege a pipe may grow to %s; all pipes of a user: %s soft, %s hard.",
              size_format((uint64_t)most, size, sizeof(size)), limit_format(soft, text[0], sizeof(text[0])),
              limit_format(hard, text[1], sizeof(text[1])));
    return 0;
}
