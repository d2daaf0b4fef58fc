/* SPDX-License-Identifier: MIT */
/* Listens for one peer. When the peer has come, the listener is closed, and the path of a Unix socket is removed. So a
 * transfer that runs leaves nothing behind, even if it is killed. */
#include "base/fd.h"
#include "net/socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

static const char *path_of(const struct addresses *addresses)
{
    return addresses->path.sun_path;
}

/* Is the path a socket on which no process listens? Only a refused connection tells. */
static bool is_dead(const struct addrinfo *at)
{
    CLEANUP_FD int fd = fd_socket(AF_UNIX, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0 && errno == ECONNREFUSED;
}

/* Removes a socket file that its listener left behind. It is compared again just before, because another process may
 * have replaced it meanwhile. */
static int remove_dead(const struct addresses *addresses)
{
    struct stat before, now;
    const char *path = path_of(addresses);
    if (lstat(path, &before) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(before.st_mode) || !is_dead(&addresses->local))
        return -EADDRINUSE;
    if (lstat(path, &now) == 0 && (now.st_ino != before.st_ino || now.st_dev != before.st_dev))
        return -EADDRINUSE;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static void set_options(int fd, const struct addrinfo *at)
{
    if (at->ai_family == AF_UNIX)
        return;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (at->ai_family == AF_INET6) /* [::] stands for all addresses, IPv4 too. */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
}

static void remember_path(struct listener *listener, const struct addresses *addresses)
{
    struct stat st;
    listener->bound = lstat(path_of(addresses), &st) == 0;
    listener->device = listener->bound ? st.st_dev : 0;
    listener->inode = listener->bound ? st.st_ino : 0;
}

static int listen_at(struct listener *listener, const struct addresses *addresses, const struct addrinfo *at,
                     const char **ret_operation)
{
    *ret_operation = "socket";
    int r = fd_socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (r < 0)
        return r;
    listener->fd = r;
    *ret_operation = "bind";
    set_options(listener->fd, at);
    r = bind(listener->fd, at->ai_addr, at->ai_addrlen) < 0 ? -errno : 0;
    if (r == -EADDRINUSE && at->ai_family == AF_UNIX) {
        r = remove_dead(addresses);
        if (r == 0)
            r = bind(listener->fd, at->ai_addr, at->ai_addrlen) < 0 ? -errno : 0;
    }
    if (r < 0)
        return r;
    if (at->ai_family == AF_UNIX)
        remember_path(listener, addresses);
    *ret_operation = "listen";
    return listen(listener->fd, 1) < 0 ? -errno : 0;
}

/* Listens at the first address that works. */
static int begin(struct listener *listener, const struct addresses *addresses, const char **ret_operation)
{
    int r = -EADDRNOTAVAIL;
    for (const struct addrinfo *at = addresses->first; at; at = at->ai_next) {
        r = listen_at(listener, addresses, at, ret_operation);
        if (r == 0)
            break;
        listener_close(listener, addresses);
    }
    return r;
}

static bool is_from_peer_that_left(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR || code == ECONNABORTED || code == EPROTO;
}

int listener_next(struct listener *listener, const struct addresses *addresses, struct node *node, int64_t timeout_ns,
                  const char **ret_operation)
{
    if (listener->fd < 0) {
        int r = begin(listener, addresses, ret_operation);
        if (r < 0)
            return r;
        listener->until_ns = timeout_ns ? clock_ns() + timeout_ns : 0;
    }
    *ret_operation = "accept";
    int fd = fd_accept(listener->fd);
    if (fd < 0 && is_from_peer_that_left(-fd)) {
        if (listener->until_ns && clock_ns() >= listener->until_ns)
            return -ETIMEDOUT;
        port_init(&node->port, listener->fd, POLLIN);
        node->port.blocked = true;
        node->deadline_ns = listener->until_ns;
        return -EAGAIN;
    }
    node->port.fd = -1;
    listener_close(listener, addresses);
    return fd;
}

void listener_close(struct listener *listener, const struct addresses *addresses)
{
    struct stat st;
    /* The path is compared while we still listen, so that no other process replaces it in between. */
    if (listener->bound && lstat(path_of(addresses), &st) == 0 && st.st_dev == listener->device &&
        st.st_ino == listener->inode)
        unlink(path_of(addresses));
    listener->bound = false;
    listener->fd = fd_close(listener->fd);
}
