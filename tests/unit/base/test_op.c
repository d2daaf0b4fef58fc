/* SPDX-License-Identifier: MIT */
/* Operations: each kind once on real descriptors, EINTR repeated, and the seam where tests make calls fail. */
#include "base/op.h"
#include "base/platform.h"
#include "unit/unit.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

static bool on_linux(void)
{
    return strcmp(platform.name, "linux") == 0;
}

static struct op operation(enum op_kind kind, int from, int to, const void *bytes, size_t n)
{
    struct op op = {.kind = kind, .fd = {from, to}, .offset = {-1, -1}, .length = n};
    memcpy(&op.bytes, &bytes, sizeof(bytes)); /* a write leaves them as they are */
    return op;
}

static ssize_t run(enum op_kind kind, int from, int to, const void *bytes, size_t n)
{
    struct op op = operation(kind, from, to, bytes, n);
    return op_execute(&op);
}

static int open_file(const char *name, const char *text)
{
    unit_write(name, text, strlen(text));
    int fd = open(name, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* ---- each kind ---- */

static void every_kind_has_a_name(void **state UNUSED)
{
    for (int i = 0; i < OP_KINDS; i++)
        assert_non_null(op_name((enum op_kind)i));
    assert_string_equal(op_name(OP_SPLICE), "splice");
}

static void reads_and_writes_with_and_without_offset(void **state UNUSED)
{
    char bytes[8] = "";
    int fd = open_file("a", "0123456789");
    struct op op = operation(OP_READ, fd, -1, bytes, 3);
    op.offset[0] = 4;
    assert_int_equal(op_execute(&op), 3);
    assert_memory_equal(bytes, "456", 3);
    assert_int_equal(run(OP_READ, fd, -1, bytes, 2), 2);
    assert_memory_equal(bytes, "01", 2); /* an offset leaves the position alone */
    op = operation(OP_WRITE, -1, fd, "xy", 2);
    op.offset[1] = 8;
    assert_int_equal(op_execute(&op), 2);
    assert_int_equal(run(OP_WRITE, -1, fd, "z", 1), 1);
    op = operation(OP_READ, fd, -1, bytes, 8);
    op.offset[0] = 10;
    assert_int_equal(op_execute(&op), 0);
    close(fd);
    unit_holds("a", "01z34567xy");
}

static void truncates_and_syncs(void **state UNUSED)
{
    int fd = open_file("a", "0123456789");
    struct op op = operation(OP_TRUNCATE, -1, fd, NULL, 0);
    op.offset[1] = 3;
    assert_int_equal(op_execute(&op), 0);
    assert_int_equal(run(OP_FSYNC, -1, fd, NULL, 0), 0);
    close(fd);
    unit_holds("a", "012");
    assert_int_equal(run(OP_FSYNC, -1, -1, NULL, 0), -EBADF);
}

static void links_and_renames(void **state UNUSED)
{
    int fd = open_file("a", "text");
    struct op op = {.kind = OP_LINK, .fd = {-1, -1}, .path = {"a", "b"}};
    ssize_t linked = op_execute(&op);
    unit_needs(linked != -EMLINK, "a file with two names");
    assert_int_equal(linked, 0);
    assert_int_equal(op_execute(&op), -EEXIST);
    op = (struct op){.kind = OP_RENAME, .fd = {-1, -1}, .path = {"b", "c"}};
    assert_int_equal(op_execute(&op), 0);
    assert_int_equal(op_execute(&op), -ENOENT);
    unit_holds("c", "text");
    op = (struct op){.kind = OP_LINK, .fd = {-1, fd}, .path = {NULL, "d"}};
    assert_int_equal(op_execute(&op), on_linux() ? 0 : -ENOSYS);
    close(fd);
}

static bool refuse_to_close(void *user, struct op *op, ssize_t *ret_result)
{
    *ret_result = *(int *)user;
    return op->kind != OP_CLOSE;
}

/* Whatever it says, the descriptor is gone, and not closed twice. */
static void a_close_that_fails_is_told(void **state UNUSED)
{
    int before = unit_descriptors(), code = -ENOSPC;
    unit_needs(before > 0, "a list of descriptors");
    int fd = open_file("a", "text"), kept = fd;
    op_interpose(refuse_to_close, &code);
    assert_int_equal(op_close_duplicate(fd), -ENOSPC);
    assert_int_equal(unit_descriptors(), before + 1);
    assert_int_equal(op_close(&fd), -ENOSPC);
    op_interpose(NULL, NULL);
    assert_int_equal(fd, -1);
    assert_int_equal(unit_descriptors(), before);
    assert_int_equal(op_close(&fd), 0);
    assert_int_equal(op_close(&kept), -EBADF);
    assert_int_equal(op_close_duplicate(-1), -EBADF);
}

static void a_rename_may_replace_nothing(void **state UNUSED)
{
    close(open_file("a", "one"));
    close(open_file("b", "two"));
    struct op op = {.kind = OP_RENAME, .fd = {-1, -1}, .flags = OP_NEW, .path = {"a", "b"}};
    ssize_t r = op_execute(&op);
    assert_true(r == -EEXIST || r == -ENOSYS || r == -EINVAL);
    unit_holds("a", "one");
    unit_holds("b", "two");
    unlink("b");
    assert_int_equal(op_execute(&op), r == -EEXIST ? 0 : r);
}

static void moves_between_pipes(void **state UNUSED)
{
    int a[2], b[2];
    char bytes[8];
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    assert_int_equal(write(a[1], "pipe", 4), 4);
    assert_int_equal(run(OP_TEE, a[0], b[1], NULL, 100), on_linux() ? 4 : -ENOSYS);
    assert_int_equal(run(OP_SPLICE, a[0], b[1], NULL, 100), on_linux() ? 4 : -ENOSYS);
    if (on_linux()) {
        assert_int_equal(read(b[0], bytes, 8), 8);
        assert_memory_equal(bytes, "pipepipe", 8);
        struct op op = operation(OP_SPLICE, a[0], b[1], NULL, 100);
        op.flags = OP_NOWAIT;
        assert_int_equal(op_execute(&op), -EAGAIN);
        op.kind = OP_TEE;
        assert_int_equal(op_execute(&op), -EAGAIN);
    }
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

static void moves_between_files(void **state UNUSED)
{
    int from = open_file("a", "0123456789"), to = open_file("b", "");
    struct op op = operation(OP_COPY_RANGE, from, to, NULL, 4);
    op.offset[0] = 2;
    op.offset[1] = 1;
    ssize_t n = op_execute(&op);
    assert_true(on_linux() ? n == 4 || n == -EXDEV || n == -EINVAL : n == -ENOSYS);
    if (n == 4)
        assert_int_equal(lseek(to, 0, SEEK_CUR), 0);
    op = operation(OP_SENDFILE, from, to, NULL, 3);
    op.offset[0] = 7;
    assert_int_equal(op_execute(&op), on_linux() ? 3 : -ENOSYS);
    n = run(OP_CLONE, from, to, NULL, 0);
    assert_true(on_linux() ? n == 0 || n == -EOPNOTSUPP || n == -EINVAL || n == -ENOTTY : n == -ENOSYS);
    close(from);
    close(to);
}

static void no_wait_is_said_on_pipes(void **state UNUSED)
{
    int fd[2];
    char byte = 'x';
    assert_int_equal(pipe(fd), 0);
    struct op op = operation(OP_READ, fd[0], -1, &byte, 1);
    op.flags = OP_NOWAIT;
    ssize_t n = op_execute(&op);
    assert_true(n == -EOPNOTSUPP || (on_linux() && n == -EAGAIN));
    op = operation(OP_WRITE, -1, fd[1], &byte, 1);
    op.flags = OP_NOWAIT;
    n = op_execute(&op);
    assert_true(n == -EOPNOTSUPP || (on_linux() && n == 1));
    assert_int_equal(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
    close(fd[0]);
    close(fd[1]);
}

static void sockets_neither_wait_nor_raise(void **state UNUSED)
{
    int fd[2];
    char byte = 'x';
    unit_socketpair(fd);
    struct op op = operation(OP_READ, fd[0], -1, &byte, 1);
    op.flags = OP_NOWAIT | OP_SOCKET;
    assert_int_equal(op_execute(&op), -EAGAIN);
    op = operation(OP_WRITE, -1, fd[1], &byte, 1);
    op.flags = OP_SOCKET;
    assert_int_equal(op_execute(&op), 1);
    op = operation(OP_READ, fd[0], -1, &byte, 1);
    op.flags = OP_SOCKET;
    assert_int_equal(op_execute(&op), 1);
    close(fd[0]);
    op = operation(OP_WRITE, -1, fd[1], &byte, 1);
    op.flags = OP_SOCKET;
    assert_int_equal(op_execute(&op), -EPIPE); /* and no SIGPIPE, which would end us */
    close(fd[1]);
}

static ssize_t take_half(void *user, void *bytes, size_t n)
{
    *(void **)user = bytes;
    return (ssize_t)(n / 2);
}

static void a_call_takes_the_place_of_a_descriptor(void **state UNUSED)
{
    void *seen = NULL;
    char bytes[10] = {0};
    struct op op = operation(OP_WRITE, -1, -1, bytes, sizeof(bytes));
    op.call = take_half;
    op.user = &seen;
    assert_int_equal(op_execute(&op), 5);
    assert_ptr_equal(seen, bytes);
}

/* ---- EINTR ---- */

static void ignore(int number UNUSED)
{
}

struct storm {
    pthread_t target;
    int fd;
    atomic_bool over;
};

static void *blow(void *user)
{
    struct storm *storm = user;
    for (int i = 0; i < 300; i++) {
        pthread_kill(storm->target, SIGUSR1);
        if (i % 10 == 0)
            usleep(200);
    }
    ssize_t n = write(storm->fd, "x", 1);
    (void)n;
    while (!atomic_load(&storm->over))
        sched_yield();
    return NULL;
}

static void a_signal_is_no_error(void **state UNUSED)
{
    struct sigaction action = {.sa_handler = ignore}, before; /* without SA_RESTART */
    int fd[2];
    char byte = 0;
    pthread_t thread;
    unit_needs(unit_signals_come(), "signals");
    assert_int_equal(pipe(fd), 0);
    struct storm storm = {.target = pthread_self(), .fd = fd[1]};
    sigaction(SIGUSR1, &action, &before);
    assert_int_equal(pthread_create(&thread, NULL, blow, &storm), 0);
    ssize_t n = run(OP_READ, fd[0], -1, &byte, 1);
    atomic_store(&storm.over, true);
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
    assert_int_equal(n, 1);
    assert_int_equal(byte, 'x');
    close(fd[0]);
    close(fd[1]);
}

/* ---- the seam ---- */

struct plan {
    unsigned calls, fails_at;
    size_t at_most;
};

static bool interpose(void *user, struct op *op, ssize_t *ret_result)
{
    struct plan *plan = user;
    op->length = MIN(op->length, plan->at_most);
    if (++plan->calls != plan->fails_at)
        return true;
    *ret_result = -ENOSPC;
    return false;
}

static int no_interposer(void **state)
{
    op_interpose(NULL, NULL);
    return unit_empty(state);
}

static void the_nth_call_fails(void **state UNUSED)
{
    struct plan plan = {.fails_at = 2, .at_most = SIZE_MAX};
    int fd = open_file("a", "");
    op_interpose(interpose, &plan);
    assert_int_equal(run(OP_WRITE, -1, fd, "one", 3), 3);
    assert_int_equal(run(OP_WRITE, -1, fd, "two", 3), -ENOSPC);
    assert_int_equal(run(OP_WRITE, -1, fd, "three", 5), 5);
    op_interpose(NULL, NULL);
    assert_int_equal(run(OP_WRITE, -1, fd, "!", 1), 1);
    assert_int_equal(plan.calls, 3);
    close(fd);
    unit_holds("a", "onethree!");
}

static void a_call_comes_back_short(void **state UNUSED)
{
    struct plan plan = {.at_most = 2};
    int fd = open_file("a", "");
    op_interpose(interpose, &plan);
    assert_int_equal(run(OP_WRITE, -1, fd, "12345", 5), 2);
    close(fd);
    unit_holds("a", "12");
}

static void calls_to_functions_go_through_it_too(void **state UNUSED)
{
    void *seen = NULL;
    struct plan plan = {.fails_at = 1, .at_most = SIZE_MAX};
    struct op op = operation(OP_WRITE, -1, -1, "x", 1);
    op.call = take_half;
    op.user = &seen;
    op_interpose(interpose, &plan);
    assert_int_equal(op_execute(&op), -ENOSPC);
    assert_null(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_name),
        cmocka_unit_test_teardown(reads_and_writes_with_and_without_offset, unit_empty),
        cmocka_unit_test_teardown(truncates_and_syncs, unit_empty),
        cmocka_unit_test_teardown(links_and_renames, unit_empty),
        cmocka_unit_test_teardown(a_close_that_fails_is_told, unit_empty),
        cmocka_unit_test_teardown(a_rename_may_replace_nothing, unit_empty),
        cmocka_unit_test(moves_between_pipes),
        cmocka_unit_test_teardown(moves_between_files, unit_empty),
        cmocka_unit_test(no_wait_is_said_on_pipes),
        cmocka_unit_test(sockets_neither_wait_nor_raise),
        cmocka_unit_test(a_call_takes_the_place_of_a_descriptor),
        cmocka_unit_test(a_signal_is_no_error),
        cmocka_unit_test_teardown(the_nth_call_fails, no_interposer),
        cmocka_unit_test_teardown(a_call_comes_back_short, no_interposer),
        cmocka_unit_test_teardown(calls_to_functions_go_through_it_too, no_interposer),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
