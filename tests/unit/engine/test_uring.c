/* SPDX-License-Identifier: MIT */
/* labels: ring
 * The uring engines, with many small tasks on one ring: what goes into it, what comes back, what a cancel ends, and
 * that the kernel has let go of everything when a task ends. */
#include "unit/engine/wanted.h"
#include "unit/unit.h"
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

/* One op, or a wait for one port. */
struct small {
    struct task task;
    struct op op;
    struct port port, other;
    bool waits, waits_for_other;
    unsigned nexts, dones, ends;
    ssize_t result;
    atomic_bool cancelled;
    int closes; /* a descriptor that is closed in `ended`, as a node does; -1 */
    char bytes[64];
};

static enum verdict small_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait)
{
    struct small *s = (struct small *)task;
    s->nexts++;
    if (s->dones || atomic_load(&s->cancelled))
        return VERDICT_END;
    if (s->waits && s->port.blocked) {
        wait_add(ret_wait, &s->port);
        if (s->waits_for_other)
            wait_add(ret_wait, &s->other);
        return VERDICT_WAIT;
    }
    if (s->waits)
        return VERDICT_END;
    *ret_op = &s->op;
    return VERDICT_OP;
}

static void small_done(struct task *task, struct op *op, ssize_t result)
{
    struct small *s = (struct small *)task;
    assert_ptr_equal(op, &s->op);
    s->dones++;
    s->result = result;
}

static void small_ended(struct task *task)
{
    struct small *s = (struct small *)task;
    s->ends++;
    if (s->closes >= 0)
        close(s->closes);
}

static char digits[] = "0123456789";

static struct small small_of(struct op op)
{
    struct small s = {.op = op, .closes = -1};
    s.task = (struct task){.next = small_next, .done = small_done, .ended = small_ended};
    port_init(&s.port, -1, 0);
    port_init(&s.other, -1, 0);
    return s;
}

static struct op op_of(enum op_kind kind, int from, int to, void *bytes, size_t n, unsigned flags)
{
    return (struct op){.kind = kind, .fd = {from, to}, .offset = {-1, -1}, .bytes = bytes, .length = n, .flags = flags};
}

static const struct engine *engine; /* all tests are run on one, then on the other */

static void open_loop(struct loop *loop)
{
    char why[ENGINE_WHY_MAX];
    if (loop_open(loop, engine, why) < 0)
        fail_msg("%s: %s", engine->name, why);
}

static void run_all(struct loop *loop, struct small *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        loop_add(loop, &s[i].task);
    loop_quit(loop);
    loop_run(loop);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(s[i].ends, 1);
}

static ssize_t run_op(struct op op)
{
    struct loop loop;
    struct small s = small_of(op);
    open_loop(&loop);
    run_all(&loop, &s, 1);
    loop_close(&loop);
    assert_int_equal(s.dones, 1);
    return s.result;
}

/* ---- what comes back ---- */

static void every_kind_comes_back(void **state UNUSED)
{
    char bytes[16] = "";
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), pipes[2][2], sockets[2];
    assert_int_equal(pipe(pipes[0]), 0);
    assert_int_equal(pipe(pipes[1]), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    struct op op = op_of(OP_WRITE, -1, fd, digits, 10, 0);
    op.offset[1] = 0;
    assert_int_equal(run_op(op), 10);
    op = op_of(OP_READ, fd, -1, bytes, 16, 0);
    op.offset[0] = 7;
    assert_int_equal(run_op(op), 3);
    assert_memory_equal(bytes, "789", 3);
    op.offset[0] = 10;
    assert_int_equal(run_op(op), 0);
    assert_int_equal(run_op(op_of(OP_READ, fd, -1, bytes, 4, 0)), 4); /* its own position, which moves */
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 4);
    assert_int_equal(run_op(op_of(OP_WRITE, -1, fd, digits, 1, 0)), 1);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
    assert_int_equal(run_op(op_of(OP_FSYNC, -1, fd, NULL, 0, 0)), 0);
    op = op_of(OP_SPLICE, fd, pipes[0][1], NULL, 10, 0);
    op.offset[0] = 0;
    assert_int_equal(run_op(op), 10);
    assert_int_equal(run_op(op_of(OP_TEE, pipes[0][0], pipes[1][1], NULL, 4, 0)), 4);
    assert_int_equal(run_op(op_of(OP_READ, pipes[0][0], -1, bytes, 16, OP_NOWAIT)), 10);
    assert_memory_equal(bytes, "0123056789", 10);
    assert_int_equal(run_op(op_of(OP_SPLICE, pipes[1][0], pipes[0][1], NULL, 9, OP_NOWAIT)), 4);
    assert_int_equal(run_op(op_of(OP_WRITE, -1, sockets[1], digits, 3, OP_SOCKET)), 3);
    assert_int_equal(run_op(op_of(OP_READ, sockets[0], -1, bytes, 16, OP_SOCKET)), 3);
    op = op_of(OP_TRUNCATE, -1, fd, NULL, 0, 0); /* a call in any case */
    op.offset[1] = 2;
    assert_int_equal(run_op(op), 0);
    assert_int_equal(run_op(op_of(OP_READ, -1, -1, bytes, 1, OP_NOWAIT)), -EBADF);
    op = op_of(OP_READ, 1000000, -1, bytes, 1, 0);
    op.offset[0] = 0;
    assert_int_equal(run_op(op), -EBADF);
    close(fd);
    for (int i = 0; i < 2; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
        close(sockets[i]);
    }
}

/* Whoever asks not to sleep hears -EAGAIN, from a ring too; O_NONBLOCK alone would not make it say so. */
static void what_must_not_sleep_does_not(void **state UNUSED)
{
    static const unsigned asks[] = {OP_NOWAIT, OP_NONBLOCK};
    for (size_t i = 0; i < COUNT(asks); i++) {
        char bytes[8], *much = calloc(1, 1 << 20);
        int fd[2], sockets[2], mode = asks[i] == OP_NONBLOCK ? O_NONBLOCK : 0;
        assert_int_equal(pipe2(fd, mode), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | (mode ? SOCK_NONBLOCK : 0), 0, sockets), 0);
        assert_int_equal(run_op(op_of(OP_READ, fd[0], -1, bytes, 8, asks[i])), -EAGAIN);
        assert_int_equal(run_op(op_of(OP_READ, sockets[0], -1, bytes, 8, asks[i] | OP_SOCKET)), -EAGAIN);
        assert_true(run_op(op_of(OP_WRITE, -1, fd[1], much, 1 << 20, asks[i])) > 0);
        assert_int_equal(run_op(op_of(OP_WRITE, -1, fd[1], much, 1 << 20, asks[i])), -EAGAIN);
        while (run_op(op_of(OP_WRITE, -1, sockets[1], much, 1 << 20, asks[i] | OP_SOCKET)) > 0)
            ;
        ssize_t r = run_op(op_of(OP_WRITE, -1, sockets[1], much, 1 << 20, asks[i] | OP_SOCKET));
        assert_int_equal(r, -EAGAIN);
        free(much);
        for (int k = 0; k < 2; k++) {
            close(fd[k]);
            close(sockets[k]);
        }
    }
}

/* A descriptor that can't be asked: the caller polls from then on; one that is non-blocking itself needs no asking. */
static void what_can_not_be_asked_says_so(void **state UNUSED)
{
    char bytes[8];
    int fd = open("/proc/version", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t plain, r = run_op(op_of(OP_READ, fd, -1, bytes, 8, OP_NOWAIT));
    struct op op = op_of(OP_READ, fd, -1, bytes, 8, OP_NOWAIT);
    lseek(fd, 0, SEEK_SET);
    plain = op_execute(&op);
    assert_int_equal(r, plain);
    assert_int_equal(run_op(op_of(OP_READ, fd, -1, bytes, 4, OP_NONBLOCK)), 4);
    close(fd);
}

static void broken_pipes_raise_no_signal(void **state UNUSED)
{
    int sockets[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    close(sockets[0]);
    assert_int_equal(run_op(op_of(OP_WRITE, -1, sockets[1], digits, 1, OP_SOCKET)), -EPIPE);
    close(sockets[1]);
}

/* More than the ring has entries, and each buffer gets its own bytes. */
#define MANY 700

static void more_tasks_than_entries(void **state UNUSED)
{
    struct loop loop;
    struct small *s = calloc(MANY, sizeof(*s));
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    open_loop(&loop);
    for (unsigned i = 0; i < MANY; i++) {
        s[i] = small_of(op_of(OP_READ, fd, -1, NULL, sizeof(i), 0));
        s[i].op.bytes = s[i].bytes;
        s[i].op.offset[0] = i * sizeof(i);
        assert_int_equal(pwrite(fd, &i, sizeof(i), i * (off_t)sizeof(i)), sizeof(i));
    }
    run_all(&loop, s, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(s[i].result, sizeof(i));
        assert_memory_equal(s[i].bytes, &i, sizeof(i));
    }
    loop_close(&loop);
    close(fd);
    free(s);
}

/* ---- the seam ---- */

struct counted {
    unsigned calls;
    ssize_t result;
    bool lets;
};

static bool count(void *user, struct op *op, ssize_t *ret_result)
{
    struct counted *counted = user;
    counted->calls++;
    op->length = MIN(op->length, 3u);
    *ret_result = counted->result;
    return counted->lets;
}

static void the_gate_is_asked_once(void **state UNUSED)
{
    for (int lets = 0; lets < 2; lets++) {
        char bytes[16];
        struct counted counted = {.result = -EIO, .lets = lets};
        int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        struct op op = op_of(OP_READ, fd, -1, bytes, 16, 0);
        op.offset[0] = 0;
        op_interpose(count, &counted);
        ssize_t r = run_op(op);
        op_interpose(NULL, NULL);
        assert_int_equal(r, lets ? 3 : -EIO);
        assert_int_equal(counted.calls, 1);
        close(fd);
    }
}

/* ---- cancelling ---- */

struct canceller {
    struct loop *loop;
    struct small *s;
    size_t n;
};

static void *cancel_soon(void *user)
{
    struct canceller *c = user;
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    for (size_t i = 0; i < c->n; i++) {
        atomic_store(&c->s[i].cancelled, true);
        loop_poke(c->loop, &c->s[i].task);
    }
    return NULL;
}

static void run_and_cancel(struct small *s, size_t n)
{
    struct loop loop;
    pthread_t thread;
    open_loop(&loop);
    struct canceller c = {&loop, s, n};
    for (size_t i = 0; i < n; i++)
        loop_add(&loop, &s[i].task);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &c), 0);
    /* It may not quit before the last was poked: a task that has ended is not to be poked. */
    loop_quit(&loop);
    loop_run(&loop);
    pthread_join(thread, NULL);
    loop_close(&loop);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(s[i].ends, 1);
}

static void a_cancel_ends_what_waits_in_the_ring(void **state UNUSED)
{
    int sockets[2], fd[2][2];
    char bytes[8];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(pipe(fd[0]), 0);
    assert_int_equal(pipe(fd[1]), 0);
    struct small s[] = {
        small_of(op_of(OP_READ, sockets[0], -1, bytes, 8, OP_SOCKET)), /* polled inside */
        small_of(op_of(OP_SPLICE, fd[0][0], fd[1][1], NULL, 4096, 0)), /* asleep in a worker */
        small_of(op_of(OP_TEE, fd[0][0], fd[1][1], NULL, 4096, 0)),
    };
    run_and_cancel(s, COUNT(s));
    for (size_t i = 0; i < COUNT(s); i++) {
        assert_int_equal(s[i].dones, 1);
        assert_int_equal(s[i].result, -ECANCELED);
    }
    for (int i = 0; i < 2; i++) {
        close(sockets[i]);
        close(fd[i][0]);
        close(fd[i][1]);
    }
}

/* Splices that sleep hold their workers, of which there are fewer than splices. What needs no worker goes on all the
 * same, and a cancel ends those that sleep and those that wait for a worker. */
#define SLEEPERS 50

static void sleeping_workers_are_no_deadlock(void **state UNUSED)
{
    static struct small s[SLEEPERS + 1];
    int fd[2][2], threads = unit_threads(), sockets[2];
    assert_int_equal(pipe(fd[0]), 0);
    assert_int_equal(pipe(fd[1]), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    for (size_t i = 0; i < SLEEPERS; i++)
        s[i] = small_of(op_of(OP_SPLICE, fd[0][0], fd[1][1], NULL, 4096, 0));
    /* Added last, it is looked at first; so the others are in the ring before its bytes come. */
    s[SLEEPERS] = small_of(op_of(OP_READ, sockets[0], -1, s[SLEEPERS].bytes, 8, OP_SOCKET));
    assert_int_equal(write(sockets[1], "x", 1), 1);
    run_and_cancel(s, SLEEPERS + 1);
    for (size_t i = 0; i < SLEEPERS; i++)
        assert_int_equal(s[i].result, -ECANCELED);
    assert_int_equal(s[SLEEPERS].result, 1);
    assert_true(unit_threads() <= threads + 40);
    for (int i = 0; i < 2; i++) {
        close(sockets[i]);
        close(fd[i][0]);
        close(fd[i][1]);
    }
}

/* ---- letting go ---- */

/* The task ends while one of its ports is still watched, and closes the descriptor: the other side sees it. */
static void nothing_is_held_after_the_end(void **state UNUSED)
{
    int ready[2], full[2];
    char bytes[8];
    struct loop loop;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe2(full, O_NONBLOCK), 0);
    while (write(full[1], "x", 1) == 1)
        ;
    struct small s = small_of((struct op){0});
    s.waits = s.waits_for_other = true;
    port_init(&s.port, ready[0], POLLIN);
    port_init(&s.other, full[1], POLLOUT);
    s.port.blocked = s.other.blocked = true;
    s.closes = full[1];
    assert_int_equal(write(ready[1], "x", 1), 1);
    open_loop(&loop);
    run_all(&loop, &s, 1);
    assert_true(s.other.blocked);
    while (read(full[0], bytes, sizeof(bytes)) > 0)
        ;
    assert_int_equal(read(full[0], bytes, sizeof(bytes)), 0); /* not -EAGAIN: nobody has it open for writing */
    loop_close(&loop);
    close(ready[0]);
    close(ready[1]);
    close(full[0]);
}

/* A port that is initialised anew, with a descriptor that happens to have the same number. */
static struct port renewed;
static int renewed_fd[2][2];

static enum verdict renew(struct task *task, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    struct small *s = (struct small *)task;
    if (s->nexts++ == 1) { /* the deadline, while the first descriptor is watched */
        int number = renewed_fd[0][0];
        close(renewed_fd[0][0]);
        assert_int_equal(dup2(renewed_fd[1][0], number), number);
        port_init(&renewed, number, POLLIN);
        renewed.blocked = true;
        assert_int_equal(write(renewed_fd[1][1], "x", 1), 1);
    }
    if (!renewed.blocked)
        return VERDICT_END;
    wait_add(ret_wait, &renewed);
    ret_wait->deadline_ns = clock_ns() + (s->nexts == 1 ? 20000000 : 60000000000);
    return VERDICT_WAIT;
}

static void a_new_descriptor_of_the_same_number(void **state UNUSED)
{
    struct loop loop;
    struct small s = small_of((struct op){0});
    s.task.next = renew;
    assert_int_equal(pipe(renewed_fd[0]), 0);
    assert_int_equal(pipe(renewed_fd[1]), 0);
    port_init(&renewed, renewed_fd[0][0], POLLIN);
    renewed.blocked = true;
    open_loop(&loop);
    int64_t begun = clock_ns();
    run_all(&loop, &s, 1);
    assert_true(clock_ns() - begun < 30000000000);
    loop_close(&loop);
    for (int i = 0; i < 2; i++) {
        close(renewed_fd[i][0]);
        close(renewed_fd[i][1]);
    }
}

static void opening_and_closing_leaves_nothing(void **state UNUSED)
{
    int before = unit_descriptors();
    for (int i = 0; i < 200; i++) {
        struct loop loop;
        open_loop(&loop);
        if (i % 2) {
            loop_quit(&loop);
            loop_run(&loop);
        }
        loop_close(&loop);
    }
    assert_int_equal(unit_descriptors(), before);
}

/* Opened here, run there, closed here. */
static void *run_loop(void *user)
{
    loop_run(user);
    return NULL;
}

static void a_loop_may_run_on_another_thread(void **state UNUSED)
{
    struct loop loop;
    pthread_t thread;
    int sockets[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    struct small s = small_of(op_of(OP_READ, sockets[0], -1, NULL, 8, OP_SOCKET));
    s.op.bytes = s.bytes;
    open_loop(&loop);
    assert_int_equal(pthread_create(&thread, NULL, run_loop, &loop), 0);
    loop_add(&loop, &s.task);
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    assert_int_equal(write(sockets[1], "abc", 3), 3);
    loop_quit(&loop);
    pthread_join(thread, NULL);
    loop_close(&loop);
    assert_int_equal(s.result, 3);
    close(sockets[0]);
    close(sockets[1]);
}

/* A program may have closed its standard descriptors. What it prints then must not go to the ring. */
static void no_standard_number_is_taken(void **state UNUSED)
{
    int saved[3], before = unit_descriptors();
    bool taken[3];
    char why[ENGINE_WHY_MAX] = "", byte = 0;
    struct loop loop;
    for (int i = 0; i < 3; i++)
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        close(i);
    int r = loop_open(&loop, engine, why);
    for (int i = 0; i < 3; i++)
        taken[i] = fcntl(i, F_GETFD) >= 0;
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    if (r < 0)
        fail_msg("%s: %s", engine->name, why);
    for (int i = 0; i < 3; i++)
        assert_false(taken[i]);
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, digits, 10), 10);
    struct small s = small_of(op_of(OP_READ, fd, -1, &byte, 1, 0));
    s.op.offset[0] = 3;
    s.closes = fd;
    run_all(&loop, &s, 1);
    loop_close(&loop);
    assert_int_equal(s.result, 1);
    assert_int_equal(byte, '3');
    assert_int_equal(unit_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back),
        cmocka_unit_test(what_must_not_sleep_does_not),
        cmocka_unit_test(what_can_not_be_asked_says_so),
        cmocka_unit_test(broken_pipes_raise_no_signal),
        cmocka_unit_test(more_tasks_than_entries),
        cmocka_unit_test(the_gate_is_asked_once),
        cmocka_unit_test(a_cancel_ends_what_waits_in_the_ring),
        cmocka_unit_test(sleeping_workers_are_no_deadlock),
        cmocka_unit_test(nothing_is_held_after_the_end),
        cmocka_unit_test(a_new_descriptor_of_the_same_number),
        cmocka_unit_test(opening_and_closing_leaves_nothing),
        cmocka_unit_test(a_loop_may_run_on_another_thread),
        cmocka_unit_test(no_standard_number_is_taken),
    };
    setenv("LEAT_TEST_ENGINE", "uring", 1);
    if (engine_missing())
        return 77;
    engine = &engine_uring;
    int failed = cmocka_run_group_tests_name("uring", tests, unit_folder, unit_folder_gone);
    engine = &engine_uring_all;
    return failed + cmocka_run_group_tests_name("uring:all", tests, unit_folder, unit_folder_gone);
}
