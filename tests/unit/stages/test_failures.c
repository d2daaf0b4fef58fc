/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Stages where something fails: a function, an opener, a source, a sink, a worker that leaves its thread; retries and
 * dead letters. */
#include "numbers.h"

static int fail_at_third(leat_work *work, void *item, void *user UNUSED)
{
    if (number_of(item) == 3)
        return -EIO;
    leat_work_emit(work, item, -1);
    return 0;
}

static void the_first_error_names_stage_item_and_code(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages = stages_with(&stage);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct list list;
    begin(1000);
    stage = stage_with(fail_at_third, 1);
    stage.name = "third";
    stage.ordered = 1;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(run(stages, &list, &error), -EIO);
    assert_int_equal(error.code, -EIO);
    assert_string_equal(error.node, "third");
    assert_int_equal(error.index, 1);
    assert_int_equal(error.side, LEAT_SIDE_FILTER);
    assert_true(list.n + disposed == given);
    leat_stages_free(stages);
}

static void an_error_reaches_put_take_wait_and_stop_alike(void **state UNUSED)
{
    struct leat_stage stage = stage_with(fail_at_third, 3);
    leat_stages *stages = stages_with(&stage);
    void *item;
    int r = 0;
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_start(stages), -EBUSY);
    for (unsigned i = 1; r == 0; i++)
        r = leat_stages_put(stages, item_of(i % 4 + 1), -1);
    assert_int_equal(r, -EIO);
    while ((r = leat_stages_take(stages, &item, -1)) == 0)
        ; /* it is reached last */
    assert_int_equal(r, -EIO);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), -EIO);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), -EIO);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), -EIO);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, -1, NULL), -EIO);
    leat_stages_free(stages);
}

static int opens_not(void *user UNUSED)
{
    return -ENODEV;
}

static int worker_opens_not(void *user UNUSED, void **ret UNUSED)
{
    static atomic_uint opened;
    return atomic_fetch_add(&opened, 1) == 2 ? -ENODEV : 0;
}

static void openers_that_fail(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct list list;
    for (int which = 0; which < 2; which++) {
        struct leat_stage stage = stage_with(pass, 4);
        begin(1000);
        stage.open = which ? NULL : opens_not;
        stage.worker_open = which ? worker_opens_not : NULL;
        leat_stages *stages = stages_with(&stage);
        assert_int_equal(run(stages, &list, &error), -ENODEV);
        assert_string_equal(error.operation, which ? "worker_open" : "open");
        leat_stages_free(stages);
        assert_int_equal(list.n + disposed, given);
    }
}

static int leaves(leat_work *work, void *item, void *user UNUSED)
{
    leat_work_emit(work, item, -1);
    if (number_of(item) == 5)
        pthread_exit(NULL);
    return 0;
}

static int source_that_leaves(void *user UNUSED, void **ret)
{
    if (given == 10)
        pthread_exit(NULL);
    return next(NULL, ret);
}

static int source_that_fails(void *user UNUSED, void **ret)
{
    return given == 10 ? -EIO : next(NULL, ret);
}

static int sink_that_fails(void *user, void *item)
{
    return number_of(item) == 7 ? -ENOSPC : gather(user, item);
}

static int open_and_close(void *user UNUSED, void **ret UNUSED)
{
    atomic_fetch_add(&called, 1);
    return 0;
}

static void worker_closed(void *user UNUSED, void *worker UNUSED)
{
    atomic_fetch_sub(&called, 1);
}

static void a_worker_that_leaves_its_thread(void **state UNUSED)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        struct leat_stage stage = stage_with(leaves, 3);
        struct list list;
        stage.ordered = ordered;
        stage.worker_open = open_and_close;
        stage.worker_close = worker_closed;
        leat_stages *stages = stages_with(&stage);
        begin(1000);
        assert_int_equal(run(stages, &list, NULL), -EOWNERDEAD);
        assert_int_equal(called, 0);
        leat_stages_free(stages);
        assert_int_equal(list.n + disposed, given);
    }
}

static void sources_and_sinks_that_fail(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_stages *stages = stages_with(&stage);
    struct list list = {0};
    begin(1000);
    assert_int_equal(leat_stages_run(stages, source_that_fails, NULL, gather, &list, &error), -EIO);
    assert_int_equal(error.side, LEAT_SIDE_SOURCE);
    begin(1000);
    assert_int_equal(leat_stages_run(stages, source_that_leaves, NULL, gather, &list, NULL), -EOWNERDEAD);
    begin(1000);
    list.n = 0;
    assert_int_equal(leat_stages_run(stages, next, NULL, sink_that_fails, &list, &error), -ENOSPC);
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_int_equal(list.n + disposed, given);
    leat_stages_free(stages);
}

static int fails_twice(leat_work *work, void *item, void *user UNUSED)
{
    if (leat_work_attempt(work) < 2)
        return -EAGAIN;
    leat_work_emit(work, item, -1);
    return 0;
}

static void a_retry_is_not_overtaken_by_the_end(void **state UNUSED)
{
    for (uint32_t workers = 1; workers <= 4; workers += 3) {
        struct leat_stage stage = stage_with(fails_twice, workers);
        struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
        struct list list;
        stage.retries = 2;
        stage.backoff_ms = 2;
        stage.ordered = 1;
        leat_stages *stages = stages_with(&stage);
        begin(5);
        assert_int_equal(run(stages, &list, NULL), 0);
        is_sequence(&list, 5);
        assert_int_equal(leat_stages_stats(stages, 0, &stats), 0);
        assert_int_equal(stats.retries, 10);
        assert_int_equal(stats.done, 5);
        leat_stages_free(stages);
    }
}

static void zero_workers_are_an_error_not_zero_items(void **state UNUSED)
{
    struct leat_stage stage = stage_with(fails_twice, 0);
    leat_stages *stages = stages_with(NULL);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), -EINVAL);
    leat_stages_free(stages);
}

static void bury(void *user, void *item, const struct leat_error *error)
{
    assert_int_equal(error->code, -EIO);
    assert_int_equal(error->offset, 2);
    gather(user, item);
}

static void dead_letters_and_drops_are_counted(void **state UNUSED)
{
    for (int dead = 0; dead < 2; dead++) {
        struct leat_stage stage = stage_with(fail_at_third, 1);
        struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
        struct list list, buried = {0};
        begin(10);
        stage.on_error = LEAT_ON_ERROR_DROP;
        stage.user = &buried;
        stage.dead = dead ? bury : NULL;
        leat_stages *stages = stages_with(&stage);
        assert_int_equal(run(stages, &list, NULL), 0);
        assert_int_equal(list.n, 9);
        assert_int_equal(leat_stages_stats(stages, 0, &stats), 0);
        assert_true(stats.in == 10 && stats.done == 9 && stats.out == 9);
        assert_true(stats.dead == (unsigned)dead && stats.dropped == 1 - (unsigned)dead);
        assert_int_equal(disposed, 1 - dead);
        assert_int_equal(buried.n, dead);
        assert_int_equal(leat_stages_stats(stages, 2, &stats), -ENOENT);
        leat_stages_free(stages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_names_stage_item_and_code),
        cmocka_unit_test(an_error_reaches_put_take_wait_and_stop_alike),
        cmocka_unit_test(openers_that_fail),
        cmocka_unit_test(a_worker_that_leaves_its_thread),
        cmocka_unit_test(sources_and_sinks_that_fail),
        cmocka_unit_test(a_retry_is_not_overtaken_by_the_end),
        cmocka_unit_test(zero_workers_are_an_error_not_zero_items),
        cmocka_unit_test(dead_letters_and_drops_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
