/* SPDX-License-Identifier: MIT */
/* emscripten: it has no sockets without a proxy
 * Connections: both forms of use, over sockets and pipes, with peers that are slow, that leave, or that say too much.
 */
#include "base/op.h"
#include "unit/unit.h"
#include <leat/stream.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A connection on one end of a pair, and the other end. */
static leat_connection *pair(int *ret_peer, const struct leat_connection_options *options)
{
    leat_connection *c;
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(leat_connection_from_fd(&c, fd[0], LEAT_TAKE, options, NULL), 0);
    *ret_peer = fd[1];
    return c;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void hears(int fd, const char *text)
{
    char bytes[200];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, n);
}

static void is_text(struct leat_view *view, const char *text)
{
    assert_int_equal(view->length, strlen(text));
    assert_int_equal(leat_view_compare_bytes(view, text, strlen(text)), 0);
    leat_view_release(view);
}

static struct leat_connection_options in_time(int ms)
{
    struct leat_connection_options options = LEAT_INIT(struct leat_connection_options);
    options.timeout_ms = ms;
    return options;
}

/* ---- the blocking form ---- */

static void lines_pieces_and_the_rest(void **state UNUSED)
{
    int peer;
    char bytes[20];
    size_t n;
    struct leat_view view;
    leat_connection *c = pair(&peer, NULL);
    say(peer, "one\r\ntwo\nkey=value;12345rest");
    assert_int_equal(leat_connection_read_line(c, 0, &view), 0);
    is_text(&view, "one");
    assert_int_equal(leat_connection_read_line(c, LEAT_STREAM_KEEP, &view), 0);
    is_text(&view, "two\n");
    assert_int_equal(leat_connection_read_until(c, "=v", 2, 0, &view), 0);
    is_text(&view, "key");
    assert_int_equal(leat_connection_read_until(c, ";", 1, 0, &view), 0);
    is_text(&view, "alue");
    assert_int_equal(leat_connection_read_exactly(c, 5, &view), 0);
    is_text(&view, "12345");
    assert_int_equal(leat_connection_read(c, bytes, sizeof(bytes), &n), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "rest", 4);
    close(peer);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(leat_connection_read(c, bytes, sizeof(bytes), &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(leat_connection_read_line(c, 0, &view), 0);
        assert_null(view.data);
    }
    assert_int_equal(leat_connection_fill(c, &n), -EPIPE);
    leat_connection_close(c);
}

static void a_peer_that_leaves_in_mid_line_leaves_what_it_said(void **state UNUSED)
{
    int peer;
    struct leat_view view;
    leat_connection *c = pair(&peer, NULL);
    say(peer, "half a li");
    close(peer);
    assert_int_equal(leat_connection_read_line(c, 0, &view), -ENODATA);
    assert_int_equal(leat_connection_read_exactly(c, 10, &view), -ENODATA);
    assert_int_equal(leat_connection_read_line(c, LEAT_STREAM_REST, &view), 0);
    is_text(&view, "half a li");
    leat_connection_close(c);
}

static void a_time_limit_loses_no_byte(void **state UNUSED)
{
    int peer;
    struct leat_view view;
    struct leat_connection_options options = in_time(10);
    leat_connection *c = pair(&peer, &options);
    say(peer, "so ");
    assert_int_equal(leat_connection_read_line(c, 0, &view), -ETIMEDOUT);
    say(peer, "far\n");
    assert_int_equal(leat_connection_deadline(c, 0), 0);
    assert_int_equal(leat_connection_read_line(c, 0, &view), 0); /* it is there: that takes no time */
    is_text(&view, "so far");
    assert_int_equal(leat_connection_read_line(c, 0, &view), -EAGAIN);
    assert_int_equal(leat_connection_deadline(c, -1), 0);
    say(peer, "on\n");
    assert_int_equal(leat_connection_read_line(c, 0, &view), 0);
    is_text(&view, "on");
    close(peer);
    leat_connection_close(c);
}

#define MUCH (4u << 20)

static void *echo(void *user)
{
    char bytes[10000];
    int fd = *(int *)user;
    ssize_t n;
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t done = 0, r; done < n; done += r)
            if ((r = write(fd, bytes + done, (size_t)(n - done))) < 0)
                return user;
    shutdown(fd, SHUT_WR);
    return NULL;
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 1000);
}

/* More than all buffers on the way hold: whoever only writes would wait for a peer that waits, too. */
static void much_goes_out_and_comes_back(void **state UNUSED)
{
    struct leat_stream_options wide = {.size = sizeof(wide), .pause_at = 2 * MUCH};
    struct leat_connection_options options = {.size = sizeof(options), .input = &wide};
    int peer;
    pthread_t thread;
    void *result;
    size_t n, done = 0;
    leat_connection *c = pair(&peer, &options);
    uint8_t *much = malloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        much[i] = byte_at(i);
    assert_int_equal(pthread_create(&thread, NULL, echo, &peer), 0);
    assert_int_equal(leat_stream_append(leat_connection_output(c), much, 3), 0);
    struct iovec pieces[40];
    for (size_t i = 0; i < 40; i++) /* with empty ones, and more than one call takes */
        pieces[i] = (struct iovec){much + 3 + i / 2 * 10, i % 2 ? 10 : 0};
    assert_int_equal(leat_connection_writev(c, pieces, 40, &n), 0);
    assert_int_equal(n, 200);
    assert_int_equal(leat_connection_write(c, much + 203, MUCH - 203, &n), 0);
    assert_int_equal(n, MUCH - 203);
    assert_int_equal(leat_connection_finish(c), 0);
    assert_int_equal(leat_connection_finish(c), 0);
    assert_int_equal(leat_connection_write(c, "x", 1, &n), -EPIPE);
    while (leat_connection_read(c, much, MUCH, &n) == 0 && n > 0)
        for (size_t i = 0; i < n; i++, done++)
            if (much[i] != byte_at(done))
                fail_msg("byte %zu is another one", done);
    assert_int_equal(done, MUCH);
    pthread_join(thread, &result);
    assert_null(result);
    free(much);
    close(peer);
    leat_connection_close(c);
}

static void a_write_that_nobody_reads_ends_in_time(void **state UNUSED)
{
    struct leat_connection_options options = in_time(20);
    int peer;
    size_t n = 0, got = 0;
    char *much = calloc(1, MUCH);
    leat_connection *c = pair(&peer, &options);
    assert_int_equal(leat_connection_write(c, much, MUCH, &n), -ETIMEDOUT);
    assert_in_range(n, 1, MUCH - 1);
    leat_connection_close(c);
    for (ssize_t r; (r = read(peer, much, MUCH)) > 0;)
        got += (size_t)r;
    assert_int_equal(got, n); /* so much was said, and so much was written */
    free(much);
    close(peer);
}

/* ---- an event loop's form ---- */

static short events_of(leat_connection *c)
{
    short events;
    int fd;
    leat_connection_events(c, &fd, &events);
    assert_int_equal(fd, leat_connection_fd(c));
    return events;
}

static void it_says_what_it_waits_for(void **state UNUSED)
{
    struct leat_stream_options narrow = {.size = sizeof(narrow), .pause_at = 8, .limit = 16};
    struct leat_connection_options options = {.size = sizeof(options), .input = &narrow};
    int peer;
    size_t n;
    struct leat_view view;
    leat_connection *c = pair(&peer, &options);
    leat_stream *in = leat_connection_input(c), *out = leat_connection_output(c);
    assert_int_equal(events_of(c), POLLIN);
    assert_int_equal(leat_connection_fill(c, &n), -EAGAIN);
    leat_stream_append(out, "hello", 5);
    assert_int_equal(events_of(c), POLLIN | POLLOUT);
    assert_int_equal(leat_connection_flush(c), 0);
    assert_int_equal(events_of(c), POLLIN);
    hears(peer, "hello");
    say(peer, "0123456789abcdefghij\n");
    assert_int_equal(leat_connection_fill(c, &n), 0);
    assert_int_equal(n, 16); /* the limit is never passed */
    assert_int_equal(events_of(c), 0);
    assert_int_equal(leat_connection_fill(c, &n), -EAGAIN);
    assert_int_equal(leat_stream_take_line(in, 0, &view), -EMSGSIZE);
    assert_int_equal(leat_stream_skip(in, 16), 0);
    assert_int_equal(events_of(c), POLLIN);
    assert_int_equal(leat_connection_fill(c, &n), 0);
    assert_int_equal(leat_stream_take_line(in, 0, &view), 0);
    is_text(&view, "ghij");
    /* The end of the output is something to do, too. */
    leat_stream_append(out, "bye", 3);
    leat_stream_finish(out, 0);
    assert_int_equal(events_of(c), POLLIN | POLLOUT);
    assert_int_equal(leat_connection_flush(c), 0);
    assert_int_equal(events_of(c), POLLIN);
    hears(peer, "bye");
    hears(peer, "");
    say(peer, "last"); /* the other half is open */
    shutdown(peer, SHUT_WR);
    assert_int_equal(leat_connection_fill(c, &n), 0);
    assert_int_equal(leat_connection_fill(c, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(leat_stream_ended(in), 1);
    assert_int_equal(events_of(c), 0);
    close(peer);
    leat_connection_close(c);
}

/* Short counts, a signal's EINTR and EAGAIN at every place: the bytes are the same. */
static struct {
    unsigned calls;
} faults;

static bool shorten(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    static struct iovec first;
    unsigned n = faults.calls++;
    if (n % 3 == 1) {
        *ret_result = -EAGAIN;
        return false;
    }
    if (n % 3 == 2) {
        first = (struct iovec){op->iov[0].iov_base, 1};
        op->iov = &first;
        op->iov_count = 1;
    }
    return true;
}

static void short_counts_change_nothing(void **state UNUSED)
{
    int peer;
    size_t n;
    struct leat_view view;
    leat_connection *c = pair(&peer, NULL);
    op_interpose(shorten, NULL);
    say(peer, "the quick brown fox\nand");
    assert_int_equal(leat_connection_read_line(c, 0, &view), 0);
    is_text(&view, "the quick brown fox");
    leat_stream_append(leat_connection_output(c), "12345", 5);
    assert_int_equal(leat_connection_write(c, "67890", 5, &n), 0);
    op_interpose(NULL, NULL);
    assert_int_equal(n, 5);
    hears(peer, "1234567890");
    close(peer);
    leat_connection_close(c);
}

static bool fail_read(void *user, struct op *op, ssize_t *ret_result)
{
    *ret_result = *(int *)user;
    return op->kind != OP_READ;
}

static void a_failed_read_is_told_after_the_bytes(void **state UNUSED)
{
    int peer, code = -ECONNRESET;
    size_t n;
    struct leat_view view;
    leat_connection *c = pair(&peer, NULL);
    say(peer, "before");
    assert_int_equal(leat_connection_fill(c, &n), 0);
    op_interpose(fail_read, &code);
    assert_int_equal(leat_connection_read_line(c, 0, &view), -ENODATA);
    op_interpose(NULL, NULL);
    assert_int_equal(leat_connection_read_exactly(c, 6, &view), 0);
    is_text(&view, "before");
    assert_int_equal(leat_connection_read_line(c, 0, &view), -ECONNRESET);
    assert_int_equal(leat_connection_read_line(c, 0, &view), -ECONNRESET);
    close(peer);
    leat_connection_close(c);
}

static void a_peer_that_has_gone_is_an_error_each_time(void **state UNUSED)
{
    int peer;
    size_t n;
    leat_connection *c = pair(&peer, NULL);
    close(peer);
    assert_int_equal(leat_connection_write(c, "x", 1, &n), -EPIPE); /* and no signal */
    assert_int_equal(n, 0);
    assert_int_equal(leat_connection_flush(c), -EPIPE);
    assert_int_equal(leat_connection_finish(c), -EPIPE);
    leat_connection_close(c);
}

/* ---- descriptors of other kinds ---- */

static void a_blocking_pipe_is_never_blocked_on(void **state UNUSED)
{
    int fd[2];
    size_t n = 0;
    leat_connection *in, *out;
    char name[32], expected[32], *much = calloc(1, MUCH);
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(leat_connection_from_fd(&in, fd[0], LEAT_BORROW, NULL, NULL), 0);
    assert_int_equal(leat_connection_from_fd(&out, fd[1], LEAT_TAKE, NULL, NULL), 0);
    assert_int_equal(leat_connection_fill(in, &n), -EAGAIN);
    assert_int_equal(leat_stream_append(leat_connection_output(out), much, 1 << 19), 0);
    assert_int_equal(leat_connection_flush(out), -EAGAIN);
    assert_int_equal(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0); /* nothing was changed for that */
    assert_int_equal(leat_connection_peer(in, name, sizeof(name)), 0);
    snprintf(expected, sizeof(expected), "fd:%d", fd[0]);
    assert_string_equal(name, expected);
    assert_int_equal(leat_connection_peer(in, name, 3), -ENOSPC);
    leat_connection_close(in);
    assert_true(fcntl(fd[0], F_GETFD) >= 0); /* borrowed */
    close(fd[0]);
    assert_int_equal(leat_connection_flush(out), -EPIPE);
    leat_connection_close(out);
    assert_int_equal(fcntl(fd[1], F_GETFD), -1); /* taken */
    free(much);
}

static void what_is_no_stream_is_refused(void **state UNUSED)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    leat_connection *c = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_connection_from_fd(&c, fd, LEAT_TAKE, NULL, &error), -EPROTOTYPE);
    assert_non_null(strstr(error.text, "no stream socket"));
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken on failure, too */
    assert_int_equal(leat_connection_from_fd(&c, fd, LEAT_BORROW, NULL, &error), -EBADF);
    assert_non_null(strstr(error.text, "not open"));
    assert_int_equal(leat_connection_open(&c, "./file", NULL, &error), -EPROTOTYPE);
    assert_string_equal(error.node, "./file");
    assert_non_null(strstr(error.text, "stream socket"));
    error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_connection_open(&c, "tcp:nowhere", NULL, &error), -EINVAL);
    error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_connection_open(&c, "unix:nobody-is-there", NULL, &error), -ENOENT);
    assert_string_equal(error.operation, "connect");
    leat_connection_close(NULL);
    assert_null(c);
}

/* ---- by spec ---- */

static int listen_at(struct sockaddr *address, socklen_t n)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, address, n), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static int listen_tcp(char spec[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = listen_at((struct sockaddr *)&address, sizeof(address));
    getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    snprintf(spec, 64, "tcp:127.0.0.1:%u", ntohs(address.sin_port));
    return fd;
}

static void it_connects_by_tcp(void **state UNUSED)
{
    char spec[64], name[64];
    int listener = listen_tcp(spec);
    leat_connection *c;
    struct leat_view view;
    assert_int_equal(leat_connection_open(&c, spec, NULL, NULL), 0);
    int peer = accept(listener, NULL, NULL);
    assert_int_equal(leat_connection_peer(c, name, sizeof(name)), 0);
    assert_string_equal(name, spec);
    assert_int_equal(leat_connection_write(c, "ping\n", 5, NULL), 0);
    hears(peer, "ping\n");
    say(peer, "pong\n");
    assert_int_equal(leat_connection_read_line(c, 0, &view), 0);
    is_text(&view, "pong");
    assert_int_equal(leat_connection_finish(c), 0);
    hears(peer, "");
    leat_connection_close(c);
    close(peer);
    close(listener);
}

static void what_was_never_sent_is_no_end(void **state UNUSED)
{
    for (int flushed = 0; flushed < 2; flushed++) {
        char spec[64], byte;
        int listener = listen_tcp(spec);
        leat_connection *c;
        assert_int_equal(leat_connection_open(&c, spec, NULL, NULL), 0);
        int peer = accept(listener, NULL, NULL);
        leat_stream_append(leat_connection_output(c), "x", 1);
        if (flushed)
            assert_int_equal(leat_connection_flush(c), 0);
        leat_connection_close(c);
        if (flushed)
            hears(peer, "x");
        ssize_t n = read(peer, &byte, 1);
        assert_int_equal(n < 0 ? -errno : n, flushed ? 0 : -ECONNRESET);
        close(peer);
        close(listener);
    }
}

static void it_connects_to_a_path(void **state UNUSED)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "here"};
    int listener = listen_at((struct sockaddr *)&address, sizeof(address));
    leat_connection *c;
    char name[64];
    assert_int_equal(leat_connection_open(&c, "unix:here", NULL, NULL), 0);
    assert_int_equal(leat_connection_peer(c, name, sizeof(name)), 0);
    assert_string_equal(name, "unix:here");
    leat_connection_close(c);
    close(listener);
}

static void nobody_comes_in_time(void **state UNUSED)
{
    struct leat_connection_options options = LEAT_INIT(struct leat_connection_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_connection *c;
    options.connect_timeout_ms = 10;
    assert_int_equal(leat_connection_open(&c, "unix-listen:lonely", &options, &error), -ETIMEDOUT);
    assert_int_equal(unit_entries(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_pieces_and_the_rest),
        cmocka_unit_test(a_peer_that_leaves_in_mid_line_leaves_what_it_said),
        cmocka_unit_test(a_time_limit_loses_no_byte),
        cmocka_unit_test(much_goes_out_and_comes_back),
        cmocka_unit_test(a_write_that_nobody_reads_ends_in_time),
        cmocka_unit_test(it_says_what_it_waits_for),
        cmocka_unit_test(short_counts_change_nothing),
        cmocka_unit_test(a_failed_read_is_told_after_the_bytes),
        cmocka_unit_test(a_peer_that_has_gone_is_an_error_each_time),
        cmocka_unit_test(a_blocking_pipe_is_never_blocked_on),
        cmocka_unit_test(what_is_no_stream_is_refused),
        cmocka_unit_test_teardown(it_connects_by_tcp, unit_empty),
        cmocka_unit_test(what_was_never_sent_is_no_end),
        cmocka_unit_test_teardown(it_connects_to_a_path, unit_empty),
        cmocka_unit_test(nobody_comes_in_time),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
