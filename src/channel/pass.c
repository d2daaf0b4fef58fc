/* SPDX-License-Identifier: MIT */
/* Passes a set of descriptors over a Unix socket. */
#include "base/fd.h"
#include "channel/channel.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

union control {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(LEAT_CHANNEL_FDS * sizeof(int))];
};

/* Waits until the socket is ready. Returns 0, -EAGAIN, -ETIMEDOUT, or what poll(2) failed with. */
static int wait_ready(int socket, short events, const struct channel_limit *limit)
{
    struct pollfd poller = {.fd = socket, .events = events};
    for (;;) {
        int64_t left = limit_left(limit, INT64_C(60000) * 1000000);
        int r = poll(&poller, 1, (int)((left + 999999) / 1000000));
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return -errno;
        if (left <= 0)
            return limit_code(limit);
    }
}

static int pass(int socket, const int *fds, size_t n, const struct channel_limit *limit)
{
    union control control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = (socklen_t)CMSG_SPACE(n * sizeof(int));
    control.aligned = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    control.aligned.cmsg_len = (socklen_t)CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(&control.aligned), fds, n * sizeof(int));
    while (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        int r = errno == EINTR ? 0 : errno == EAGAIN ? wait_ready(socket, POLLOUT, limit) : -errno;
        if (r < 0)
            return r;
    }
    return 0;
}

int leat_channel_pass(leat_channel *c, enum leat_channel_end end, int socket, int timeout_ms)
{
    const struct channel_limit limit = limit_of(timeout_ms);
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    int r = leat_channel_export_end(c, end, fds, &n);
    if (r < 0)
        return r;
    r = pass(socket, fds, n, &limit);
    for (size_t i = 0; i < n; i++)
        fd_close(fds[i]);
    return r;
}

int leat_channel_attach_passed(leat_channel **ret_channel, int socket, int timeout_ms)
{
    const struct channel_limit limit = limit_of(timeout_ms);
    int fds[LEAT_CHANNEL_FDS], r;
    size_t n;
    if (!platform.sharing)
        return -ENOSYS;
    do {
        n = LEAT_CHANNEL_FDS;
        r = platform.sharing->receive(socket, fds, &n);
        if (r == -EAGAIN && (r = wait_ready(socket, POLLIN, &limit)) == 0)
            r = 1;
    } while (r > 0);
    if (r < 0)
        return r;
    r = n ? leat_channel_attach(ret_channel, fds, n) : -EPROTO;
    for (size_t i = 0; i < n; i++)
        fd_close(fds[i]);
    return r;
}
