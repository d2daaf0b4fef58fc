/* SPDX-License-Identifier: MIT */
/* emscripten: it has no sockets without a proxy
 * Sockets: what is refused and how it is said; connecting and listening with their limits; the end, the reset, and
 * which side is named; both directions of one. */
#include "base/platform.h"
#include "route/hop.h"
#include "unit/endpoint/endpoints.h"
#include "unit/flow/pipelines.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define BREAK   ((1 << 20) + 1) /* where the sender fails */
#define OLD     "the old file"
#define LATE_MS 25000 /* no call is so late because a machine is slow, and own limits are longer */

static const char *const routes[] = {"prefer:splice", "prefer:offload", "chunk"};

/* A build may lack routes. */
static bool has_route(const char *name)
{
    const char *bare = strncmp(name, "prefer:", 7) == 0 ? name + 7 : name;
    for (size_t i = 0; registry_routes[i]; i++)
        if (strcmp(registry_routes[i]->name, bare) == 0)
            return true;
    return false;
}

/* ---- close-on-exec from the start ---- */

static atomic_bool watched;
static atomic_int made, bare; /* descriptors; those of them that a child started at that moment would have */

static void look_at(int type)
{
    if (!atomic_load(&watched))
        return;
    atomic_fetch_add(&made, 1);
    atomic_fetch_add(&bare, !(type & SOCK_CLOEXEC));
}

#ifdef SYS_accept4
int socket(int family, int type, int protocol)
{
    look_at(type);
    return (int)syscall(SYS_socket, family, type, protocol);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    look_at(flags);
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return accept4(fd, address, length, 0);
}

int pipe2(int fd[2], int flags)
{
    look_at(flags & O_CLOEXEC ? SOCK_CLOEXEC : 0);
    return (int)syscall(SYS_pipe2, fd, flags);
}
#endif

/* ---- peers ---- */

static unsigned port_of(int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)}), 0);
    return ntohs(address.sin_port);
}

static int bound_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int listening_tcp(int backlog, char spec_text[64])
{
    int fd = bound_tcp();
    assert_int_equal(listen(fd, backlog), 0);
    snprintf(spec_text, 64, "tcp:127.0.0.1:%u", port_of(fd));
    return fd;
}

static int listening_unix(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void tcp_pair(int ret[2])
{
    char text[64];
    struct sockaddr_in address;
    int listener = listening_tcp(1, text);
    getsockname(listener, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    ret[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(ret[0], (struct sockaddr *)&address, sizeof(address)), 0);
    ret[1] = accept(listener, NULL, NULL);
    close(listener);
}

/* A port that nobody has; a number only, so that somebody might take it. */
static unsigned free_port(void)
{
    int fd = bound_tcp();
    unsigned port = port_of(fd);
    close(fd);
    return port;
}

static leat_endpoint *limited(const char *text, enum leat_direction direction, int connect_ms, int idle_ms)
{
    struct leat_endpoint_options options = {
        .size = sizeof(options), .connect_timeout_ms = connect_ms, .idle_timeout_ms = idle_ms};
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_open(&e, text, direction, &options, NULL), 0);
    return e;
}

/* Runs it; the error it has to end with is copied before the report goes. */
static int run(leat_pipeline *p, struct leat_error *ret, char place[128])
{
    leat_report *report;
    int r = leat_pipeline_run(p, &report);
    *ret = (struct leat_error){0};
    if (leat_report_error(report)) {
        *ret = *leat_report_error(report);
        snprintf(place, 128, "%s %.90s", ret->operation, ret->node);
        assert_true(ret->taken == ret->delivered + ret->held || ret->side == LEAT_SIDE_SOURCE);
    }
    leat_report_free(report);
    leat_pipeline_free(p);
    return r;
}

static void fails(leat_pipeline *p, int code, enum leat_side side, const char *where, const char *words)
{
    struct leat_error error;
    char place[128] = "";
    int r = run(p, &error, place);
    if (r != code || error.side != (int32_t)side || strcmp(place, where) != 0 || !strstr(error.text, words))
        fail_msg("%d (not %d), side %d, '%s' (not '%s'): %s", r, code, error.side, place, where, error.text);
}

static void milliseconds_between(int64_t begin, int64_t least, int64_t most)
{
    int64_t ms = (clock_ns() - begin) / 1000000;
    if (ms < least || ms > most)
        fail_msg("%lld ms, not %lld to %lld", (long long)ms, (long long)least, (long long)most);
}

/* ---- what is refused ---- */

static void specs_that_are_refused(void **state UNUSED)
{
    char path[200];
    refused("tcp:", LEAT_READ, 0, -EINVAL, "tcp:HOST:PORT");
    refused("tcp:9000", LEAT_READ, 0, -EINVAL, "tcp:HOST:PORT");
    refused("tcp:host:", LEAT_WRITE, 0, -EINVAL, "tcp:HOST:PORT");
    refused("tcp::9000", LEAT_WRITE, 0, -EINVAL, "tcp:HOST:PORT");
    refused("tcp:::1:9000", LEAT_READ, 0, -EINVAL, "[ADDRESS]:PORT");
    refused("tcp:[]:9000", LEAT_READ, 0, -EINVAL, "");
    refused("tcp:host:0", LEAT_READ, 0, -EINVAL, "65535");
    refused("tcp:host:65536", LEAT_READ, 0, -EINVAL, "65535");
    refused("tcp:host:9x", LEAT_READ, 0, -EINVAL, "65535");
    refused("tcp://host:9000", LEAT_READ, 0, -EINVAL, "write tcp:host:9000");
    refused("tcp://[::1]:9000/", LEAT_WRITE, 0, -EINVAL, "write tcp:[::1]:9000");
    refused("tcp-listen://host:9000", LEAT_READ, 0, -EINVAL, "write tcp-listen:host:9000");
    refused("tcp-listen:", LEAT_READ, 0, -EINVAL, "tcp-listen:PORT");
    refused("tcp-listen::9000", LEAT_READ, 0, -EINVAL, "tcp-listen:PORT");
    refused("unix:", LEAT_READ, 0, -EINVAL, "no path");
    refused("unix-listen:", LEAT_WRITE, 0, -EINVAL, "no path");
    snprintf(path, sizeof(path), "unix:%0108d", 1);
    refused(path, LEAT_WRITE, 0, -ENAMETOOLONG, "at most 107 bytes");
    path[strlen(path) - 1] = '\0';
    leat_endpoint_close(opened(path, LEAT_WRITE, 0));
    leat_endpoint_close(opened("tcp:[::1]:http", LEAT_WRITE, 0));
    leat_endpoint_close(opened("tcp-listen:[::]:9000", LEAT_WRITE, 0));
    assert_int_equal(unit_entries(), 0);
}

static void nobody_is_there(void **state UNUSED)
{
    char text[64], where[80];
    snprintf(text, sizeof(text), "tcp:127.0.0.1:%u", free_port());
    snprintf(where, sizeof(where), "connect %s", text);
    fails(pipeline_of(NULL, from_bytes("x", 1), spec(text, LEAT_WRITE)), -ECONNREFUSED, LEAT_SIDE_SINK, where,
          "nobody listens there");
    fails(pipeline_of(NULL, spec(text, LEAT_READ), spec("null:", LEAT_WRITE)), -ECONNREFUSED, LEAT_SIDE_SOURCE, where,
          "nobody listens there");
    fails(pipeline_of(NULL, from_bytes("x", 1), spec("unix:missing", LEAT_WRITE)), -ENOENT, LEAT_SIDE_SINK,
          "connect unix:missing", "nobody listens there");
    close(listening_unix("dead", 1));
    fails(pipeline_of(NULL, from_bytes("x", 1), spec("unix:dead", LEAT_WRITE)), -ECONNREFUSED, LEAT_SIDE_SINK,
          "connect unix:dead", "nobody listens there");
    fails(pipeline_of(NULL, from_bytes("x", 1), spec("tcp:nonesuch.invalid:9", LEAT_WRITE)), -EHOSTUNREACH,
          LEAT_SIDE_SINK, "getaddrinfo tcp:nonesuch.invalid:9", "nonesuch.invalid");
}

static void a_place_to_listen_that_is_taken(void **state UNUSED)
{
    char text[64], where[80];
    int fd = listening_tcp(1, text);
    snprintf(text, sizeof(text), "tcp-listen:%u", port_of(fd));
    snprintf(where, sizeof(where), "bind %s", text);
    fails(pipeline_of(NULL, spec(text, LEAT_READ), spec("null:", LEAT_WRITE)), -EADDRINUSE, LEAT_SIDE_SOURCE, where,
          "another program has this port");
    close(fd);
    fd = listening_unix("live", 1);
    unit_write("file", OLD, strlen(OLD));
    fails(pipeline_of(NULL, spec("unix-listen:live", LEAT_READ), spec("null:", LEAT_WRITE)), -EADDRINUSE,
          LEAT_SIDE_SOURCE, "bind unix-listen:live", "no dead socket");
    fails(pipeline_of(NULL, spec("unix-listen:file", LEAT_READ), spec("null:", LEAT_WRITE)), -EADDRINUSE,
          LEAT_SIDE_SOURCE, "bind unix-listen:file", "no dead socket");
    fails(pipeline_of(NULL, spec("unix-listen:no/such", LEAT_READ), spec("null:", LEAT_WRITE)), -ENOENT,
          LEAT_SIDE_SOURCE, "bind unix-listen:no/such", "no such directory");
    unit_holds("file", OLD);
    assert_int_equal(access("live", F_OK), 0);
    assert_int_equal(unit_entries(), 2);
    close(fd);
}

/* ---- time limits ---- */

static void a_listener_that_does_not_answer(void **state UNUSED)
{
    char text[64], where[80];
    int listener = listening_tcp(0, text), fill[8];
    struct sockaddr_in address;
    getsockname(listener, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    for (size_t i = 0; i < COUNT(fill); i++) { /* until its queue is full, and the rest is not answered */
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r = connect(fill[i], (struct sockaddr *)&address, sizeof(address));
        assert_true(r == 0 || errno == EINPROGRESS);
    }
    snprintf(where, sizeof(where), "connect %s", text);
    int64_t begin = clock_ns();
    fails(pipeline_of(NULL, from_bytes("x", 1), limited(text, LEAT_WRITE, 150, 0)), -ETIMEDOUT, LEAT_SIDE_SINK, where,
          "the time that is allowed");
    milliseconds_between(begin, 150, LATE_MS);
    for (size_t i = 0; i < COUNT(fill); i++)
        close(fill[i]);
    close(listener);
}

static void *accept_later(void *user)
{
    int listener = *(int *)user;
    usleep(100000);
    close(accept(listener, NULL, NULL));
    int fd = accept(listener, NULL, NULL);
    char bytes[8];
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 3);
    close(fd);
    return NULL;
}

/* Nothing tells when a full queue has room again. */
static void a_full_unix_queue(void **state UNUSED)
{
    int listener = listening_unix("full", 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "full"};
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(first, (struct sockaddr *)&address, sizeof(address)), 0);
    int64_t begin = clock_ns();
    fails(pipeline_of(NULL, from_bytes("x", 1), limited("unix:full", LEAT_WRITE, 120, 0)), -ETIMEDOUT, LEAT_SIDE_SINK,
          "connect unix:full", "the time that is allowed");
    milliseconds_between(begin, 120, LATE_MS);
    pthread_t thread;
    pthread_create(&thread, NULL, accept_later, &listener);
    assert_int_equal(run_and_free(pipeline_of(NULL, from_bytes("abc", 3), spec("unix:full", LEAT_WRITE))), 0);
    pthread_join(thread, NULL);
    close(first);
    close(listener);
}

static void a_peer_that_does_not_come(void **state UNUSED)
{
    char text[64], where[80];
    snprintf(text, sizeof(text), "tcp-listen:%u", free_port());
    snprintf(where, sizeof(where), "accept %s", text);
    int64_t begin = clock_ns();
    fails(pipeline_of(NULL, limited(text, LEAT_READ, 100, 0), spec("null:", LEAT_WRITE)), -ETIMEDOUT, LEAT_SIDE_SOURCE,
          where, "no peer has connected");
    fails(pipeline_of(NULL, limited("unix-listen:here", LEAT_READ, 100, 0), spec("null:", LEAT_WRITE)), -ETIMEDOUT,
          LEAT_SIDE_SOURCE, "accept unix-listen:here", "no peer has connected");
    milliseconds_between(begin, 200, LATE_MS);
    assert_int_equal(unit_entries(), 0);
}

/* A cancel ends each of these waits, and nothing is left. */
static void waits_that_are_cancelled(void **state UNUSED)
{
    char text[64];
    int listener = listening_tcp(0, text), full = listening_unix("full", 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "full"};
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(first, (struct sockaddr *)&address, sizeof(address)), 0);
    const char *specs[] = {"unix-listen:here", "unix:full", text};
    for (size_t i = 0; i < COUNT(specs); i++) {
        leat_pipeline *p = pipeline_of(NULL, spec(specs[i], LEAT_READ), spec("null:", LEAT_WRITE));
        assert_int_equal(leat_pipeline_start(p), 0);
        usleep(50000);
        int64_t begin = clock_ns();
        leat_pipeline_cancel(p);
        assert_int_equal(leat_pipeline_wait(p, -1, NULL), -ECANCELED);
        milliseconds_between(begin, 0, LATE_MS);
        leat_pipeline_free(p);
    }
    assert_int_equal(access("here", F_OK), -1);
    close(first);
    close(full);
    close(listener);
}

static void a_peer_that_says_nothing(void **state UNUSED)
{
    char text[64], where[80];
    int listener = listening_tcp(8, text);
    static const char *const ways[] = {"splice", "chunk"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        if (!has_route(ways[i]))
            continue;
        struct leat_pipeline_options options = {.size = sizeof(options), .route = ways[i]};
        int pipe_fd[2];
        assert_int_equal(pipe(pipe_fd), 0);
        leat_endpoint *e;
        assert_int_equal(leat_endpoint_from_fd(&e, pipe_fd[1], LEAT_BORROW), 0);
        int64_t begin = clock_ns();
        snprintf(where, sizeof(where), "%s %s", i == 0 ? "splice" : "read", text);
        fails(pipeline_of(&options, limited(text, LEAT_READ, 0, 100), e), -ETIMEDOUT, LEAT_SIDE_SOURCE, where,
              "the time that is allowed");
        fails(pipeline_of(&options, limited(text, LEAT_READ, 0, 100), spec("out", LEAT_WRITE)), -ETIMEDOUT,
              LEAT_SIDE_SOURCE, where, "the time that is allowed");
        milliseconds_between(begin, 200, LATE_MS);
        close(pipe_fd[0]);
        close(pipe_fd[1]);
    }
    assert_int_equal(unit_entries(), 0);
    close(listener);
}

static void a_peer_that_takes_nothing(void **state UNUSED)
{
    static uint8_t bytes[16 << 20];
    static const char *const ways[] = {"splice", "offload", "chunk"};
    static const char *const calls[] = {"splice", "sendfile", "write"};
    char text[64], where[80];
    int listener = listening_tcp(8, text);
    unit_write("in", bytes, sizeof(bytes));
    for (size_t i = 0; i < COUNT(ways); i++) {
        if (!has_route(ways[i]))
            continue;
        struct leat_pipeline_options options = {.size = sizeof(options), .route = ways[i]};
        int64_t begin = clock_ns();
        snprintf(where, sizeof(where), "%s %s", calls[i], text);
        fails(pipeline_of(&options, spec("in", LEAT_READ), limited(text, LEAT_WRITE, 0, 100)), -ETIMEDOUT,
              LEAT_SIDE_SINK, where, "the time that is allowed");
        milliseconds_between(begin, 100, LATE_MS);
    }
    close(listener);
}

/* One branch stalls, the others go on to their end. */
static void one_of_several_takes_nothing(void **state UNUSED)
{
    static uint8_t bytes[16 << 20];
    char text[64];
    int listener = listening_tcp(8, text);
    struct stat st;
    unit_write("in", bytes, sizeof(bytes));
    for (size_t i = 0; i < COUNT(routes); i++) {
        if (!has_route(routes[i]))
            continue;
        struct leat_pipeline_options options = {.size = sizeof(options), .route = routes[i]};
        leat_report *report;
        leat_pipeline *p = pipeline_of(&options, spec("in", LEAT_READ), limited(text, LEAT_WRITE, 0, 100));
        assert_int_equal(leat_pipeline_sink(p, spec("out", LEAT_WRITE), NULL, NULL), 0);
        assert_int_equal(leat_pipeline_run(p, &report), -ETIMEDOUT);
        assert_int_equal(leat_report_sink_error(report, 0)->code, -ETIMEDOUT);
        assert_null(leat_report_sink_error(report, 1));
        assert_int_equal(stat("out", &st), 0);
        assert_true(st.st_size == sizeof(bytes));
        leat_report_free(report);
        leat_pipeline_free(p);
        unlink("out");
    }
    close(listener);
}

/* Who moves a little now and then is not idle, though it takes longer than the limit in all. */
static void *drip(void *user)
{
    int fd = accept(*(int *)user, NULL, NULL);
    for (int i = 0; i < 5; i++) {
        usleep(60000);
        ssize_t n = send(fd, "x", 1, MSG_NOSIGNAL);
        (void)n;
    }
    close(fd);
    return NULL;
}

static void a_slow_peer_is_not_idle(void **state UNUSED)
{
    char text[64], to[8];
    size_t size = 0;
    int listener = listening_tcp(8, text), r = -ETIMEDOUT;
    /* On a busy machine the peer may be slower than it wants to be, but not always. */
    for (int i = 0; i < 20 && r == -ETIMEDOUT; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, drip, &listener);
        r = run_and_free(pipeline_of(NULL, limited(text, LEAT_READ, 0, 200), to_bytes(to, 8, &size)));
        pthread_join(thread, NULL);
    }
    assert_int_equal(r, 0);
    assert_int_equal(size, 5);
    close(listener);
}

/* ---- two pipelines ---- */

struct receiver {
    leat_pipeline *p;
    char peer[64]; /* the spec for the other side */
};

static struct receiver receiver(const char *listen_text, const char *peer, const char *route)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .route = route};
    struct receiver r = {.p = pipeline_of(&options, spec(listen_text, LEAT_READ), spec("out", LEAT_WRITE))};
    snprintf(r.peer, sizeof(r.peer), "%s", peer);
    assert_int_equal(leat_pipeline_start(r.p), 0);
    return r;
}

static int receiver_end(struct receiver *r, leat_report **ret)
{
    int code = leat_pipeline_wait(r->p, 20000, ret);
    leat_pipeline_free(r->p);
    return code;
}

/* The receiver may not listen yet. */
static int send_to(const struct receiver *r, const char *route, leat_report **ret)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .route = route};
    for (int i = 0;; i++) {
        leat_pipeline *p = pipeline_of(&options, spec("in", LEAT_READ), spec(r->peer, LEAT_WRITE));
        int code = leat_pipeline_run(p, ret);
        leat_pipeline_free(p);
        if (i == 500 || (code != -ECONNREFUSED && code != -ENOENT))
            return code;
        leat_report_free(*ret);
        usleep(10000);
    }
}

static void tcp_specs(char listens[64], char connects[64], const char *host)
{
    unsigned port = free_port();
    if (host)
        snprintf(listens, 64, "tcp-listen:%s:%u", host, port);
    else
        snprintf(listens, 64, "tcp-listen:%u", port);
    snprintf(connects, 64, "tcp:%s:%u", host ? host : "127.0.0.1", port);
}

static void whole(const uint8_t *bytes, size_t n)
{
    struct stat st;
    assert_int_equal(stat("out", &st), 0);
    assert_true(st.st_size == (off_t)n);
    uint8_t *got = malloc(n);
    int fd = open("out", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, got, n), (ssize_t)n);
    assert_memory_equal(got, bytes, n);
    close(fd);
    free(got);
}

static void bytes_arrive_over(const char *listens, const char *connects)
{
    static uint8_t bytes[3000001];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 11));
    unit_write("in", bytes, sizeof(bytes));
    for (size_t i = 0; i < COUNT(routes); i++) {
        if (!has_route(routes[i]))
            continue;
        leat_report *report[2];
        struct receiver r = receiver(listens, connects, routes[i]);
        assert_int_equal(send_to(&r, routes[i], &report[0]), 0);
        assert_int_equal(receiver_end(&r, &report[1]), 0);
        whole(bytes, sizeof(bytes));
        leat_report_free(report[0]);
        leat_report_free(report[1]);
    }
}

static void bytes_arrive(void **state UNUSED)
{
    char listens[64], connects[64];
    tcp_specs(listens, connects, NULL);
    bytes_arrive_over(listens, connects);
    tcp_specs(listens, connects, "localhost");
    bytes_arrive_over(listens, connects);
    close(listening_unix("stale", 1)); /* it is replaced, and afterwards nothing is there */
    bytes_arrive_over("unix-listen:stale", "unix:stale");
    assert_int_equal(access("stale", F_OK), -1);
    close(listening_unix("never-listened", -1));
    bytes_arrive_over("unix-listen:never-listened", "unix:never-listened");
    assert_int_equal(unit_entries(), 2);
}

static void bytes_arrive_by_ipv6(void **state UNUSED)
{
    char listens[64], connects[64];
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool there = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0)
        close(fd);
    if (!there)
        skip();
    tcp_specs(listens, connects, "[::1]");
    bytes_arrive_over(listens, connects);
    unsigned port = free_port(); /* every address, the old ones too */
    snprintf(listens, sizeof(listens), "tcp-listen:[::]:%u", port);
    snprintf(connects, sizeof(connects), "tcp:127.0.0.1:%u", port);
    bytes_arrive_over(listens, connects);
}

/* ---- the reset ---- */

/* The sender's file can be read up to BREAK. */
static bool fail_at_break(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    bool reads = op->kind == OP_READ || op->kind == OP_SPLICE || op->kind == OP_SENDFILE;
    if (!reads || op->offset[0] < 0)
        return true;
    *ret_result = -EIO;
    if (op->offset[0] + (int64_t)op->length > BREAK)
        op->length = (size_t)(BREAK - op->offset[0]);
    return op->length > 0;
}

/* A sender that failed is not taken for one that finished. */
static void a_sender_that_fails(void **state UNUSED)
{
    static uint8_t bytes[BREAK + 5000];
    unit_write("in", bytes, sizeof(bytes));
    for (size_t from = 0; from < COUNT(routes); from++)
        for (size_t to = 0; to < COUNT(routes); to++) {
            if (!has_route(routes[from]) || !has_route(routes[to]))
                continue;
            char listens[64], connects[64];
            leat_report *report[2];
            tcp_specs(listens, connects, NULL);
            unit_write("out", OLD, strlen(OLD));
            op_interpose(fail_at_break, NULL);
            struct receiver r = receiver(listens, connects, routes[to]);
            int sent = send_to(&r, routes[from], &report[0]);
            int received = receiver_end(&r, &report[1]);
            op_interpose(NULL, NULL);
            assert_int_equal(sent, -EIO);
            assert_int_equal(leat_report_error(report[0])->side, LEAT_SIDE_SOURCE);
            assert_true(leat_report_error(report[0])->offset == BREAK);
            if (received != -ECONNRESET)
                fail_msg("%s to %s: %d", routes[from], routes[to], received);
            assert_int_equal(leat_report_error(report[1])->side, LEAT_SIDE_SOURCE);
            assert_non_null(strstr(leat_report_error(report[1])->text, "broke off"));
            unit_holds("out", OLD);
            leat_report_free(report[0]);
            leat_report_free(report[1]);
        }
    assert_int_equal(unit_entries(), 2);
}

/* The same from a bare socket, into a pipe: with splice both sides are foreign, and a reset is told only once. */
static void *reset_after_some(void *user)
{
    int fd = accept(*(int *)user, NULL, NULL);
    char bytes[1000] = "";
    assert_int_equal(write(fd, bytes, sizeof(bytes)), 1000);
    usleep(50000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(fd);
    return NULL;
}

static void a_reset_names_the_right_side(void **state UNUSED)
{
    static const char *const ways[] = {"splice", "chunk"};
    char text[64], where[80];
    int listener = listening_tcp(8, text);
    for (size_t i = 0; i < 4; i++) {
        if (!has_route(ways[i % 2]))
            continue;
        struct leat_pipeline_options options = {.size = sizeof(options), .route = ways[i % 2]};
        int pipe_fd[2], pair[2];
        leat_endpoint *e;
        pthread_t thread;
        assert_int_equal(pipe(pipe_fd), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        assert_int_equal(leat_endpoint_from_fd(&e, i < 2 ? pipe_fd[1] : pair[1], LEAT_BORROW), 0);
        if (i >= 2) { /* a socket of our own on the other side, too */
            leat_endpoint *unused;
            leat_endpoint_close(e);
            assert_int_equal(leat_endpoint_duplex(&unused, &e, dup(pair[1]), LEAT_TAKE), 0);
            leat_endpoint_close(unused);
        }
        pthread_create(&thread, NULL, reset_after_some, &listener);
        snprintf(where, sizeof(where), "%s %s", i % 2 ? "read" : "splice", text);
        fails(pipeline_of(&options, spec(text, LEAT_READ), e), -ECONNRESET, LEAT_SIDE_SOURCE, where, "broke off");
        pthread_join(thread, NULL);
        close(pipe_fd[0]);
        close(pipe_fd[1]);
        close(pair[0]);
        close(pair[1]);
    }
    close(listener);
}

static void *leave_after_some(void *user)
{
    int fd = accept(*(int *)user, NULL, NULL);
    char bytes[1000];
    assert_true(read(fd, bytes, sizeof(bytes)) > 0);
    close(fd);
    return NULL;
}

static void a_reader_that_leaves(void **state UNUSED)
{
    static uint8_t bytes[16 << 20];
    static const char *const ways[] = {"splice", "offload", "chunk"};
    char text[64];
    unit_write("in", bytes, sizeof(bytes));
    for (size_t i = 0; i < 6; i++) {
        if (!has_route(ways[i / 2]))
            continue;
        struct leat_pipeline_options options = {.size = sizeof(options), .route = ways[i / 2]};
        int listener = i % 2 ? listening_unix("here", 1) : listening_tcp(8, text);
        if (i % 2)
            snprintf(text, sizeof(text), "unix:here");
        struct leat_error error;
        char place[128];
        pthread_t thread;
        pthread_create(&thread, NULL, leave_after_some, &listener);
        int r = run(pipeline_of(&options, spec("in", LEAT_READ), spec(text, LEAT_WRITE)), &error, place);
        if (r != -EPIPE && r != -ECONNRESET)
            fail_msg("%s to %s: %d", ways[i / 2], text, r);
        assert_int_equal(error.side, LEAT_SIDE_SINK);
        assert_non_null(strstr(error.text, "the reader has gone"));
        pthread_join(thread, NULL);
        close(listener);
        unlink("here");
    }
}

/* A digest that is not the expected one resets, too: the peer must not take the bytes for right. */
static void a_mismatch_resets(void **state UNUSED)
{
    char text[64], bytes[100];
    int listener = listening_tcp(8, text);
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = "crc32c:00000000"};
    assert_int_equal(run_and_free(pipeline_of(&options, from_bytes("abc", 3), spec(text, LEAT_WRITE))), -EBADMSG);
    int fd = accept(listener, NULL, NULL);
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n == 3)
        n = read(fd, bytes, sizeof(bytes));
    assert_true(n == -1 && errno == ECONNRESET);
    close(fd);
    close(listener);
}

/* So does a socket that was handed over; what can't be reset is told. */
static void a_mismatch_on_other_sockets(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = "crc32c:00000000"};
    struct leat_error error;
    char place[128], bytes[8];
    int fd[2], pair[2];
    leat_endpoint *e;
    tcp_pair(fd);
    assert_int_equal(leat_endpoint_from_fd(&e, fd[0], LEAT_TAKE), 0);
    assert_int_equal(run(pipeline_of(&options, from_bytes("abc", 3), e), &error, place), -EBADMSG);
    ssize_t n = read(fd[1], bytes, 8);
    if (n == 3)
        n = read(fd[1], bytes, 8);
    assert_true(n == -1 && errno == ECONNRESET);
    assert_null(strstr(error.text, "no reset"));
    close(fd[1]);
    int listener = listening_unix("here", 1);
    assert_int_equal(run(pipeline_of(&options, from_bytes("abc", 3), spec("unix:here", LEAT_WRITE)), &error, place),
                     -EBADMSG);
    assert_non_null(strstr(error.text, "'unix:here': its reader sees an end like any other"));
    pair[0] = accept(listener, NULL, NULL);
    assert_int_equal(read(pair[0], bytes, 8), 3);
    assert_int_equal(read(pair[0], bytes, 8), 0);
    close(pair[0]);
    close(listener);
}

/* ---- the end ---- */

/* A peer that says something to a sink reads all of it all the same: no unread byte resets the connection. */
static void *chat(void *user)
{
    int fd = accept(*(int *)user, NULL, NULL);
    char bytes[100];
    size_t n = 0;
    assert_int_equal(write(fd, "hello", 5), 5);
    for (ssize_t r; (r = read(fd, bytes + n, sizeof(bytes) - n)) != 0; n += (size_t)r)
        assert_true(r > 0);
    assert_int_equal(n, 3);
    close(fd);
    return NULL;
}

static void a_peer_that_talks_back(void **state UNUSED)
{
    char text[64];
    int listener = listening_tcp(8, text);
    pthread_t thread;
    pthread_create(&thread, NULL, chat, &listener);
    struct gate g = {.n = 3};
    leat_pipeline *p = pipeline_of(NULL, gate(&g), spec(text, LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    usleep(50000); /* "hello" has come */
    let_go(&g);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    leat_pipeline_free(p);
    pthread_join(thread, NULL);
    close(listener);
}

/* A peer that has gone with bytes unread is no success, even after the last byte was written. */
static void a_peer_that_left_before_the_end(void **state UNUSED)
{
    int listener = listening_unix("here", 1);
    struct gate g = {.n = 3};
    leat_pipeline *p = pipeline_of(NULL, gate(&g), spec("unix:here", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    int fd = accept(listener, NULL, NULL);
    let_go(&g);
    struct pollfd set = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&set, 1, 5000), 1);
    close(fd); /* unread */
    int r = leat_pipeline_wait(p, -1, NULL);
    assert_true(r == 0 || r == -ECONNRESET || r == -EPIPE); /* it may have been quicker */
    leat_pipeline_free(p);
    close(listener);
}

/* ---- both directions ---- */

static void duplex_moves_both_ways(void **state UNUSED)
{
    for (int i = 0; i < 8; i++) {
        int fd[2];
        leat_endpoint *in, *out;
        char to[8] = "", bytes[8];
        size_t size = 0;
        bool takes = i & 1, nonblocking = i & 2;
        if (i & 4)
            tcp_pair(fd);
        else
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
        if (nonblocking)
            fcntl(fd[0], F_SETFL, fcntl(fd[0], F_GETFL) | O_NONBLOCK);
        int flags = fcntl(fd[0], F_GETFL);
        assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], takes ? LEAT_TAKE : LEAT_BORROW), 0);
        /* The end of one direction leaves the other open. */
        assert_int_equal(run_and_free(pipeline_of(NULL, from_bytes("abc", 3), out)), 0);
        assert_int_equal(read(fd[1], bytes, 8), 3);
        assert_int_equal(read(fd[1], bytes, 8), 0);
        assert_int_equal(fcntl(fd[0], F_GETFL), flags);
        assert_int_equal(write(fd[1], "answer", 6), 6);
        shutdown(fd[1], SHUT_WR);
        assert_int_equal(run_and_free(pipeline_of(NULL, in, to_bytes(to, 8, &size))), 0);
        assert_int_equal(size, 6);
        assert_string_equal(to, "answer");
        assert_int_equal(fcntl(fd[0], F_GETFD) >= 0, !takes); /* closed when both are gone */
        if (!takes)
            close(fd[0]);
        close(fd[1]);
    }
}

/* Out of one direction and into the other, in one pipeline: an echo. */
static void duplex_echoes(void **state UNUSED)
{
    static const char *const ways[] = {"splice", "chunk"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        if (!has_route(ways[i]))
            continue;
        struct leat_pipeline_options options = {.size = sizeof(options), .route = ways[i]};
        int fd[2];
        char bytes[8];
        leat_endpoint *in, *out;
        tcp_pair(fd);
        fcntl(fd[0], F_SETFL, O_NONBLOCK);
        assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], LEAT_TAKE), 0);
        assert_int_equal(write(fd[1], "abcdef", 6), 6);
        shutdown(fd[1], SHUT_WR);
        assert_int_equal(run_and_free(pipeline_of(&options, in, out)), 0);
        assert_int_equal(read(fd[1], bytes, 8), 6);
        assert_memory_equal(bytes, "abcdef", 6);
        assert_int_equal(read(fd[1], bytes, 8), 0);
        close(fd[1]);
    }
}

static void a_failed_duplex_resets_at_once(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = "crc32c:00000000"};
    for (int takes = 0; takes < 2; takes++) {
        int fd[2];
        char bytes[8];
        leat_endpoint *in, *out;
        tcp_pair(fd);
        assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], takes ? LEAT_TAKE : LEAT_BORROW), 0);
        assert_int_equal(run_and_free(pipeline_of(&options, from_bytes("abc", 3), out)), -EBADMSG);
        ssize_t n = read(fd[1], bytes, 8); /* while the other direction lives */
        if (n == 3)
            n = read(fd[1], bytes, 8);
        assert_true(n == -1 && errno == ECONNRESET);
        leat_endpoint_close(in);
        if (!takes)
            close(fd[0]);
        close(fd[1]);
    }
}

static void what_is_no_duplex(void **state UNUSED)
{
    leat_endpoint *in = NULL, *out = NULL;
    int fd[2];
    assert_int_equal(leat_endpoint_duplex(&in, &out, -1, LEAT_BORROW), -EBADF);
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], LEAT_BORROW), -ENOTSOCK);
    assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], LEAT_TAKE), -ENOTSOCK);
    assert_int_equal(fcntl(fd[0], F_GETFD), -1);
    close(fd[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
    assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], LEAT_BORROW), -EPROTOTYPE);
    assert_true(!in && !out);
    close(fd[0]);
    close(fd[1]);
    /* Each is for its direction. */
    leat_pipeline *p = pipeline_of(NULL, NULL, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], LEAT_TAKE), 0);
    assert_int_equal(leat_pipeline_source(p, out), -EINVAL);
    assert_int_equal(leat_pipeline_sink(p, in, NULL, NULL), -EINVAL);
    assert_int_equal(fcntl(fd[0], F_GETFD), -1);
    leat_pipeline_free(p);
    close(fd[1]);
    /* Dropped without a run. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(leat_endpoint_duplex(&in, &out, fd[0], LEAT_TAKE), 0);
    leat_endpoint_close(out);
    assert_true(fcntl(fd[0], F_GETFD) >= 0);
    leat_endpoint_close(in);
    assert_int_equal(fcntl(fd[0], F_GETFD), -1);
    close(fd[1]);
}

/* Another thread may fork at any moment. */
static void no_child_would_have_it(void **state UNUSED)
{
    if (!platform.processes)
        skip();
    leat_report *report[2];
    unit_write("in", "bytes", 5);
    atomic_store(&watched, true);
    struct receiver r = receiver("unix-listen:at", "unix:at", "chunk");
    assert_int_equal(send_to(&r, "chunk", &report[0]), 0);
    assert_int_equal(receiver_end(&r, &report[1]), 0);
    atomic_store(&watched, false);
    leat_report_free(report[0]);
    leat_report_free(report[1]);
    assert_true(atomic_load(&made) >= 3);
    assert_int_equal(atomic_load(&bare), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(specs_that_are_refused, unit_empty),
        cmocka_unit_test_teardown(nobody_is_there, unit_empty),
        cmocka_unit_test_teardown(a_place_to_listen_that_is_taken, unit_empty),
        cmocka_unit_test_teardown(a_listener_that_does_not_answer, unit_empty),
        cmocka_unit_test_teardown(a_full_unix_queue, unit_empty),
        cmocka_unit_test_teardown(a_peer_that_does_not_come, unit_empty),
        cmocka_unit_test_teardown(waits_that_are_cancelled, unit_empty),
        cmocka_unit_test_teardown(a_peer_that_says_nothing, unit_empty),
        cmocka_unit_test_teardown(a_peer_that_takes_nothing, unit_empty),
        cmocka_unit_test_teardown(one_of_several_takes_nothing, unit_empty),
        cmocka_unit_test_teardown(a_slow_peer_is_not_idle, unit_empty),
        cmocka_unit_test_teardown(bytes_arrive, unit_empty),
        cmocka_unit_test_teardown(bytes_arrive_by_ipv6, unit_empty),
        cmocka_unit_test_teardown(a_sender_that_fails, unit_empty),
        cmocka_unit_test_teardown(a_reset_names_the_right_side, unit_empty),
        cmocka_unit_test_teardown(a_reader_that_leaves, unit_empty),
        cmocka_unit_test_teardown(a_mismatch_resets, unit_empty),
        cmocka_unit_test_teardown(a_mismatch_on_other_sockets, unit_empty),
        cmocka_unit_test_teardown(a_peer_that_talks_back, unit_empty),
        cmocka_unit_test_teardown(a_peer_that_left_before_the_end, unit_empty),
        cmocka_unit_test_teardown(duplex_moves_both_ways, unit_empty),
        cmocka_unit_test_teardown(duplex_echoes, unit_empty),
        cmocka_unit_test_teardown(a_failed_duplex_resets_at_once, unit_empty),
        cmocka_unit_test_teardown(what_is_no_duplex, unit_empty),
        cmocka_unit_test_teardown(no_child_would_have_it, unit_empty),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
