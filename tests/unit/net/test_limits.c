/* SPDX-License-Identifier: MIT */
/* emscripten: it has no sockets
 * How long connecting may take, and how long a listener waits: connect_timeout_ms. This program has a clock of its own,
 * which only poll(2) moves, so months pass at once.
 * labels: long */
#include "unit/flow/pipelines.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#define MS_NS      INT64_C(1000000)
#define DAY_MS     (24 * HOUR_MS)
#define HOUR_MS    INT64_C(3600000)
#define FOREVER_MS (60 * DAY_MS) /* longer than any limit: they are 32 bits of milliseconds */

static int64_t now_ms = DAY_MS, began_ms;
static bool over; /* it waited as if for ever, and was let go on */

/* A wait for room in the queue of a Unix listener is a poll each 20 ms, so it counts as endless after ten minutes. */
static int64_t forever_ms;

/* The spec of a case, and the address that it names. If the spec does not listen, the queue of the listener there is
 * full. */
static char text[64];
static bool listens;
static int listener, fill[8];
static union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
} address;
static socklen_t address_size;

static void close_listener(void)
{
    if (listener >= 0)
        close(listener);
    listener = -1;
}

/* ---- time ---- */

/* The other side comes at last; or, if it is a TCP listener with a full queue, the connecting is cut short. */
static void end_wait(const struct pollfd *set, nfds_t n)
{
    over = true;
    if (listens) {
        int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, &address.any, address_size), 0);
        close(fd);
    } else if (address.any.sa_family == AF_UNIX)
        close(accept(listener, NULL, NULL));
    else
        for (nfds_t i = 0; i < n; i++)
            if (set[i].events & POLLOUT)
                shutdown(set[i].fd, SHUT_RDWR);
}

int clock_gettime(clockid_t clock UNUSED, struct timespec *ret)
{
    *ret = (struct timespec){.tv_sec = now_ms / 1000, .tv_nsec = now_ms % 1000 * MS_NS};
    return 0;
}

int poll(struct pollfd *set, nfds_t n, int timeout)
{
    struct timespec none = {0};
    now_ms += MAX(timeout, 0);
    if (over && timeout < 0)
        close_listener(); /* it is connected, and its peer ends it */
    if (!over && (timeout < 0 || now_ms - began_ms > forever_ms))
        end_wait(set, n);
    return (int)syscall(SYS_ppoll, set, n, timeout < 0 ? NULL : &none, NULL, 0);
}

/* ---- cases ---- */

static void fill_queue(void)
{
    for (size_t i = 0; i < COUNT(fill); i++) {
        fill[i] = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r = connect(fill[i], &address.any, address_size);
        assert_true(r == 0 || errno == EINPROGRESS || errno == EAGAIN);
    }
}

static void begin(const char *scheme)
{
    bool tcp = strncmp(scheme, "tcp", 3) == 0;
    listens = strstr(scheme, "listen");
    memset(&address, 0, sizeof(address));
    address.any.sa_family = tcp ? AF_INET : AF_UNIX;
    address.in.sin_addr.s_addr = tcp ? htonl(INADDR_LOOPBACK) : address.in.sin_addr.s_addr;
    if (!tcp)
        strcpy(address.un.sun_path, "socket");
    address_size = tcp ? sizeof(address.in) : sizeof(address.un);
    listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, &address.any, address_size), 0);
    assert_int_equal(getsockname(listener, &address.any, &(socklen_t){sizeof(address)}), 0);
    if (listens) { /* only the port was wanted */
        close_listener();
        unlink("socket");
    } else {
        assert_int_equal(listen(listener, 0), 0);
        fill_queue();
    }
    if (tcp)
        snprintf(text, sizeof(text), "%s:127.0.0.1:%u", scheme, ntohs(address.in.sin_port));
    else
        snprintf(text, sizeof(text), "%s:socket", scheme);
    over = false;
    forever_ms = tcp || listens ? FOREVER_MS : HOUR_MS / 6;
    began_ms = now_ms;
}

/* Compares the time that has passed with the limit; -1: there is none. */
static void check(const char *what, int result, int32_t ms, int64_t limit_ms)
{
    int64_t passed = now_ms - began_ms;
    bool right = limit_ms < 0 ? over && result != -ETIMEDOUT
                              : !over && result == -ETIMEDOUT && passed >= limit_ms && passed <= limit_ms + 1;
    if (!right)
        fail_msg("%s of %s, %d ms: %d after %lld ms", what, text, (int)ms, result, (long long)passed);
    for (size_t i = 0; i < COUNT(fill) && !listens; i++)
        close(fill[i]);
    close_listener();
    unlink("socket");
}

static int run_pipeline(enum leat_direction direction, int32_t ms)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .engine = "sync"};
    struct leat_endpoint_options limits = {.size = sizeof(limits), .connect_timeout_ms = ms};
    leat_pipeline *p;
    leat_endpoint *socket;
    assert_int_equal(leat_pipeline_new(&p, &options, NULL), 0);
    assert_int_equal(leat_endpoint_open(&socket, text, direction, &limits, NULL), 0);
    leat_pipeline_source(p, direction == LEAT_READ ? socket : from_bytes("x", 1));
    leat_pipeline_sink(p, direction == LEAT_WRITE ? socket : spec("null:", LEAT_WRITE), NULL, NULL);
    return run_and_free(p);
}

static int open_connection(int32_t ms)
{
    struct leat_connection_options options = {.size = sizeof(options), .connect_timeout_ms = ms};
    leat_connection *connection = NULL;
    int r = leat_connection_open(&connection, text, &options, NULL);
    leat_connection_close(connection);
    return r;
}

static void every_limit(const char *scheme)
{
    static const int32_t limits[] = {0, -1, 1, 7000, 30001, INT32_MAX};
    for (size_t i = 0; i < COUNT(limits); i++) {
        int32_t ms = limits[i];
        int64_t limit = ms != 0 ? ms : strstr(scheme, "listen") ? -1 : 30000;
        if (strcmp(scheme, "unix") == 0 && limit > HOUR_MS / 6)
            continue;
        begin(scheme);
        check("a sink", run_pipeline(LEAT_WRITE, ms), ms, limit);
        begin(scheme);
        check("a source", run_pipeline(LEAT_READ, ms), ms, limit);
        begin(scheme);
        check("a connection", open_connection(ms), ms, limit);
    }
}

static void connecting_takes_30_seconds_by_default(void **state UNUSED)
{
    every_limit("tcp");
    every_limit("unix");
}

static void a_listener_waits_without_a_limit_by_default(void **state UNUSED)
{
    every_limit("tcp-listen");
    every_limit("unix-listen");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_takes_30_seconds_by_default),
        cmocka_unit_test(a_listener_waits_without_a_limit_by_default),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
