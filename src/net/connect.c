/* SPDX-License-Identifier: MIT */
/* Connects without blocking. POLLOUT tells that a connection in progress has ended, SO_ERROR how. */
#include "base/fd.h"
#include "net/socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

/* If the queue of a Unix listener is full, nothing tells when there is room again, so connect is tried again after this
 * time. */
#define QUEUE_FULL_NS 20000000

static size_t addresses_left(const struct addrinfo *at)
{
    size_t n = 0;
    for (; at; at = at->ai_next)
        n++;
    return n;
}

static int begin(struct dialer *dialer)
{
    int64_t now = clock_ns();
    dialer->fd = fd_socket(dialer->at->ai_family, dialer->at->ai_socktype, dialer->at->ai_protocol);
    if (dialer->fd < 0)
        return dialer->fd;
    if (dialer->until_ns)
        dialer->share_ns = now + (dialer->until_ns - now) / (int64_t)addresses_left(dialer->at);
    int r = connect(dialer->fd, dialer->at->ai_addr, dialer->at->ai_addrlen) < 0 ? -errno : 0;
    /* Only for a Unix socket, -EAGAIN means "later". Otherwise no local port is free. */
    return r == -EAGAIN && dialer->at->ai_family != AF_UNIX ? -EADDRNOTAVAIL : r;
}

/* Looks how the connection that was begun has ended. Returns 0, -EINPROGRESS or another negative errno. */
static int check_result(struct dialer *dialer)
{
    struct pollfd set = {.fd = dialer->fd, .events = POLLOUT};
    int code = 0;
    if (dialer->at->ai_family == AF_UNIX) /* The attempt was not even queued, so it is made again. */
        return connect(dialer->fd, dialer->at->ai_addr, dialer->at->ai_addrlen) < 0 ? -errno : 0;
    if (poll(&set, 1, 0) <= 0)
        return -EINPROGRESS;
    return getsockopt(dialer->fd, SOL_SOCKET, SO_ERROR, &code, &(socklen_t){sizeof(code)}) < 0 ? -errno : -code;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return b == 0 || a < b ? a : b;
}

/* The connection is not there yet. Returns -EAGAIN, with a port and a deadline; 0: the time of this address is up. */
static int wait_for(struct dialer *dialer, struct node *node, int code)
{
    int64_t now = clock_ns();
    if (dialer->share_ns && now >= dialer->share_ns)
        return 0;
    bool queue_full = code == -EAGAIN;
    port_init(&node->port, queue_full ? -1 : dialer->fd, POLLOUT);
    node->port.blocked = true;
    node->deadline_ns = queue_full ? earlier(now + QUEUE_FULL_NS, dialer->share_ns) : dialer->share_ns;
    return -EAGAIN;
}

int dialer_next(struct dialer *dialer, const struct addresses *addresses, struct node *node, int64_t timeout_ns)
{
    bool begun = dialer->at != NULL;
    if (!begun) {
        dialer->at = addresses->first;
        dialer->until_ns = timeout_ns ? clock_ns() + timeout_ns : 0;
    }
    while (dialer->at) {
        int code = begun ? check_result(dialer) : begin(dialer);
        begun = false;
        if (code == -EINPROGRESS || code == -EINTR || code == -EAGAIN) {
            if (wait_for(dialer, node, code) == -EAGAIN)
                return -EAGAIN;
            code = -ETIMEDOUT;
        }
        int fd = dialer->fd;
        node->port.fd = dialer->fd = -1;
        if (code == 0)
            return fd;
        fd_close(fd);
        dialer->code = code;
        dialer->at = dialer->at->ai_next;
    }
    return dialer->code;
}
