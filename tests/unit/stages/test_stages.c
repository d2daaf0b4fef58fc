/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * What stages promise, one by one: order, many of one, an end, control items, groups, what is said of it all. */
#include "numbers.h"

static void all_items_in_order_and_again(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages = stages_with(&stage);
    struct list list;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    for (unsigned items = 0; items <= 1000; items += 500) {
        begin(items);
        assert_int_equal(run(stages, &list, NULL), 0);
        is_sequence(&list, items);
        assert_int_equal(called, 2 * items);
    }
    assert_int_equal(leat_stages_add(stages, &stage, NULL), -EBUSY);
    leat_stages_free(stages);
}

static int pass_many(leat_work *work UNUSED, void *const *items UNUSED, size_t n UNUSED, size_t *ret_done UNUSED,
                     void *user UNUSED)
{
    return 0;
}

static void is_refused(leat_stages *stages, struct leat_stage stage, const char *text)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_stages_add(stages, &stage, &error), -EINVAL);
    assert_string_equal(error.text, text);
    assert_string_equal(error.node, stage.name ? stage.name : "");
}

static void what_makes_no_sense_is_refused(void **state UNUSED)
{
    leat_stages *stages = stages_with(NULL);
    struct leat_stage stage = stage_with(pass, 0);
    is_refused(stages, stage, "workers must be 1 or more"); /* no workers would be no results */
    stage = stage_with(pass, 1);
    stage.name = NULL;
    is_refused(stages, stage, "name must be given");
    stage.name = "";
    is_refused(stages, stage, "name must be given");
    stage = stage_with(pass, 1);
    stage.queue_bytes = 1;
    is_refused(stages, stage, "item_size must be given with queue_bytes or group_bytes");
    stage = stage_with(NULL, 1);
    stage.group_bytes = 1;
    is_refused(stages, stage, "item_size must be given with queue_bytes or group_bytes");
    is_refused(stages, stage_with(NULL, 2), "workers must be 1, because a stage without a function groups items");
    stage = stage_with(pass, 1);
    stage.function_many = pass_many;
    is_refused(stages, stage, "only one of function, function_many and function_all may be given");
    stage = stage_with(pass, 1);
    stage.on_error = LEAT_ON_ERROR_DROP + 1;
    is_refused(stages, stage, "on_error must be LEAT_ON_ERROR_FAIL or LEAT_ON_ERROR_DROP");
    stage = stage_with(pass, 1);
    stage.backoff_ms = -1;
    is_refused(stages, stage, "backoff_ms must be 0 or more");
    stage = stage_with(pass, 1);
    stage.group_ms = -1;
    is_refused(stages, stage, "group_ms must be 0 or more");
    assert_int_equal(leat_stages_wait(stages, 0, NULL), -EINVAL);
    assert_int_equal(leat_stages_run(stages, NULL, NULL, NULL, NULL, NULL), -EINVAL);
    leat_stages_free(stages);
    leat_stages_free(NULL);
}

static size_t one_byte(void *user UNUSED, const void *item UNUSED)
{
    return 1;
}

static void options_that_make_no_sense_are_refused(void **state UNUSED)
{
    leat_stages *stages = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    options.queue_bytes = 1;
    assert_int_equal(leat_stages_new(&stages, &options, &error), -EINVAL);
    assert_string_equal(error.text, "item_size must be given with queue_bytes");
    assert_string_equal(error.node, "stages");
    assert_int_equal(leat_stages_new(&stages, &options, NULL), -EINVAL);
    options.size = 1;
    assert_int_equal(leat_stages_new(&stages, &options, &error), -EINVAL);
    assert_string_equal(error.text, "The options are not those of this version");
    assert_null(stages);
    options = LEAT_INIT(struct leat_stages_options);
    options.queue_bytes = 1;
    options.item_size = one_byte;
    assert_int_equal(leat_stages_new(&stages, &options, &error), 0);
    assert_string_equal(error.text, "");
    leat_stages_free(stages);
}

/* ---- order, many of one, an end ---- */

static int slow_now_and_then(leat_work *work, void *item, void *user UNUSED)
{
    if (number_of(item) % 7 == 1)
        usleep(3000);
    leat_work_emit(work, item, -1);
    return 0;
}

static void ordered_stages_give_the_order_of_their_input(void **state UNUSED)
{
    for (uint32_t workers = 2; workers <= 16; workers *= 2) {
        struct leat_stage stage = stage_with(slow_now_and_then, workers);
        struct list list;
        stage.ordered = 1;
        leat_stages *stages = stages_with(&stage);
        begin(200);
        assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
        assert_int_equal(run(stages, &list, NULL), 0);
        is_sequence(&list, 200);
        leat_stages_free(stages);
    }
}

static int until_fifty(leat_work *work, void *item, void *user)
{
    leat_work_emit(work, item, -1);
    if (number_of(item) % 7 == 1)
        usleep(500);
    (void)user;
    return number_of(item) == 50 ? LEAT_STAGE_END : LEAT_STAGE_DONE;
}

static void a_function_may_end_it_all(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    struct list list;
    stage.ordered = 1;
    leat_stages *stages = stages_with(&stage);
    begin(100000);
    stage = stage_with(until_fifty, 4);
    stage.ordered = 1;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(run(stages, &list, NULL), 0);
    is_sequence(&list, 50);
    assert_true(given < 100000);
    assert_int_equal(list.n + disposed, given);
    leat_stages_free(stages);
}

static int three_of_one(leat_work *work, void *item, void *user UNUSED)
{
    for (int i = 0; i < 3; i++)
        leat_work_emit(work, item_of(number_of(item) * 3 - 2 + (unsigned)i), -1);
    return 0;
}

static void one_item_becomes_many(void **state UNUSED)
{
    struct leat_stage stage = stage_with(three_of_one, 3);
    struct list list;
    stage.ordered = 1;
    stage.queue = 1;
    leat_stages *stages = stages_with(&stage);
    begin(300);
    assert_int_equal(run(stages, &list, NULL), 0);
    is_sequence(&list, 900);
    leat_stages_free(stages);
}

static int skip_odd(leat_work *work, void *item, void *user UNUSED)
{
    if (number_of(item) % 2)
        return LEAT_STAGE_SKIP;
    leat_work_emit(work, item, -1);
    return LEAT_STAGE_DONE;
}

static void skipped_items_are_disposed(void **state UNUSED)
{
    struct leat_stage stage = stage_with(skip_odd, 3);
    struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
    struct list list;
    stage.ordered = 1;
    leat_stages *stages = stages_with(&stage);
    begin(101);
    assert_int_equal(run(stages, &list, NULL), 0);
    assert_int_equal(list.n, 50);
    for (unsigned i = 0; i < list.n; i++)
        assert_int_equal(list.number[i], 2 * (i + 1));
    assert_int_equal(disposed, 51);
    assert_int_equal(leat_stages_stats(stages, 0, &stats), 0);
    assert_true(stats.in == 101 && stats.done == 50 && stats.dropped == 51 && stats.retries == 0);
    leat_stages_free(stages);
}

/* ---- hooks ---- */

static atomic_uint opened, closed, workers_opened, workers_closed;

static int open_once(void *user UNUSED)
{
    assert_int_equal(workers_opened, 0);
    atomic_fetch_add(&opened, 1);
    return 0;
}

static void close_once(void *user UNUSED)
{
    assert_int_equal(workers_closed, workers_opened);
    atomic_fetch_add(&closed, 1);
}

static int open_worker(void *user UNUSED, void **ret)
{
    atomic_fetch_add(&workers_opened, 1);
    *ret = malloc(sizeof(pthread_t));
    assert_non_null(*ret);
    *(pthread_t *)*ret = pthread_self();
    return 0;
}

static void close_worker(void *user UNUSED, void *worker)
{
    assert_true(pthread_equal(*(pthread_t *)worker, pthread_self()));
    atomic_fetch_add(&workers_closed, 1);
    free(worker);
}

static int is_its_own(leat_work *work, void *item, void *user)
{
    assert_true(pthread_equal(*(pthread_t *)leat_work_state(work), pthread_self()));
    return pass(work, item, user);
}

static void hooks_come_once_and_each_worker_has_a_state(void **state UNUSED)
{
    struct leat_stage stage = stage_with(is_its_own, 4);
    struct list list;
    stage.open = open_once;
    stage.close = close_once;
    stage.worker_open = open_worker;
    stage.worker_close = close_worker;
    leat_stages *stages = stages_with(&stage);
    for (unsigned round = 1; round <= 3; round++) {
        begin(100);
        workers_opened = workers_closed = 0;
        assert_int_equal(run(stages, &list, NULL), 0);
        assert_int_equal(list.n, 100);
        assert_int_equal(workers_opened, 4);
        assert_int_equal(workers_closed, 4);
        assert_int_equal(opened, round);
        assert_int_equal(closed, round);
    }
    leat_stages_free(stages);
}

/* ---- the bound ---- */

static atomic_uint items_alive, most_items, bytes_alive, most_bytes;

static void raise_to(atomic_uint *most, unsigned value)
{
    unsigned now = atomic_load(most);
    while (value > now && !atomic_compare_exchange_weak(most, &now, value))
        ;
}

static int next_weighed(void *user UNUSED, void **ret)
{
    int r = next(NULL, ret);
    if (r == 0) {
        raise_to(&most_items, atomic_fetch_add(&items_alive, 1) + 1);
        raise_to(&most_bytes, atomic_fetch_add(&bytes_alive, 100) + 100);
    }
    return r;
}

static int slow_sink(void *user UNUSED, void *item)
{
    if (number_of(item) % 50 == 0)
        usleep(2000);
    atomic_fetch_sub(&items_alive, 1);
    atomic_fetch_sub(&bytes_alive, 100);
    return 0;
}

static size_t hundred(void *user UNUSED, const void *item UNUSED)
{
    return 100;
}

static void never_more_in_flight_than_the_limits(void **state UNUSED)
{
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
        struct leat_stage stage = stage_with(pass, 2);
        leat_stages *stages;
        items_alive = most_items = bytes_alive = most_bytes = 0;
        begin(1000);
        options.queue = by_bytes ? 0 : 3;
        options.queue_bytes = by_bytes ? 300 : 0;
        stage.queue = by_bytes ? 0 : 5;
        stage.queue_bytes = by_bytes ? 500 : 0;
        options.item_size = stage.item_size = hundred;
        assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
        for (int i = 0; i < 3; i++) {
            stage.ordered = i == 1;
            assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
        }
        assert_int_equal(leat_stages_run(stages, next_weighed, NULL, slow_sink, NULL, NULL), 0);
        assert_int_equal(items_alive, 0);
        if (by_bytes)
            assert_in_range(most_bytes, 500, 100 + 3 * 500 + 300 + 100);
        else
            assert_in_range(most_items, 5, 1 + 3 * (5 + 2) + 3 + 1);
        leat_stages_free(stages);
    }
}

static int finishes_at_once(void *user, void **ret)
{
    if (given++ == 0)
        assert_int_equal(leat_stages_finish(*(leat_stages **)user), 0);
    *ret = item_of(1);
    return 0;
}

/* The first thread may come to work before the last one is made. */
static void the_first_thread_may_end_it(void **state UNUSED)
{
    leat_stages *stages;
    struct leat_stage stage = stage_with(pass, 16);
    struct list list;
    stages = stages_with(&stage);
    for (int round = 0; round < 20; round++) {
        begin(0);
        list.n = 0;
        assert_int_equal(leat_stages_run(stages, finishes_at_once, &stages, gather, &list, NULL), 0);
        is_sequence(&list, 1);
    }
    leat_stages_free(stages);
}

/* ---- control items ---- */

static atomic_uint visits, seen, controls_done;

static int count_seen(leat_work *work, void *item, void *user UNUSED)
{
    usleep(number_of(item) % 3 * 100);
    leat_work_emit(work, item, -1);
    atomic_fetch_add(&seen, 1);
    return 0;
}

static int is_behind_ten(leat_work *work UNUSED, void **inout_control UNUSED, void *user UNUSED)
{
    unsigned visit = atomic_fetch_add(&visits, 1) + 1;
    return seen == visit * 10 ? 0 : -EBADMSG;
}

static void control_done(void *user UNUSED, void *control, int code)
{
    assert_int_equal(code, 0);
    assert_true(number_of(control) == controls_done + 1);
    atomic_fetch_add(&controls_done, 1);
}

static void control_items_visit_each_stage_once_behind_what_was_before(void **state UNUSED)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = stage_with(count_seen, 5);
    leat_stages *stages;
    void *item;
    options.queue = 200;
    options.control_done = control_done;
    visits = seen = controls_done = 0;
    assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
    stage.control = is_behind_ten;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    stage = stage_with(pass, 3);
    stage.ordered = 1;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    for (unsigned i = 1; i <= 10; i++) {
        for (unsigned k = 1; k <= 10; k++)
            assert_int_equal(leat_stages_put(stages, item_of(k), -1), 0);
        assert_int_equal(leat_stages_control(stages, item_of(i), -1), 0);
    }
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), 0);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(controls_done, i / 10);
    }
    assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
    assert_int_equal(visits, 10);
    assert_int_equal(controls_done, 10);
    leat_stages_free(stages);
}

/* ---- groups ---- */

static size_t weigh(void *user UNUSED, const void *item)
{
    return number_of(item);
}

static leat_stages *groups_of(uint32_t count, uint64_t bytes, int32_t ms)
{
    struct leat_stage stage = stage_with(NULL, 1);
    stage.group_count = count;
    stage.group_bytes = bytes;
    stage.group_ms = ms;
    stage.item_size = weigh;
    leat_stages *stages = stages_with(&stage);
    assert_int_equal(leat_stages_start(stages), 0);
    return stages;
}

static void is_group(leat_stages *stages, unsigned first, unsigned n)
{
    void *item;
    assert_int_equal(leat_stages_take(stages, &item, -1), 0);
    struct leat_group *group = item;
    assert_int_equal(group->count, n);
    uint64_t bytes = 0;
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(number_of(group->items[i]), first + i);
        bytes += first + i;
    }
    assert_int_equal(group->bytes, bytes);
    leat_group_free(group);
}

static void groups_by_count_bytes_and_time(void **state UNUSED)
{
    leat_stages *stages = groups_of(3, 0, 0);
    void *item;
    for (unsigned i = 1; i <= 7; i++)
        assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
    is_group(stages, 1, 3);
    is_group(stages, 4, 3);
    assert_int_equal(leat_stages_take(stages, &item, 10), -ETIMEDOUT);
    leat_stages_finish(stages);
    is_group(stages, 7, 1);
    assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
    leat_stages_free(stages);

    stages = groups_of(0, 10, 0);
    for (unsigned i = 1; i <= 6; i++)
        assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
    is_group(stages, 1, 4);
    is_group(stages, 5, 1);
    assert_int_equal(leat_stages_control(stages, item_of(1), -1), 0);
    is_group(stages, 6, 1);
    leat_stages_free(stages);

    stages = groups_of(0, 0, 5);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    is_group(stages, 1, 1);
    assert_int_equal(leat_stages_put(stages, item_of(2), -1), 0);
    begin(0);
    leat_stages_free(stages);
}

/* ---- what it says of itself ---- */

static int slow(leat_work *work, void *item, void *user)
{
    usleep(1000);
    return pass(work, item, user);
}

static void the_table_names_the_bottleneck(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages = stages_with(&stage);
    struct list list;
    char *text;
    stage = stage_with(slow, 1);
    stage.name = "slow one";
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_explain(stages, LEAT_FORMAT_TEXT, &text), 0);
    free(text);
    begin(100);
    assert_int_equal(run(stages, &list, NULL), 0);
    assert_int_equal(leat_stages_explain(stages, LEAT_FORMAT_TEXT, &text), 0);
    assert_non_null(strstr(text, "bottleneck: slow one, busy "));
    free(text);
    assert_int_equal(leat_stages_explain(stages, LEAT_FORMAT_JSON, &text), 0);
    assert_non_null(strstr(text, "\"bottleneck\":\"slow one\""));
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
    leat_stages_free(stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_items_in_order_and_again),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(ordered_stages_give_the_order_of_their_input),
        cmocka_unit_test(a_function_may_end_it_all),
        cmocka_unit_test(one_item_becomes_many),
        cmocka_unit_test(skipped_items_are_disposed),
        cmocka_unit_test(hooks_come_once_and_each_worker_has_a_state),
        cmocka_unit_test(never_more_in_flight_than_the_limits),
        cmocka_unit_test(the_first_thread_may_end_it),
        cmocka_unit_test(control_items_visit_each_stage_once_behind_what_was_before),
        cmocka_unit_test(groups_by_count_bytes_and_time),
        cmocka_unit_test(the_table_names_the_bottleneck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
