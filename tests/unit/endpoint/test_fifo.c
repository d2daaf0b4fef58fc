/* SPDX-License-Identifier: MIT */
/* emscripten: it has no FIFOs
 * A FIFO for writing: its reader may come early, late or never, and nothing is left behind. */
#include "base/fd.h"
#include "endpoint/fifo.h"
#include "unit/unit.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define PATIENCE_MS 60000 /* what always comes may come late */

static int descriptors, threads;
static atomic_int late_ms; /* so long a thread needs from its decision to open a FIFO until it is in the call */

/* Takes the place of open(2), so that a thread can be stopped in front of it. */
int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    if ((flags & O_ACCMODE) == O_WRONLY && !(flags & O_NONBLOCK))
        usleep((useconds_t)late_ms * 1000);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int begin(void **state UNUSED)
{
    descriptors = unit_descriptors();
    threads = unit_threads();
    return mkfifo("fifo", 0600);
}

/* A thread that was joined, or has ended, may be seen in /proc for a moment. */
static int end(void **state)
{
    for (int i = 0; i < PATIENCE_MS && (unit_threads() != threads || unit_descriptors() != descriptors); i++)
        usleep(1000);
    late_ms = 0;
    if (unit_threads() != threads || unit_descriptors() != descriptors)
        return -1;
    return unit_empty(state);
}

static int open_reader(const char *path)
{
    int fd = fd_open(path, O_RDONLY | O_NONBLOCK, 0);
    assert_true(fd >= 0);
    return fd;
}

static void wait_for(const struct port *port, int timeout_ms)
{
    struct pollfd set = {.fd = port->fd, .events = port->events};
    assert_int_equal(poll(&set, 1, timeout_ms), 1);
}

static void is_open_and_ours(int fd)
{
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void a_reader_that_is_there_needs_no_thread(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    int reader = open_reader("fifo");
    is_open_and_ours(fifo_open(&opener, "fifo", &port));
    assert_null(opener);
    close(reader);
}

static void a_late_reader_is_waited_for(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
    assert_true(port.blocked && port.fd >= 0);
    struct pollfd set = {.fd = port.fd, .events = port.events};
    assert_int_equal(poll(&set, 1, 20), 0);
    port.blocked = false;
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN); /* asked too early */
    assert_true(port.blocked);
    int reader = open_reader("fifo");
    wait_for(&port, PATIENCE_MS);
    is_open_and_ours(fifo_open(&opener, "fifo", &port));
    assert_null(opener);
    close(reader);
}

static void what_can_t_be_opened_says_so(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    assert_int_equal(fifo_open(&opener, "missing", &port), -ENOENT);
    assert_null(opener);
    assert_null(fifo_cancel(NULL));
}

static void a_cancel_releases_the_thread(void **state UNUSED)
{
    for (int i = 0; i < 50; i++) {
        struct fifo_opener *opener = NULL;
        struct port port;
        assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
        if (i % 2)
            usleep(500); /* it sits in open(2) now, or it is on its way there */
        assert_null(fifo_cancel(opener));
    }
}

/* The machine does not let the thread run for longer than the cancel waits. It opens the FIFO then, and comes out. */
static void a_thread_that_is_late_comes_out(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    late_ms = 900;
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
    usleep(20000); /* it has decided to open, most likely; if not, it never does */
    assert_null(fifo_cancel(opener));
}

static void a_cancel_after_the_reader_came(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
    int reader = open_reader("fifo");
    wait_for(&port, PATIENCE_MS);
    assert_null(fifo_cancel(opener));
    close(reader);
}

/* It can't be read by the name that we know, so the thread stays until somebody else reads it. */
static void a_cancel_that_may_not_read_leaves_the_thread(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
    usleep(20000);
    assert_int_equal(rename("fifo", "elsewhere"), 0);
    assert_null(fifo_cancel(opener));
    int reader = open_reader("elsewhere");
    struct pollfd set = {.fd = reader, .events = POLLIN};
    poll(&set, 1, 1000); /* it opens, and hangs up */
    close(reader);
}

static void another_fifo_by_that_name_is_no_trap(void **state UNUSED)
{
    struct fifo_opener *opener = NULL;
    struct port port;
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
    usleep(20000);
    assert_int_equal(rename("fifo", "elsewhere"), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_null(fifo_cancel(opener)); /* returns at all */
    int reader = open_reader("elsewhere");
    struct pollfd set = {.fd = reader, .events = POLLIN};
    poll(&set, 1, 1000);
    close(reader);
}

/* The reader comes at the very moment of the cancel, and can't be found by it. */
static void *read_elsewhere(void *user UNUSED)
{
    int reader = fd_open("elsewhere", O_RDONLY | O_NONBLOCK, 0);
    struct pollfd set = {.fd = reader, .events = POLLIN};
    poll(&set, 1, 20); /* if the opener was slow it has found no FIFO, and nobody comes */
    fd_close(reader);
    return NULL;
}

static void a_reader_that_comes_with_the_cancel(void **state UNUSED)
{
    for (int i = 0; i < 20; i++) {
        struct fifo_opener *opener = NULL;
        struct port port;
        pthread_t thread;
        assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
        usleep(2000);
        assert_int_equal(rename("fifo", "elsewhere"), 0);
        assert_int_equal(pthread_create(&thread, NULL, read_elsewhere, NULL), 0);
        assert_null(fifo_cancel(opener));
        pthread_join(thread, NULL);
        assert_int_equal(rename("elsewhere", "fifo"), 0);
        /* One that was so slow that this reader had gone needs another one. */
        for (int k = 0; k < PATIENCE_MS && unit_threads() != threads; k++) {
            usleep(1000);
            close(open_reader("fifo"));
        }
    }
}

static pthread_t handled_by;
static volatile sig_atomic_t handled;

static void handle(int number UNUSED)
{
    handled_by = pthread_self();
    handled = 1;
}

static void the_program_s_signals_stay_with_the_program(void **state UNUSED)
{
    struct sigaction action = {.sa_handler = handle}, before;
    struct fifo_opener *opener = NULL;
    struct port port;
    sigset_t set, saved;
    sigaction(SIGUSR1, &action, &before);
    assert_int_equal(fifo_open(&opener, "fifo", &port), -EAGAIN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &saved); /* it is the other thread's, if that takes any */
    assert_false(sigismember(&saved, SIGUSR1));
    kill(getpid(), SIGUSR1);
    usleep(10000);
    assert_false(handled);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    assert_true(handled);
    assert_true(pthread_equal(handled_by, pthread_self()));
    assert_null(fifo_cancel(opener));
    sigaction(SIGUSR1, &before, NULL);
}

static void *nothing(void *user)
{
    return user;
}

/* A sanitizer has a thread of its own from the first of ours on. */
static int first_thread(void **state)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? unit_folder(state)
                                                                                                : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reader_that_is_there_needs_no_thread, begin, end),
        cmocka_unit_test_setup_teardown(a_late_reader_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(what_can_t_be_opened_says_so, begin, end),
        cmocka_unit_test_setup_teardown(a_cancel_releases_the_thread, begin, end),
        cmocka_unit_test_setup_teardown(a_thread_that_is_late_comes_out, begin, end),
        cmocka_unit_test_setup_teardown(a_cancel_after_the_reader_came, begin, end),
        cmocka_unit_test_setup_teardown(a_cancel_that_may_not_read_leaves_the_thread, begin, end),
        cmocka_unit_test_setup_teardown(another_fifo_by_that_name_is_no_trap, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_that_comes_with_the_cancel, begin, end),
        cmocka_unit_test_setup_teardown(the_program_s_signals_stay_with_the_program, begin, end),
    };
    return cmocka_run_group_tests(tests, first_thread, unit_folder_gone);
}
