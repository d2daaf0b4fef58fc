/* SPDX-License-Identifier: MIT */
/* emscripten: it has no signals
 * The guard: our SIGPIPE is taken away, somebody else's stays, the mask is as it was. */
#include "base/sigpipe.h"
#include "unit/unit.h"

static volatile sig_atomic_t caught;

static void count(int number UNUSED)
{
    caught++;
}

static bool is_blocked(void)
{
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    return sigismember(&set, SIGPIPE) == 1;
}

static bool is_pending(void)
{
    sigset_t set;
    return sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 1;
}

static void block(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(how, &set, NULL);
}

static void write_to_nobody(void)
{
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    close(fd[0]);
    assert_int_equal(write(fd[1], "", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(fd[1]);
}

static int catch_sigpipe(void **state UNUSED)
{
    struct sigaction action = {.sa_handler = count};
    caught = 0;
    return sigaction(SIGPIPE, &action, NULL);
}

static void ours_is_taken_away(void **state UNUSED)
{
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    assert_true(is_blocked());
    write_to_nobody();
    write_to_nobody();
    assert_true(is_pending());
    sigpipe_leave(&guard);
    assert_false(is_blocked());
    assert_false(is_pending());
    assert_int_equal(caught, 0);
    write_to_nobody();
    assert_int_equal(caught, 1); /* outside it is the program's */
}

static void nothing_happened_changes_nothing(void **state UNUSED)
{
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    sigpipe_leave(&guard);
    assert_false(is_blocked());
    assert_int_equal(caught, 0);
}

static void one_that_was_pending_stays_pending(void **state UNUSED)
{
    struct sigpipe_guard guard;
    block(SIG_BLOCK);
    raise(SIGPIPE);
    assert_true(is_pending());
    sigpipe_enter(&guard);
    write_to_nobody();
    sigpipe_leave(&guard);
    assert_true(is_blocked());
    assert_true(is_pending());
    block(SIG_UNBLOCK);
    assert_int_equal(caught, 1);
}

static void a_mask_that_blocks_it_is_restored(void **state UNUSED)
{
    struct sigpipe_guard guard;
    block(SIG_BLOCK);
    sigpipe_enter(&guard);
    write_to_nobody();
    sigpipe_leave(&guard);
    assert_true(is_blocked());
    assert_false(is_pending());
    block(SIG_UNBLOCK);
    assert_int_equal(caught, 0);
}

static void guards_nest(void **state UNUSED)
{
    struct sigpipe_guard outer, inner;
    sigpipe_enter(&outer);
    write_to_nobody();
    sigpipe_enter(&inner);
    write_to_nobody();
    sigpipe_leave(&inner);
    assert_true(is_blocked());
    sigpipe_leave(&outer);
    assert_false(is_blocked());
    assert_int_equal(caught, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ours_is_taken_away, catch_sigpipe),
        cmocka_unit_test_setup(nothing_happened_changes_nothing, catch_sigpipe),
        cmocka_unit_test_setup(one_that_was_pending_stays_pending, catch_sigpipe),
        cmocka_unit_test_setup(a_mask_that_blocks_it_is_restored, catch_sigpipe),
        cmocka_unit_test_setup(guards_nest, catch_sigpipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
