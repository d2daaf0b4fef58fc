/* SPDX-License-Identifier: MIT */
/* Stream sockets: connected, accepted, or handed in as a pair of endpoints. The descriptor has a reference count, and
 * the last reference closes it. It is connected in `open`, shut down in `commit`, and reset in `abort`. */
#include "net/socket.h"
#include "base/fd.h"
#include "base/quote.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#define CONNECT_DEFAULT_MS 30000
#define DRAIN_MAX          256          /* Reads. */
#define UNIX_BUFFER        (512 * 1024) /* Or what the system allows. The kernel doubles it. */

struct shared {
    atomic_uint refs;
    int fd;
    bool owned;
    bool paired; /* The other direction is another endpoint. */
};

struct socket {
    leat_endpoint endpoint;
    bool listens;
    char *host, *port; /* TCP. host NULL: loopback. */
    char *path;        /* Unix. */
    int64_t timeout_ns;
    struct addresses addresses;
    struct dialer dialer;
    struct listener listener;
    struct shared *shared; /* NULL: not open yet, or closed. */
};

/* ---- the descriptor ---- */

static struct shared *shared_new(int fd, bool owned, bool paired)
{
    struct shared *shared = malloc(sizeof(*shared));
    if (shared) {
        *shared = (struct shared){.fd = fd, .owned = owned, .paired = paired};
        atomic_init(&shared->refs, paired ? 2 : 1);
    }
    return shared;
}

static struct shared *shared_unref(struct shared *shared)
{
    if (shared && atomic_fetch_sub(&shared->refs, 1) == 1) {
        if (shared->owned)
            fd_close(shared->fd);
        free(shared);
    }
    return NULL;
}

static bool is_tcp(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    return address.ss_family == AF_INET || address.ss_family == AF_INET6;
}

/* TCP sends bytes as they come, and notices a peer whose machine is gone at last. A Unix socket is ready for writing
 * only when three quarters of its buffer are free. With the usual 208 KiB its reader would have run dry by then, so the
 * buffer is larger. */
static void set_options(int fd)
{
    if (is_tcp(fd)) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
    } else
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){UNIX_BUFFER}, sizeof(int));
}

/* ---- opening ---- */

static const char *hint(const struct socket *s, int code)
{
    switch (-code) {
    case ECONNREFUSED:
        return "nobody listens there";
    case ENOENT:
        return s->listens ? "there is no such directory" : "nobody listens there";
    case EADDRINUSE:
        return s->path ? "something is there already, and it is no dead socket" : "another program has this port";
    case EADDRNOTAVAIL:
        return "no address of this machine";
    case EACCES:
        return s->path ? NULL : "ports below 1024 may need a privilege";
    case ETIMEDOUT:
        return s->listens ? "no peer has connected in the time that is allowed"
                          : "no answer in the time that is allowed for connecting";
    default:
        return NULL;
    }
}

static int find_addresses(struct socket *s, struct leat_error *error)
{
    if (s->addresses.first)
        return 0;
    if (!s->path)
        return addresses_find(&s->addresses, &s->endpoint.node, s->host, s->port, error);
    addresses_path(&s->addresses, s->path);
    return 0;
}

static int socket_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct socket *s = (struct socket *)node;
    const char *operation = "connect";
    if (!s->shared) {
        int r = find_addresses(s, error);
        if (r < 0)
            return r;
        int fd = s->listens ? listener_next(&s->listener, &s->addresses, node, s->timeout_ns, &operation)
                            : dialer_next(&s->dialer, &s->addresses, node, s->timeout_ns);
        if (fd == -EAGAIN)
            return fd;
        node->deadline_ns = 0;
        if (fd == -ETIMEDOUT)
            error_advise(error, LEAT_ADVICE_CONNECT_TIMEOUT);
        if (fd < 0)
            return endpoint_error(node, error, fd, operation, hint(s, fd));
        set_options(fd);
        s->shared = shared_new(fd, true, false);
        if (!s->shared) {
            fd_close(fd);
            return endpoint_error(node, error, -ENOMEM, "malloc", NULL);
        }
    }
    node_set_fd(node, s->shared->fd, -1, node->wait);
    return 0;
}

/* ---- the end ---- */

/* Reads and drops what the peer has sent to a sink. Closing a socket with unread bytes resets it, and then the peer
 * might lose bytes that it has not read yet. */
static void drain(int fd)
{
    char bytes[4096];
    for (int i = 0; i < DRAIN_MAX && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0; i++)
        ;
}

/* Tells the peer the end, and checks as far as possible that the peer is there: a peer that has reset or left meanwhile
 * is an error. */
static int socket_commit(struct node *node, struct leat_error *error)
{
    struct socket *s = (struct socket *)node;
    int fd = s->shared->fd, code = 0;
    if (node->direction == LEAT_READ)
        return 0;
    int r = shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &(socklen_t){sizeof(code)}) == 0 && code)
        r = -code;
    if (r == -ENOTCONN)
        r = -ECONNRESET;
    if (r < 0)
        return endpoint_error(node, error, r, "shutdown", "the peer has gone before the end");
    if (!s->shared->paired)
        drain(fd);
    return 0;
}

/* The descriptor of a pair stays open for the other direction, so closing this end tells the peer nothing yet.
 * Connecting it to an address of AF_UNSPEC resets it at once. */
static void socket_abort(struct node *node, int code UNUSED, uint64_t delivered UNUSED)
{
    struct socket *s = (struct socket *)node;
    if (!s->shared || (s->shared->paired && node->direction == LEAT_READ))
        return;
    if (!is_tcp(s->shared->fd)) {
        node->left =
            node->direction == LEAT_WRITE ? "its reader sees an end like any other, for it has no reset" : NULL;
        return;
    }
    if (s->shared->owned)
        fd_reset_on_close(s->shared->fd);
    if (s->shared->paired) {
        struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
        int r = connect(s->shared->fd, &nowhere, sizeof(nowhere));
        (void)r;
    }
}

static void socket_close(struct node *node)
{
    struct socket *s = (struct socket *)node;
    s->dialer.fd = fd_close(s->dialer.fd);
    listener_close(&s->listener, &s->addresses);
    s->shared = shared_unref(s->shared);
    node->fd = node->port.fd = -1;
}

static void socket_free(leat_endpoint *endpoint)
{
    struct socket *s = (struct socket *)endpoint;
    addresses_free(&s->addresses);
    free(s->host);
    free(s->port);
    free(s->path);
    free(s);
}

static const struct node_ops socket_ops = {
    .name = "socket",
    .open = socket_open,
    .commit = socket_commit,
    .abort = socket_abort,
    .close = socket_close,
};

/* ---- resolving ---- */

static int socket_new(struct socket **ret, const char *spec, enum leat_direction direction)
{
    struct socket *s = calloc(1, sizeof(*s));
    if (!s || endpoint_init(&s->endpoint, &socket_ops, spec, direction, socket_free) < 0) {
        free(s);
        return -ENOMEM;
    }
    s->dialer.fd = s->listener.fd = -1;
    s->endpoint.node.kind = NODE_SOCKET;
    s->endpoint.node.wait = NODE_WAIT_OWN;
    *ret = s;
    return 0;
}

static void set_timeout(struct socket *s, bool listens, const struct leat_endpoint_options *options)
{
    int64_t ms = options ? options->connect_timeout_ms : 0;
    s->listens = listens;
    if (ms == 0 && !listens)
        ms = CONNECT_DEFAULT_MS;
    s->timeout_ns = ms > 0 ? ms * 1000000 : 0;
}

/* HOST:PORT or [HOST]:PORT; also PORT alone for a listener. */
static int parse_tcp(struct socket *s, const char *text, struct leat_error *error)
{
    if (strncmp(text, "//", 2) == 0) {
        const char *shown = quote_without_login(s->endpoint.spec);
        const char *address = shown == s->endpoint.spec ? text + 2 : shown;
        return error_set(error, -EINVAL, "'%s' is no address: an address has no slashes, write %s:%.*s", shown,
                         s->listens ? "tcp-listen" : "tcp", (int)strcspn(address, "/"), address);
    }
    const char *colon = strrchr(text, ':'), *host = text;
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n >= 2 && text[0] == '[' && colon[-1] == ']') {
        host = text + 1;
        n -= 2;
    } else if (n && memchr(text, ':', n))
        return error_set(error, -EINVAL, "'%s' has too many colons: write [ADDRESS]:PORT", text);
    const char *port = colon ? colon + 1 : text;
    if (!port[0] || (colon && n == 0) || (!colon && !s->listens))
        return error_set(error, -EINVAL, "'%s' is no address: write %s", s->endpoint.spec,
                         s->listens ? "tcp-listen:PORT or tcp-listen:HOST:PORT" : "tcp:HOST:PORT");
    char *end;
    unsigned long number = strtoul(port, &end, 10);
    if (isdigit((unsigned char)port[0]) && (*end || number < 1 || number > 65535))
        return error_set(error, -EINVAL, "'%s' is no port: it is a number from 1 to 65535, or a name", port);
    s->host = colon ? strndup(host, n) : NULL;
    s->port = strdup(port);
    s->endpoint.node.network = true;
    return s->port && (s->host || !colon) ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int parse_path(struct socket *s, const char *text, struct leat_error *error)
{
    const size_t most = sizeof(s->addresses.path.sun_path) - 1;
    if (!text[0])
        return error_set(error, -EINVAL, "'%s' names no path", s->endpoint.spec);
    if (strlen(text) > most)
        return error_set(
            error, -ENAMETOOLONG,
            "The path of a socket has at most %zu bytes and this one has %zu; a relative path may be shorter", most,
            strlen(text));
    s->path = strdup(text);
    return s->path ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int resolve(leat_endpoint **ret, const char *spec, const char *rest, bool listens, enum leat_direction direction,
                   const struct leat_endpoint_options *options, struct leat_error *error,
                   int (*parse)(struct socket *s, const char *text, struct leat_error *error))
{
    struct socket *s;
    if (socket_new(&s, spec, direction) < 0)
        return error_set(error, -ENOMEM, "out of memory");
    set_timeout(s, listens, options);
    int r = parse(s, rest, error);
    if (r < 0)
        leat_endpoint_close(&s->endpoint);
    else
        *ret = &s->endpoint;
    return r;
}

int net_tcp_endpoint(leat_endpoint **ret, const char *spec, const char *rest, bool listens,
                     enum leat_direction direction, const struct leat_endpoint_options *options,
                     struct leat_error *error)
{
    return resolve(ret, spec, rest, listens, direction, options, error, parse_tcp);
}

int net_unix_endpoint(leat_endpoint **ret, const char *spec, const char *rest, bool listens,
                      enum leat_direction direction, const struct leat_endpoint_options *options,
                      struct leat_error *error)
{
    return resolve(ret, spec, rest, listens, direction, options, error, parse_path);
}

/* ---- both directions of one ---- */

static int check_stream(int fd)
{
    int type = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof(type)}) < 0)
        return -errno;
    return type == SOCK_STREAM ? 0 : -EPROTOTYPE;
}

static int make_pair(struct socket *end[2], int fd, bool owned)
{
    char spec[32];
    snprintf(spec, sizeof(spec), "fd:%d", fd);
    int r = check_stream(fd);
    for (int i = 0; i < 2 && r == 0; i++)
        r = socket_new(&end[i], spec, i == 0 ? LEAT_READ : LEAT_WRITE);
    struct shared *shared = r == 0 ? shared_new(fd, owned, true) : NULL;
    if (!shared)
        return r < 0 ? r : -ENOMEM;
    /* Only if the caller gave the descriptor away does it stay non-blocking: then no one else changes its flags. */
    bool own = owned && (fcntl(fd, F_GETFL) & O_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        end[i]->shared = shared;
        end[i]->endpoint.directed = true;
        end[i]->endpoint.node.wait = own ? NODE_WAIT_OWN : NODE_WAIT_ASK;
    }
    return 0;
}

int leat_endpoint_duplex(leat_endpoint **ret_read, leat_endpoint **ret_write, int fd, enum leat_ownership ownership)
{
    struct socket *end[2] = {NULL, NULL};
    int r = enum_check(ownership, LEAT_TAKE);
    if (r == 0)
        r = make_pair(end, fd, ownership == LEAT_TAKE);
    if (r < 0) {
        for (int i = 0; i < 2; i++)
            leat_endpoint_close(end[i] ? &end[i]->endpoint : NULL);
        if (ownership == LEAT_TAKE)
            fd_close(fd);
        return r;
    }
    *ret_read = &end[0]->endpoint;
    *ret_write = &end[1]->endpoint;
    return 0;
}
