/* SPDX-License-Identifier: MIT */
/* Descriptors that were open before: their flags stay, their position ends where the delivered bytes do. */
#include "base/platform.h"
#include "unit/endpoint/endpoints.h"
#include <sys/socket.h>

static leat_endpoint *on(int fd, enum leat_direction direction, enum leat_ownership ownership)
{
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_fd(&e, fd, ownership), 0);
    e->node.direction = direction; /* as the pipeline does */
    return e;
}

static int open_ten(int flags)
{
    unit_write("ten", "0123456789", 10);
    int fd = open("ten", flags | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static off_t position(int fd)
{
    return lseek(fd, 0, SEEK_CUR);
}

/* ---- refused ---- */

static void what_is_not_open_is_refused(void **state UNUSED)
{
    leat_endpoint *e = NULL;
    assert_int_equal(leat_endpoint_from_fd(&e, -1, LEAT_BORROW), -EBADF);
    assert_int_equal(leat_endpoint_from_fd(&e, 1000000, LEAT_TAKE), -EBADF);
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(leat_endpoint_from_fd(&e, fd, LEAT_BORROW), -EISDIR);
    assert_true(is_open(fd));
    assert_int_equal(leat_endpoint_from_fd(&e, fd, LEAT_TAKE), -EISDIR); /* taken on failure too */
    assert_false(is_open(fd));
    assert_null(e);
}

static void what_was_closed_meanwhile_is_refused(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int fd = open_ten(O_RDONLY);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_BORROW);
    close(fd);
    assert_int_equal(node_open(e, NULL, &error), -EBADF);
    assert_string_equal(error.operation, "fcntl");
    node_abort(e, 0);
    node_end(e);
}

static void the_wrong_access_mode_is_refused(void **state UNUSED)
{
    static const struct {
        int flags;
        enum leat_direction direction;
        int code;
        const char *words;
    } cases[] = {
        {O_RDONLY, LEAT_READ, 0, ""},  {O_RDONLY, LEAT_WRITE, -EBADF, "not open for writing"},
        {O_WRONLY, LEAT_WRITE, 0, ""}, {O_WRONLY, LEAT_READ, -EBADF, "not open for reading"},
        {O_RDWR, LEAT_READ, 0, ""},    {O_RDWR, LEAT_WRITE, 0, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        int fd = open_ten(cases[i].flags);
        leat_endpoint *e = on(fd, cases[i].direction, LEAT_BORROW);
        assert_int_equal(node_open(e, &no_file, &error), cases[i].code);
        assert_non_null(strstr(error.text, cases[i].words));
        node_abort(e, 0);
        node_end(e);
        assert_true(is_open(fd));
        close(fd);
    }
}

/* ---- ownership ---- */

static void what_is_taken_is_closed_once(void **state UNUSED)
{
    int fd = open_ten(O_RDONLY);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_TAKE);
    leat_endpoint_ref(e);
    leat_endpoint_close(e);
    assert_true(is_open(fd));
    assert_int_equal(node_open(e, NULL, NULL), 0);
    e->node.ops->close(&e->node);
    assert_false(is_open(fd));
    int again = open("ten", O_RDONLY | O_CLOEXEC);
    assert_int_equal(again, fd);
    leat_endpoint_close(e); /* not this one */
    assert_true(is_open(again));
    close(again);
}

static void what_is_borrowed_stays_open(void **state UNUSED)
{
    int descriptors = unit_descriptors(), fd = open_ten(O_RDONLY);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_BORROW);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    node_end(e);
    assert_true(is_open(fd));
    close(fd);
    assert_int_equal(unit_descriptors(), descriptors);
}

/* ---- position and flags ---- */

static void a_source_s_position_is_where_the_delivered_bytes_end(void **state UNUSED)
{
    for (int failed = 0; failed < 2; failed++) {
        int fd = open_ten(O_RDONLY);
        assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
        leat_endpoint *e = on(fd, LEAT_READ, LEAT_BORROW);
        assert_int_equal(node_open(e, NULL, NULL), 0);
        assert_true(e->node.position == 3 && e->node.size == 10);
        assert_int_equal(position(fd), 3);
        if (failed)
            node_abort(e, 4);
        else
            assert_int_equal(node_finish(e, 4, NULL), 0);
        node_end(e);
        assert_int_equal(position(fd), 7);
        close(fd);
    }
}

static void looking_for_holes_does_not_move_it(void **state UNUSED)
{
    uint64_t from, to;
    int fd = open_ten(O_RDONLY);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_BORROW);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    if (e->node.seek_fd >= 0) {
        assert_int_not_equal(e->node.seek_fd, fd);
        platform.find_data(e->node.seek_fd, 5, &from, &to);
    }
    assert_int_equal(position(fd), 0);
    node_end(e);
    close(fd);
}

static void an_abort_before_open_moves_nothing(void **state UNUSED)
{
    int fd = open_ten(O_RDWR);
    assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_BORROW);
    node_abort(e, 5);
    node_end(e);
    assert_int_equal(position(fd), 3);
    close(fd);
}

static void a_file_may_grow_until_it_is_opened(void **state UNUSED)
{
    int fd = open_ten(O_RDONLY);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_BORROW);
    unit_write("ten", "0123456789abcdef", 16);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    assert_true(e->node.has_size && e->node.size == 16);
    node_end(e);
    close(fd);
}

static void a_sink_is_written_at_its_own_position(void **state UNUSED)
{
    int fd = open_ten(O_RDWR);
    assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
    leat_endpoint *e = on(fd, LEAT_WRITE, LEAT_BORROW);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_true(e->node.position == -1 && !e->node.fresh);
    node_write(e, "xyz");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    assert_int_equal(position(fd), 5);
    close(fd);
    unit_holds("ten", "01xyz56789"); /* neither cut nor replaced */
}

static void an_appending_sink_is_known(void **state UNUSED)
{
    int fd = open_ten(O_WRONLY | O_APPEND);
    leat_endpoint *e = on(fd, LEAT_WRITE, LEAT_BORROW);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_true(e->node.append);
    node_end(e);
    close(fd);
}

static void flags_are_never_changed(void **state UNUSED)
{
    int pipes[2], sockets[2];
    assert_int_equal(pipe(pipes), 0);
    unit_socketpair(sockets);
    int file = open_ten(O_RDWR);
    const struct {
        int fd;
        enum leat_direction direction;
        enum node_kind kind;
        enum node_wait wait;
    } cases[] = {
        {pipes[0], LEAT_READ, NODE_PIPE, NODE_WAIT_ASK},     {pipes[1], LEAT_WRITE, NODE_PIPE, NODE_WAIT_ASK},
        {sockets[0], LEAT_READ, NODE_SOCKET, NODE_WAIT_ASK}, {sockets[1], LEAT_WRITE, NODE_SOCKET, NODE_WAIT_ASK},
        {file, LEAT_READ, NODE_FILE, NODE_WAIT_NEVER},       {file, LEAT_WRITE, NODE_FILE, NODE_WAIT_NEVER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int status = fcntl(cases[i].fd, F_GETFL), own = fcntl(cases[i].fd, F_GETFD);
        leat_endpoint *e = on(cases[i].fd, cases[i].direction, LEAT_BORROW);
        assert_int_equal(node_open(e, &no_file, NULL), 0);
        assert_int_equal(e->node.kind, cases[i].kind);
        assert_int_equal(e->node.wait, cases[i].wait);
        assert_int_equal(fcntl(cases[i].fd, F_GETFL), status);
        assert_int_equal(node_finish(e, 0, NULL), 0);
        node_end(e);
        assert_int_equal(fcntl(cases[i].fd, F_GETFL), status);
        assert_int_equal(fcntl(cases[i].fd, F_GETFD), own);
        close(cases[i].direction == LEAT_WRITE || cases[i].fd != file ? cases[i].fd : -1);
    }
}

static void syncing_a_pipe_is_no_failure(void **state UNUSED)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .sync = 1};
    char spec[32];
    int pipes[2];
    leat_endpoint *e;
    assert_int_equal(pipe(pipes), 0);
    snprintf(spec, sizeof(spec), "fd:%d", pipes[1]);
    assert_int_equal(leat_endpoint_open(&e, spec, LEAT_WRITE, &options, NULL), 0);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_int_equal(node_finish(e, 0, NULL), 0);
    node_end(e);
    close(pipes[0]);
    close(pipes[1]);
}

/* Ours is another descriptor on the same file, without O_DIRECT and with a position of its own. */
static void o_direct_does_not_ask_for_aligned_bytes(void **state UNUSED)
{
    unit_write("ten", "0123456789", 10);
    int fd = open("ten", O_RDWR | O_DIRECT | O_CLOEXEC);
    if (fd < 0 || !platform.is_direct(fd)) {
        print_message("O_DIRECT can't be had, or not be seen, here\n");
        skip();
    }
    int flags = fcntl(fd, F_GETFL);
    assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
    leat_endpoint *e = on(fd, LEAT_WRITE, LEAT_BORROW);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_true(e->node.fd != fd && e->node.position == 2);
    node_write(e, "xyz");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    node_end(e);
    assert_int_equal(position(fd), 5);
    assert_int_equal(fcntl(fd, F_GETFL), flags);
    close(fd);
    unit_holds("ten", "01xyz56789");
}

/* Its own descriptor appends as the shared one does, and does not write over the beginning. */
static void o_direct_still_appends(void **state UNUSED)
{
    unit_write("log", "old ", 4);
    int fd = open("log", O_WRONLY | O_APPEND | O_DIRECT | O_CLOEXEC);
    if (fd < 0 || !platform.is_direct(fd)) {
        print_message("O_DIRECT can't be had, or not be seen, here\n");
        skip();
    }
    leat_endpoint *e = on(fd, LEAT_WRITE, LEAT_TAKE);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "new");
    node_end(e);
    unit_holds("log", "old new");
}

static void a_terminal_is_not_made_non_blocking(void **state UNUSED)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
        close(master);
        print_message("there are no terminals here\n");
        skip();
    }
    int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    int flags = fcntl(fd, F_GETFL);
    leat_endpoint *e = on(fd, LEAT_WRITE, LEAT_BORROW);
    assert_int_equal(e->node.kind, NODE_TTY);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    if (e->node.fd == fd) {
        assert_true(e->node.wait == NODE_WAIT_POLL && e->node.port.blocked);
    } else {
        assert_int_equal(e->node.wait, NODE_WAIT_OWN);
        assert_true(fcntl(e->node.fd, F_GETFL) & O_NONBLOCK);
    }
    assert_int_equal(fcntl(fd, F_GETFL), flags);
    node_end(e);
    close(fd);
    close(master);
}

static void only_callbacks_are_notified(void **state UNUSED)
{
    int fd = open_ten(O_RDONLY);
    leat_endpoint *e = on(fd, LEAT_READ, LEAT_TAKE);
    assert_int_equal(leat_endpoint_notify(e), -EINVAL);
    leat_endpoint_close(e);
    leat_endpoint_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_open_is_refused),
        cmocka_unit_test_teardown(what_was_closed_meanwhile_is_refused, unit_empty),
        cmocka_unit_test_teardown(the_wrong_access_mode_is_refused, unit_empty),
        cmocka_unit_test_teardown(what_is_taken_is_closed_once, unit_empty),
        cmocka_unit_test_teardown(what_is_borrowed_stays_open, unit_empty),
        cmocka_unit_test_teardown(a_source_s_position_is_where_the_delivered_bytes_end, unit_empty),
        cmocka_unit_test_teardown(looking_for_holes_does_not_move_it, unit_empty),
        cmocka_unit_test_teardown(an_abort_before_open_moves_nothing, unit_empty),
        cmocka_unit_test_teardown(a_file_may_grow_until_it_is_opened, unit_empty),
        cmocka_unit_test_teardown(a_sink_is_written_at_its_own_position, unit_empty),
        cmocka_unit_test_teardown(an_appending_sink_is_known, unit_empty),
        cmocka_unit_test_teardown(flags_are_never_changed, unit_empty),
        cmocka_unit_test(syncing_a_pipe_is_no_failure),
        cmocka_unit_test_teardown(o_direct_does_not_ask_for_aligned_bytes, unit_empty),
        cmocka_unit_test_teardown(o_direct_still_appends, unit_empty),
        cmocka_unit_test(a_terminal_is_not_made_non_blocking),
        cmocka_unit_test_teardown(only_callbacks_are_notified, unit_empty),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
