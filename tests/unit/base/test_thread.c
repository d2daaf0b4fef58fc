/* SPDX-License-Identifier: MIT */
/* Hooks of threads: set once, before the first thread, and called around each one.
 * emscripten: it has no threads
 * labels: fork */
#include "base/thread.h"
#include "unit/unit.h"
#include <leat/base.h>
#include <stdatomic.h>
#include <sys/wait.h>

static _Thread_local bool attached;
static atomic_uint begun, ended, wrong;

static void begin(void *user)
{
    atomic_fetch_add(&wrong, attached || user != &begun);
    attached = true;
    atomic_fetch_add(&begun, 1);
}

static void end(void *user)
{
    atomic_fetch_add(&wrong, !attached || user != &begun);
    attached = false;
    atomic_fetch_add(&ended, 1);
}

static const struct leat_thread_hooks hooks = {.size = sizeof(hooks), .user = &begun, .begin = begin, .end = end};

static void *look(void *user)
{
    atomic_fetch_add(&wrong, !attached);
    return user;
}

static void *leave(void *user)
{
    look(NULL);
    pthread_exit(user);
}

static void run(void *(*what)(void *))
{
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(thread_create(&thread, what, &thread), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &thread);
}

/* Runs in a process of its own, because hooks stay. */
static void in_child(bool (*f)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(f() && !atomic_load(&wrong) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool run_without(void)
{
    run(leave);
    atomic_store(&wrong, 0);
    struct leat_error error = LEAT_INIT(struct leat_error);
    return leat_thread_hooks_set(&hooks, &error) == -EBUSY && strstr(error.text, "made a thread") &&
           !atomic_load(&begun);
}

static void hooks_come_before_the_first_thread(void **state UNUSED)
{
    in_child(run_without);
}

static bool set_twice(void)
{
    const struct leat_thread_hooks none = {.size = sizeof(none)};
    struct leat_error error = LEAT_INIT(struct leat_error);
    bool good = leat_thread_hooks_set(NULL, &error) == -EINVAL && strstr(error.text, "must be given") &&
                leat_thread_hooks_set(&none, &error) == 0 && error.code == 0;
    run(leave);
    atomic_store(&wrong, 0);
    return good && leat_thread_hooks_set(&hooks, &error) == -EBUSY && strstr(error.text, "set already");
}

static void hooks_are_set_once(void **state UNUSED)
{
    in_child(set_twice);
}

static void hooks_run_around_each_thread(void **state UNUSED)
{
    assert_int_equal(leat_thread_hooks_set(&hooks, NULL), 0);
    for (unsigned i = 1; i <= 10; i++) {
        run(look);
        assert_int_equal(begun, i);
        assert_int_equal(ended, i);
    }
    assert_int_equal(wrong, 0);
}

static void a_thread_that_exits_has_an_end(void **state UNUSED)
{
    unsigned before = ended;
    run(leave);
    assert_int_equal(ended, before + 1);
    assert_int_equal(wrong, 0);
}

static bool run_one_more(void)
{
    unsigned before = ended;
    run(look);
    return ended == before + 1;
}

static void a_child_keeps_the_hooks(void **state UNUSED)
{
    in_child(run_one_more);
}

static void there_is_a_processor(void **state UNUSED)
{
    assert_in_range(leat_processors_count(), 1, 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_come_before_the_first_thread),
        cmocka_unit_test(hooks_are_set_once),
        cmocka_unit_test(hooks_run_around_each_thread),
        cmocka_unit_test(a_thread_that_exits_has_an_end),
        cmocka_unit_test(a_child_keeps_the_hooks),
        cmocka_unit_test(there_is_a_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
