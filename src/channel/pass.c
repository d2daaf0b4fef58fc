/* Passes a set of descriptors over a Unix socket. */
#include "base/fd.h"
#include "channel/channel.h"
#include <errno.h>
#include <sys/socket.h>

union control {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(LEAT_CHANNEL_FDS * sizeof(int))];
};

int leat_channel_pass(leat_channel *c, enum leat_channel_end end, int socket)
{
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    int r = leat_channel_export_end(c, end, fds, &n);
    if (r < 0)
        return r;
    union control control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = CMSG_SPACE(n * sizeof(int));
    control.aligned = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    control.aligned.cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(&control.aligned), fds, n * sizeof(int));
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    r = sent < 0 ? -errno : 0;
    for (size_t i = 0; i < n; i++)
        fd_close(fds[i]);
    return r;
}

int leat_channel_attach_passed(leat_channel **ret_channel, int socket)
{
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    if (!platform.sharing)
        return -ENOSYS;
    int r = platform.sharing->receive(socket, fds, &n);
    if (r < 0)
        return r;
    r = n ? leat_channel_attach(ret_channel, fds, n) : -EPROTO;
    for (size_t i = 0; i < n; i++)
        fd_close(fds[i]);
    return r;
}
