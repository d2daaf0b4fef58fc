/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Items that are put in before the start; and the descriptor for event loops. */
#include "numbers.h"
#include <poll.h>

/* ---- before the start ---- */

static void items_wait_for_the_start(void **state UNUSED)
{
    for (unsigned stages_n = 0; stages_n <= 2; stages_n++) {
        struct leat_stage stage = stage_with(pass, 1);
        leat_stages *stages = stages_with(NULL);
        void *item = NULL;
        size_t n;
        for (unsigned i = 0; i < stages_n; i++)
            assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
        void *items[] = {item_of(2), item_of(3)};
        begin(0);
        assert_int_equal(leat_stages_put(stages, item_of(1), 0), 0);
        assert_int_equal(leat_stages_put_many(stages, items, 2, &n, 0), 0);
        assert_int_equal(leat_stages_take(stages, &item, 0), -EINVAL);
        assert_int_equal(leat_stages_wait(stages, 0, NULL), -EINVAL);
        assert_int_equal(leat_stages_start(stages), 0);
        for (unsigned i = 1; i <= 3; i++) {
            assert_int_equal(leat_stages_take(stages, &item, -1), 0);
            assert_int_equal(number_of(item), i);
        }
        assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), 0);
        assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
        assert_int_equal(leat_stages_put(stages, item_of(1), 0), -EPIPE);
        leat_stages_free(stages);
    }
}

static void there_is_room_for_as_many_as_later(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages;
    stage.queue = 5;
    stages = stages_with(&stage);
    begin(0);
    for (unsigned i = 1; i <= 7; i++)
        assert_int_equal(leat_stages_put(stages, item_of(i), 0), 0);
    assert_int_equal(leat_stages_put(stages, item_of(8), 0), -EAGAIN);
    assert_int_equal(leat_stages_put(stages, item_of(8), 5), -ETIMEDOUT);
    leat_stages_free(stages); /* never started */
    assert_int_equal(disposed, 7);
}

static void then_the_stages_are_complete(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages = stages_with(&stage);
    struct list list = {.n = 0};
    begin(5);
    assert_int_equal(leat_stages_put(stages, item_of(1), 0), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), -EBUSY);
    assert_int_equal(leat_stages_source(stages, next, NULL), -EBUSY);
    assert_int_equal(leat_stages_sink(stages, gather, &list), -EBUSY);
    assert_int_equal(leat_stages_run(stages, next, NULL, gather, &list, NULL), -EBUSY);
    leat_stages_free(stages);
    assert_int_equal(disposed, 1);
}

static void a_source_follows_what_was_there(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    struct list list = {.n = 0};
    leat_stages *stages = stages_with(&stage);
    begin(3);
    given = 1; /* it gives 2 and 3 */
    assert_int_equal(leat_stages_source(stages, next, NULL), 0);
    assert_int_equal(leat_stages_sink(stages, gather, &list), 0);
    assert_int_equal(leat_stages_put(stages, item_of(1), 0), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), 0);
    is_sequence(&list, 3);
    leat_stages_free(stages);
}

static unsigned told;

static void control_done(void *user UNUSED, void *control UNUSED, int code)
{
    assert_int_equal(code, -ECANCELED);
    told++;
}

static void a_control_item_may_come_first_too(void **state UNUSED)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages;
    options.control_done = control_done;
    assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    begin(0);
    told = 0;
    assert_int_equal(leat_stages_control(stages, item_of(1), 0), 0);
    assert_int_equal(leat_stages_put(stages, item_of(2), 0), 0);
    leat_stages_free(stages);
    assert_true(told == 1 && disposed == 1);
}

static int refuses(void *user UNUSED)
{
    return -ENODEV;
}

static void a_start_that_fails_disposes_of_them(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    stage.open = refuses;
    leat_stages *stages = stages_with(&stage);
    begin(0);
    assert_int_equal(leat_stages_put(stages, item_of(1), 0), 0);
    assert_int_equal(leat_stages_start(stages), -ENODEV);
    assert_int_equal(disposed, 1);
    leat_stages_free(stages);
}

static void *starts_later(void *user)
{
    usleep(20000);
    assert_int_equal(leat_stages_start(user), 0);
    return NULL;
}

static void *puts_some(void *user)
{
    for (unsigned i = 1; i <= 100; i++)
        assert_int_equal(leat_stages_put(user, item_of(i), -1), 0);
    return NULL;
}

/* Threads put while another one starts. */
static void nothing_is_lost_around_the_start(void **state UNUSED)
{
    for (int round = 0; round < 20; round++) {
        struct leat_stage stage = stage_with(pass, 3);
        pthread_t threads[4];
        void *item;
        stage.queue = 2;
        leat_stages *stages = stages_with(&stage);
        begin(0);
        for (size_t i = 0; i < COUNT(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, i ? puts_some : starts_later, stages), 0);
        pthread_join(threads[0], NULL);
        for (unsigned i = 0; i < 300; i++)
            assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(leat_stages_take(stages, &item, 0), -EAGAIN);
        for (size_t i = 1; i < COUNT(threads); i++)
            pthread_join(threads[i], NULL);
        leat_stages_free(stages);
    }
}

/* ---- the descriptor ---- */

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd set = {.fd = fd, .events = POLLIN};
    return poll(&set, 1, timeout_ms) == 1;
}

static void readable_while_a_take_would_not_wait(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages = stages_with(&stage);
    void *item;
    int fd = -7, again;
    begin(0);
    assert_int_equal(leat_stages_fd(stages, &fd), -EINVAL);
    assert_int_equal(fd, -7);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(leat_stages_start(stages), 0);
        assert_int_equal(leat_stages_fd(stages, &fd), 0);
        assert_true(fd > 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        assert_false(is_readable(fd, 0));
        for (unsigned i = 1; i <= 3; i++)
            assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
        for (unsigned i = 1; i <= 3; i++) {
            assert_true(is_readable(fd, 10000));
            assert_int_equal(leat_stages_take(stages, &item, 0), 0);
        }
        assert_false(is_readable(fd, 0));
        assert_int_equal(leat_stages_fd(stages, &again), 0);
        assert_int_equal(again, fd);
        leat_stages_finish(stages);
        assert_true(is_readable(fd, 10000));
        assert_int_equal(leat_stages_take(stages, &item, 0), LEAT_STAGES_END);
        assert_true(is_readable(fd, 0));
        assert_int_equal(leat_stages_wait(stages, -1, NULL), 0);
        assert_true(is_readable(fd, 0));
    }
    leat_stages_free(stages);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void readable_after_a_cancel(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages = stages_with(&stage);
    void *item;
    int fd;
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_fd(stages, &fd), 0);
    assert_int_equal(leat_stages_cancel(stages), 0);
    assert_true(is_readable(fd, 0));
    assert_int_equal(leat_stages_take(stages, &item, 0), -ECANCELED);
    leat_stages_free(stages);
}

/* With a sink it tells the end alone. */
static void with_a_sink_readable_at_the_end(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages = stages_with(&stage);
    struct list list = {.n = 0};
    int fd;
    begin(0);
    assert_int_equal(leat_stages_sink(stages, gather, &list), 0);
    for (int round = 0; round < 50; round++) {
        list.n = 0;
        assert_int_equal(leat_stages_start(stages), 0);
        assert_int_equal(leat_stages_fd(stages, &fd), 0);
        for (unsigned i = 1; i <= 20; i++)
            assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
        assert_false(is_readable(fd, 0));
        leat_stages_finish(stages);
        assert_true(is_readable(fd, 10000));
        assert_int_equal(leat_stages_wait(stages, 0, NULL), 0);
        assert_int_equal(list.n, 20);
    }
    leat_stages_free(stages);
}

/* An event loop that never waits in a call of the stages, while others put. */
static void an_event_loop_misses_nothing(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 3);
    leat_stages *stages = stages_with(&stage);
    pthread_t threads[3];
    unsigned taken = 0;
    void *item;
    int fd, r;
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_fd(stages, &fd), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, puts_some, stages), 0);
    while (taken < 300) {
        assert_true(is_readable(fd, 10000));
        while ((r = leat_stages_take(stages, &item, 0)) == 0)
            taken++;
        assert_int_equal(r, -EAGAIN);
    }
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_false(is_readable(fd, 0));
    leat_stages_free(stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_wait_for_the_start),          cmocka_unit_test(there_is_room_for_as_many_as_later),
        cmocka_unit_test(then_the_stages_are_complete),      cmocka_unit_test(a_source_follows_what_was_there),
        cmocka_unit_test(a_control_item_may_come_first_too), cmocka_unit_test(a_start_that_fails_disposes_of_them),
        cmocka_unit_test(nothing_is_lost_around_the_start),  cmocka_unit_test(readable_while_a_take_would_not_wait),
        cmocka_unit_test(readable_after_a_cancel),           cmocka_unit_test(with_a_sink_readable_at_the_end),
        cmocka_unit_test(an_event_loop_misses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
