/* Endpoints of the benchmark's own: a cached file, pipes, sockets. */
#include "bench_flow.h"
#include "bench_peer.h"
#include "bench_place.h"
#include "bench_system.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
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
    size_t pipe; /* 0: as the system makes them */
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

struct own {
    struct ends ends;
    const struct own_row *row;
    const struct place *place;
    uint64_t size;
    int fd[2]; /* what the pipeline has of pipes and sockets: source, sink */
    struct peer peer[2];
};

/* ---- pairs: [0] is read, [1] is written ---- */

static int make_pipe(int ret[2], size_t size)
{
    if (pipe(ret) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        fcntl(ret[i], F_SETFD, FD_CLOEXEC);
    int r = size ? system_pipe_size(ret[1], size) : 0;
    if (r < 0 && r != -ENOSYS) {
        close(ret[0]);
        close(ret[1]);
        return r;
    }
    return 0;
}

static int connect_to(int listener, int ret[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int r = -1;
    ret[0] = -1;
    ret[1] = socket(AF_INET, SOCK_STREAM, 0);
    if (ret[1] >= 0 && bind(listener, (struct sockaddr *)&address, n) == 0 && listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &n) == 0)
        r = connect(ret[1], (struct sockaddr *)&address, n);
    if (r == 0)
        ret[0] = accept(listener, NULL, NULL);
    if (ret[0] >= 0)
        return 0;
    r = errno ? -errno : -EIO;
    if (ret[1] >= 0)
        close(ret[1]);
    return r;
}

static int make_tcp(int ret[2])
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int r = listener < 0 ? -errno : connect_to(listener, ret);
    if (listener >= 0)
        close(listener);
    for (int i = 0; i < 2 && r == 0; i++)
        fcntl(ret[i], F_SETFD, FD_CLOEXEC);
    return r;
}

static int make_unix(int ret[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ret) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        fcntl(ret[i], F_SETFD, FD_CLOEXEC);
    return 0;
}

static int make_pair(enum end_kind kind, size_t pipe_size, int ret[2])
{
    return kind == END_PIPE ? make_pipe(ret, pipe_size) : kind == END_UNIX ? make_unix(ret) : make_tcp(ret);
}

/* ---- one run ---- */

static void close_ends(struct own *own)
{
    for (int side = 0; side < 2; side++) {
        if (own->fd[side] >= 0)
            close(own->fd[side]);
        own->fd[side] = -1;
    }
    for (int side = 0; side < 2; side++)
        peer_join(&own->peer[side]);
}

/* A pair with a thread at its other end. */
static int open_stream(struct own *own, int side, enum end_kind kind, leat_endpoint **ret)
{
    int pair[2] = {-1, -1};
    int r = make_pair(kind, own->row->pipe, pair);
    if (r < 0)
        return r;
    own->fd[side] = pair[side];
    r = peer_start(&own->peer[side], side == 0 ? PEER_FEED : own->row->reader, pair[1 - side],
                   side == 0 ? own->size : 0);
    return r < 0 ? r : leat_endpoint_from_fd(ret, own->fd[side], LEAT_BORROW);
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
    return open_stream(own, side, kind, ret);
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

static int measure_row(const struct own_row *row, const struct place *place, const struct bench_options *o)
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
    struct place place = {0};
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
