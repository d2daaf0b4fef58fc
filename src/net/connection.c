/* SPDX-License-Identifier: MIT */
/* Connections: a descriptor, a stream in and a stream out. Filling reads straight into reserved chunks, and flushing
 * writes straight out of them. For a socket each call carries MSG_DONTWAIT. A non-blocking descriptor of another kind
 * needs nothing. Any other descriptor is polled first, and gets no more bytes at a time than a pipe that is ready takes
 * without waiting. */
#include "net/connection.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sigpipe.h"
#include "net/socket.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>

#define PAUSE_DEFAULT 65536
#define LIMIT_DEFAULT 1048576
#define FILL_LEAST    2048 /* With less room than this, a read takes the next chunk as well. */

/* ---- life ---- */

static int open_streams(leat_connection *c, const struct leat_connection_options *o, struct leat_error *error)
{
    struct leat_stream_options bounds = {.size = sizeof(bounds), .pause_at = PAUSE_DEFAULT, .limit = LIMIT_DEFAULT};
    int r = leat_stream_new(&c->input, o->pool, o->input ? o->input : &bounds, error);
    return r < 0 ? r : leat_stream_new(&c->output, o->pool, o->output ? o->output : &bounds, error);
}

/* Finds out how calls on the descriptor are kept from waiting. */
static int find_how_to_wait(leat_connection *c)
{
    int type, flags = fcntl(c->fd, F_GETFL);
    if (flags < 0)
        return -errno;
    c->is_socket = getsockopt(c->fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof(type)}) == 0;
    c->polled = !c->is_socket && !(flags & O_NONBLOCK);
    return c->is_socket && type != SOCK_STREAM ? -EPROTOTYPE : 0;
}

static int make(leat_connection **ret, const struct leat_connection_options *o, struct leat_error *error)
{
    leat_connection *c = calloc(1, sizeof(*c));
    int r = c ? open_streams(c, o, error) : -ENOMEM;
    if (r < 0) {
        leat_connection_close(c);
        return r;
    }
    c->fd = -1;
    c->timeout_ns = o->timeout_ms > 0 ? (int64_t)o->timeout_ms * 1000000 : 0;
    *ret = c;
    return 0;
}

static int make_from_fd(leat_connection **ret, int fd, enum leat_ownership ownership,
                        const struct leat_connection_options *options, struct leat_error *error)
{
    struct leat_connection_options o;
    leat_connection *c = NULL;
    if (enum_check(ownership, LEAT_TAKE) < 0)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "connection", "new",
                        "ownership must be LEAT_BORROW or LEAT_TAKE");
    int r = options_copy(&o, sizeof(o), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "connection", "new", "The options are not those of this version");
    if ((r = make(&c, &o, error)) < 0)
        return r;
    c->fd = fd;
    r = find_how_to_wait(c);
    if (r < 0) {
        leat_connection_close(c);
        return error_at(error, r, LEAT_SIDE_NONE, "connection", "new", "%s",
                        r == -EPROTOTYPE ? "The socket is no stream socket" : "The descriptor is not open");
    }
    c->owned = ownership == LEAT_TAKE;
    *ret = c;
    return 0;
}

int leat_connection_from_fd(leat_connection **ret_connection, int fd, enum leat_ownership ownership,
                            const struct leat_connection_options *options, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    if (r == 0)
        r = error_return(ret_error, &error, make_from_fd(ret_connection, fd, ownership, options, &error));
    if (r < 0 && ownership == LEAT_TAKE)
        fd_close(fd);
    return r;
}

/* If bytes are lost, the peer must not see a normal end: the connection is reset where that is possible. */
static void close_descriptor(leat_connection *c)
{
    bool lost = c->output && !c->shut && (leat_stream_length(c->output) || c->failed);
    if (c->endpoint) {
        struct node *node = &c->endpoint->node;
        if (lost)
            node->ops->abort(node, -ECANCELED, 0);
        node->ops->close(node);
        leat_endpoint_close(c->endpoint);
    } else if (c->owned) {
        if (lost && c->is_socket)
            fd_reset_on_close(c->fd);
        fd_close(c->fd);
    }
}

void leat_connection_close(leat_connection *c)
{
    if (!c)
        return;
    close_descriptor(c);
    leat_stream_free(c->input);
    leat_stream_free(c->output);
    free(c);
}

leat_stream *leat_connection_input(leat_connection *c)
{
    return c->input;
}

leat_stream *leat_connection_output(leat_connection *c)
{
    return c->output;
}

int leat_connection_fd(const leat_connection *c)
{
    return c->fd;
}

/* ---- waiting ---- */

int connection_wait(int fd, short events, int64_t until_ns)
{
    struct pollfd set = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = until_ns ? (until_ns - clock_ns() + 999999) / 1000000 : -1;
        int n = poll(&set, 1, until_ns ? (int)MIN(MAX(left, 0), INT_MAX) : -1);
        if (n > 0)
            return set.revents;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (until_ns && clock_ns() >= until_ns)
            return until_ns == CONNECTION_AT_ONCE ? -EAGAIN : -ETIMEDOUT;
    }
}

static bool is_ready(const leat_connection *c, short events)
{
    struct pollfd set = {.fd = c->fd, .events = events};
    return !c->polled || poll(&set, 1, 0) > 0;
}

static bool has_output(const leat_connection *c)
{
    return !c->failed && !c->shut && (leat_stream_length(c->output) || leat_stream_ended(c->output));
}

short connection_wants(leat_connection *c)
{
    short in = !leat_stream_ended(c->input) && !leat_stream_paused(c->input) ? POLLIN : 0;
    return (short)(in | (has_output(c) ? POLLOUT : 0));
}

int leat_connection_events(leat_connection *c, int *ret_fd, short *ret_events)
{
    *ret_fd = c->fd;
    *ret_events = connection_wants(c);
    return 0;
}

/* ---- opening ---- */

/* If the endpoint would block, it names a port and a deadline to wait for. */
static int open_endpoint(struct node *node, struct leat_error *error)
{
    for (;;) {
        int r = node->ops->open(node, NULL, error);
        if (r != -EAGAIN)
            return r;
        r = connection_wait(node->port.fd, node->port.events, node->deadline_ns);
        if (r < 0 && r != -ETIMEDOUT)
            return endpoint_error(node, error, r, "poll", NULL);
    }
}

int connection_of_endpoint(leat_connection **ret, leat_endpoint *endpoint,
                           const struct leat_connection_options *options, struct leat_error *error)
{
    struct node *node = &endpoint->node;
    leat_connection *c = NULL;
    int r = make(&c, options, error);
    if (r < 0) {
        leat_endpoint_close(endpoint);
        return error_set(error, r, "out of memory");
    }
    c->endpoint = endpoint;
    if (node->kind == NODE_SOCKET)
        r = open_endpoint(node, error);
    else
        r = error_set(error, -EPROTOTYPE, "A connection is a stream socket, and this is a %s",
                      node_kind_name(node->kind));
    if (r == 0) {
        c->fd = node->fd;
        r = find_how_to_wait(c);
        if (r < 0)
            endpoint_error(node, error, r, "getsockopt", "it is no stream socket");
    }
    if (r < 0) {
        leat_connection_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

/* ---- filling and flushing ---- */

int leat_connection_fill(leat_connection *c, size_t *ret_n)
{
    struct iovec iov[2];
    int count = 0, r = stream_reserve_iov(c->input, FILL_LEAST, iov, &count);
    if (r < 0)
        return r;
    struct op op = {.kind = OP_READ, .fd = {c->fd, -1}, .offset = {-1, -1}, .iov = iov, .iov_count = count};
    op.flags = c->is_socket ? OP_SOCKET | OP_NOWAIT : 0;
    ssize_t n = is_ready(c, POLLIN) ? op_execute(&op) : -EAGAIN;
    leat_stream_commit(c->input, n > 0 ? (size_t)n : 0);
    if (n == -EAGAIN || n == -EWOULDBLOCK)
        return -EAGAIN;
    if (n <= 0)
        leat_stream_finish(c->input, (int)n);
    if (n >= 0 && ret_n)
        *ret_n = (size_t)n;
    return (int)MIN(n, 0);
}

/* Shortens a write to a polled descriptor to what it certainly takes without waiting. */
static int clip(const leat_connection *c, struct iovec *iov, int count)
{
    size_t left = _POSIX_PIPE_BUF;
    if (!c->polled)
        return count;
    for (int i = 0; i < count; i++) {
        iov[i].iov_len = MIN(iov[i].iov_len, left);
        left -= iov[i].iov_len;
        if (left == 0)
            return i + 1;
    }
    return count;
}

ssize_t connection_put(leat_connection *c, struct iovec *iov, int count)
{
    struct op op = {.kind = OP_WRITE, .fd = {-1, c->fd}, .offset = {-1, -1}, .iov = iov};
    op.flags = c->is_socket ? OP_SOCKET | OP_NOWAIT : 0;
    op.iov_count = clip(c, iov, count);
    if (!is_ready(c, POLLOUT))
        return -EAGAIN;
    struct sigpipe_guard guard;
    if (!c->is_socket)
        sigpipe_enter(&guard);
    ssize_t n = op_execute(&op);
    if (!c->is_socket)
        sigpipe_leave(&guard);
    if (n == -EWOULDBLOCK)
        n = -EAGAIN;
    if (n < 0 && n != -EAGAIN)
        c->failed = (int)n;
    return n;
}

/* All bytes are written: tells the peer that this is the end. */
static int shut_down(leat_connection *c)
{
    if (!c->shut && c->is_socket && shutdown(c->fd, SHUT_WR) < 0)
        return c->failed = -errno;
    c->shut = true;
    return 0;
}

int leat_connection_flush(leat_connection *c)
{
    struct iovec iov[CONNECTION_PIECES];
    int count;
    while (!c->failed) {
        int r = stream_peek_iov(c->output, iov, CONNECTION_PIECES, &count);
        if (r == -EAGAIN)
            return 0;
        if (r < 0)
            return c->failed = r;
        if (count == 0)
            return shut_down(c);
        ssize_t n = connection_put(c, iov, count);
        if (n < 0)
            return (int)n;
        leat_stream_skip(c->output, (size_t)n);
    }
    return c->failed;
}

/* ---- the peer ---- */

static int tcp_name(const struct sockaddr_storage *peer, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)peer;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)peer;
    bool is_six = peer->ss_family == AF_INET6;
    if (!inet_ntop(peer->ss_family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr, host, sizeof(host)))
        return -errno;
    if (is_six)
        return snprintf(text, size, "tcp:[%s]:%u", host, ntohs(six->sin6_port));
    return snprintf(text, size, "tcp:%s:%u", host, ntohs(four->sin_port));
}

/* An abstract name (Linux; it begins with a NUL) counts as none. */
static int unix_name(const struct sockaddr_storage *peer, socklen_t n, char *text, size_t size)
{
    const struct sockaddr_un *path = (const struct sockaddr_un *)(const void *)peer;
    size_t most = n > offsetof(struct sockaddr_un, sun_path) ? n - offsetof(struct sockaddr_un, sun_path) : 0;
    return snprintf(text, size, "unix:%.*s", (int)most, most ? path->sun_path : "");
}

int leat_connection_peer(leat_connection *c, char *spec, size_t capacity)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(peer);
    char text[sizeof(struct sockaddr_un) + 64];
    int length;
    if (c->is_socket && getpeername(c->fd, (struct sockaddr *)&peer, &n) < 0)
        return -errno;
    if (peer.ss_family == AF_UNIX)
        length = unix_name(&peer, n, text, sizeof(text));
    else if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6)
        length = tcp_name(&peer, text, sizeof(text));
    else
        length = snprintf(text, sizeof(text), "fd:%d", c->fd);
    if (length < 0 || (size_t)length >= capacity)
        return length < 0 ? length : -ENOSPC;
    memcpy(spec, text, (size_t)length + 1);
    return 0;
}
