/* SPDX-License-Identifier: MIT */
/* Measures between endpoints that the benchmark makes: a cached file, pipes, sockets. */
#include "bench/flow.h"
#include "bench/peer.h"
#include "bench/place.h"
#include "bench/system.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum end_kind {
    END_FILE,
    END_NULL,
    END_PIPE,
    END_UNIX,
    END_TCP,
};

static const struct own_row {
    const char *name, *title;
    enum end_kind from, to;
    size_t pipe; /* 0: the system's default */
    enum peer_job reader;
} own_rows[] = {
    {"file-to-file", "a cached file to a new one", END_FILE, END_FILE, 0, PEER_NONE},
    {"file-to-null", "a cached file to /dev/null", END_FILE, END_NULL, 0, PEER_NONE},
    {"file-to-pipe/64K", "a cached file to a reader that looks at it", END_FILE, END_PIPE, 64u << 10, PEER_SUM},
    {"file-to-pipe/1M", "a cached file to a reader that looks at it", END_FILE, END_PIPE, 1u << 20, PEER_SUM},
    {"file-to-pipe/1M/null", "a cached file to a reader that throws it away", END_FILE, END_PIPE, 1u << 20, PEER_THROW},
    {"pipe-to-pipe/64K", "to a reader that looks at it", END_PIPE, END_PIPE, 64u << 10, PEER_SUM},
    {"pipe-to-pipe/1M", "to a reader that looks at it", END_PIPE, END_PIPE, 1u << 20, PEER_SUM},
    {"pipe-to-pipe/1M/null", "to a reader that throws it away", END_PIPE, END_PIPE, 1u << 20, PEER_THROW},
    {"pipe-to-file", "a pipe to a new file", END_PIPE, END_FILE, 1u << 20, PEER_NONE},
    {"file-to-unix", "a cached file to a Unix socket whose reader looks at it", END_FILE, END_UNIX, 0, PEER_SUM},
    {"file-to-tcp", "a cached file to a TCP socket on the loopback", END_FILE, END_TCP, 0, PEER_SUM},
    {"unix-to-file", "a Unix socket to a new file", END_UNIX, END_FILE, 0, PEER_NONE},
    {"tcp-to-file", "a TCP socket on the loopback to a new file", END_TCP, END_FILE, 0, PEER_NONE},
};
#define OWN_ROWS (sizeof(own_rows) / sizeof(own_rows[0]))

struct own_listener {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } at;
    socklen_t size;
    char spec[128]; /* empty: there is no listener */
};

struct own {
    struct ends ends;
    const struct own_row *row;
    const struct bench_place *place;
    uint64_t size;
    int fd[2];                       /* the pipeline's ends of pipes: source, sink */
    struct own_listener listener[2]; /* to which the pipeline connects */
    struct peer peer[2];
};

/* ---- listeners ---- */

static int listen_at(struct own_listener *l)
{
    int fd = socket(l->at.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (bind(fd, &l->at.any, l->size) == 0 && listen(fd, 2) == 0 && getsockname(fd, &l->at.any, &l->size) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

/* Returns a listener at a new address. The library connects to it, so that the library makes the connection: it does
 * not splice connections that others made. */
static int make_listener(struct own_listener *l, enum end_kind kind, const struct bench_place *place)
{
    *l = (struct own_listener){.size = 0};
    if (kind == END_TCP) {
        l->at.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        l->size = sizeof(l->at.in);
        int fd = listen_at(l);
        snprintf(l->spec, sizeof(l->spec), "tcp:127.0.0.1:%d", ntohs(l->at.in.sin_port));
        return fd;
    }
    l->at.un.sun_family = AF_UNIX;
    l->size = sizeof(l->at.un);
    int n = snprintf(l->at.un.sun_path, sizeof(l->at.un.sun_path), "%s/socket", place->folder);
    if (n < 0 || (size_t)n >= sizeof(l->at.un.sun_path))
        return -ENAMETOOLONG;
    snprintf(l->spec, sizeof(l->spec), "unix:%s/socket", place->folder);
    return listen_at(l);
}

/* If a peer still waits for a connection, connects once and closes at once, so that the peer ends. */
static void end_listener(struct own_listener *l)
{
    int fd = l->spec[0] ? socket(l->at.any.sa_family, SOCK_STREAM, 0) : -1;
    if (fd >= 0) {
        int r = connect(fd, &l->at.any, l->size);
        (void)r; /* it fails if the listener is closed */
        close(fd);
    }
    if (l->spec[0] && l->at.any.sa_family == AF_UNIX)
        unlink(l->at.un.sun_path);
    l->spec[0] = '\0';
}

/* ---- one run ---- */

static void close_ends(struct own *own)
{
    for (int side = 0; side < 2; side++) {
        if (own->fd[side] >= 0)
            close(own->fd[side]);
        own->fd[side] = -1;
    }
    for (int side = 0; side < 2; side++) {
        end_listener(&own->listener[side]);
        peer_join(&own->peer[side]);
    }
}

static int open_pipe(struct own *own, int side, enum peer_job job, leat_endpoint **ret)
{
    int fd = peer_pipe(&own->peer[side], job, own->row->pipe, side == 0 ? own->size : 0);
    own->fd[side] = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : leat_endpoint_from_fd(ret, fd, LEAT_BORROW);
}

static int open_socket(struct own *own, int side, enum end_kind kind, enum peer_job job, leat_endpoint **ret)
{
    struct own_listener *l = &own->listener[side];
    int fd = make_listener(l, kind, own->place);
    int r = fd < 0 ? fd : peer_start_listener(&own->peer[side], job, fd, side == 0 ? own->size : 0);
    return r < 0 ? r : leat_endpoint_open(ret, l->spec, side == 0 ? LEAT_READ : LEAT_WRITE, NULL, NULL);
}

static int open_side(struct own *own, int side, leat_endpoint **ret)
{
    enum end_kind kind = side == 0 ? own->row->from : own->row->to;
    enum leat_direction direction = side == 0 ? LEAT_READ : LEAT_WRITE;
    if (kind == END_FILE)
        return leat_endpoint_open(ret, side == 0 ? own->place->source_spec : own->place->target_spec, direction, NULL,
                                  NULL);
    if (kind == END_NULL)
        return leat_endpoint_open(ret, "/dev/null", direction, NULL, NULL);
    enum peer_job job = side == 0 ? PEER_FEED : own->row->reader;
    return kind == END_PIPE ? open_pipe(own, side, job, ret) : open_socket(own, side, kind, job, ret);
}

static int begin(struct ends *ends, leat_endpoint **ret_source, leat_endpoint **ret_sink, char reason[REASON])
{
    struct own *own = (struct own *)ends;
    int r = open_side(own, 0, ret_source);
    if (r == 0) {
        r = open_side(own, 1, ret_sink);
        if (r < 0)
            leat_endpoint_close(*ret_source);
    }
    if (r < 0) {
        snprintf(reason, REASON, "%s", strerror(-r));
        close_ends(own);
    }
    return r;
}

static int finish(struct ends *ends, uint64_t bytes, double *ret_cpu)
{
    struct own *own = (struct own *)ends;
    bool read = own->peer[1].running;
    close_ends(own);
    *ret_cpu = own->peer[0].cpu_seconds + own->peer[1].cpu_seconds;
    return read && bytes != UINT64_MAX && own->peer[1].bytes != bytes ? -EIO : 0;
}

static void clean(struct ends *ends)
{
    unlink(((struct own *)ends)->place->target);
}

/* ---- all rows ---- */

static bool any_wanted(const char *only)
{
    for (size_t i = 0; i < OWN_ROWS; i++)
        if (row_wanted(own_rows[i].name, only))
            return true;
    return false;
}

static int measure_row(const struct own_row *row, const struct bench_place *place, const struct bench_options *o)
{
    struct own own = {.ends = {.begin = begin, .finish = finish, .clean = clean},
                      .row = row,
                      .place = place,
                      .size = o->size,
                      .fd = {-1, -1}};
    char title[256], size[32];
    snprintf(title, sizeof(title), "%s, %s", row->title, size_text(o->size, size));
    return flow_row(row->name, title, row->from == END_PIPE || row->to == END_PIPE ? row->pipe : 0, &own.ends, o);
}

int bench_own(const struct bench_options *o)
{
    struct bench_place place = {0};
    int code = 0;
    if (!any_wanted(o->only))
        return 0;
    int r = place_make(&place, o->directory);
    if (r == 0)
        r = place_fill(&place, o->size);
    if (r < 0 && r != -ECANCELED) {
        cli_warn("bench: a file of %llu bytes in '%s': %s; --size and --directory choose others",
                 (unsigned long long)o->size, o->directory, strerror(-r));
        code = EXIT_FAILED;
    }
    for (size_t i = 0; i < OWN_ROWS && r == 0 && code == 0 && !stop_asked(); i++)
        if (row_wanted(own_rows[i].name, o->only))
            code = measure_row(&own_rows[i], &place, o);
    place_remove(&place);
    return code;
}
