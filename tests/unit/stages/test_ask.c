/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Functions that ask for their items themselves, as a generator does; and control items that are replaced. */
#include "numbers.h"

static unsigned lost; /* items that a function took and did not hand on */

/* Hands on the sum of each two neighbours, and the last one alone: it needs more than one item at a time. */
static int pairs(leat_work *work, void *user UNUSED)
{
    void *item, *before = NULL;
    int r;
    while ((r = leat_work_next(work, &item, -1)) == 0) {
        if (before)
            leat_work_emit(work, item_of(number_of(before) + number_of(item)), -1);
        before = item;
    }
    assert_int_equal(r, LEAT_STAGES_END);
    assert_int_equal(leat_work_next(work, &item, -1), LEAT_STAGES_END); /* again and again */
    if (before)
        leat_work_emit(work, before, -1);
    return LEAT_STAGE_DONE;
}

static struct leat_stage asking(leat_stage_all_fn function, uint32_t workers)
{
    struct leat_stage stage = stage_with(NULL, workers);
    stage.function_all = function;
    return stage;
}

static struct leat_stage_stats stats_of(leat_stages *stages, size_t index)
{
    struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
    assert_int_equal(leat_stages_stats(stages, index, &stats), 0);
    return stats;
}

static void a_generator_is_a_stage(void **state UNUSED)
{
    static const unsigned counts[] = {0, 1, 2, 63, 64, 65, 900};
    struct leat_stage stage = asking(pairs, 1);
    leat_stages *stages = stages_with(&stage);
    struct list list;
    stage = stage_with(pass, 1);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    for (size_t k = 0; k < COUNT(counts); k++) {
        unsigned n = counts[k];
        begin(n);
        assert_int_equal(run(stages, &list, NULL), 0);
        assert_int_equal(list.n, n);
        for (unsigned i = 1; i <= n; i++)
            assert_int_equal(list.number[i - 1], i < n ? 2 * i + 1 : n);
        struct leat_stage_stats stats = stats_of(stages, 0);
        assert_true(stats.in == n && stats.done == n && stats.out == n && stats.dropped == 0 && stats.queued == 0);
        assert_int_equal(disposed, 0);
    }
    leat_stages_free(stages);
}

static int forwards(leat_work *work, void *user UNUSED)
{
    void *item;
    int r;
    while ((r = leat_work_next(work, &item, -1)) == 0) {
        atomic_fetch_add(&called, 1);
        leat_work_emit(work, item, -1);
    }
    return r == LEAT_STAGES_END ? LEAT_STAGE_DONE : r;
}

/* A result is not held back until its worker gets another item. */
static void results_leave_before_the_next_item_comes(void **state UNUSED)
{
    struct leat_stage stage = asking(forwards, 2);
    leat_stages *stages = stages_with(&stage);
    void *item;
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    for (unsigned i = 1; i <= 100; i++) {
        assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
        assert_int_equal(leat_stages_take(stages, &item, 10000), 0);
        assert_int_equal(number_of(item), i);
    }
    leat_stages_free(stages);
}

static int two_of(leat_work *work, void *user UNUSED)
{
    void *item;
    for (int i = 0; i < 2; i++)
        if (leat_work_next(work, &item, -1) == 0)
            leat_work_emit(work, item, -1);
    return LEAT_STAGE_DONE;
}

/* Two were wanted; of the others none is lost. */
static void a_function_may_want_no_more(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages = stages_with(&stage);
    struct list list;
    stage = asking(two_of, 1);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    for (int i = 0; i < 100; i++) {
        begin(500);
        assert_int_equal(run(stages, &list, NULL), 0);
        is_sequence(&list, 2);
        assert_int_equal(disposed + list.n, given);
    }
    leat_stages_free(stages);
}

/* The function has taken the item that it fails with. */
static int fails_at_seven(leat_work *work, void *user UNUSED)
{
    void *item;
    while (leat_work_next(work, &item, -1) == 0) {
        if (number_of(item) == 7) {
            lost++;
            return -EDOM;
        }
        leat_work_emit(work, item, -1);
    }
    return LEAT_STAGE_DONE;
}

static void a_failure_names_the_item_that_was_asked_for_last(void **state UNUSED)
{
    struct leat_stage stage = asking(fails_at_seven, 1);
    leat_stages *stages = stages_with(&stage);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct list list;
    for (int i = 0; i < 100; i++) {
        begin(100);
        lost = 0;
        assert_int_equal(run(stages, &list, &error), -EDOM);
        assert_string_equal(error.node, "step");
        assert_int_equal(error.offset, 6);
        assert_int_equal(list.n + disposed + lost, given);
    }
    leat_stages_free(stages);
}

static int answers(leat_work *work, void *user)
{
    void *item;
    while (leat_work_next(work, &item, -1) == 0)
        leat_work_emit(work, item, -1);
    return *(int *)user;
}

static void an_answer_that_is_none_is_a_failure(void **state UNUSED)
{
    static const struct {
        int answer, code;
    } rows[] = {{0, 0},          {LEAT_STAGE_SKIP, -EPROTO}, {LEAT_STAGE_END, 0}, {3, -EPROTO},
                {-EAGAIN, -EIO}, {-ETIMEDOUT, -EIO},         {-4096, -EPROTO},    {INT32_MIN, -EPROTO}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int answer = rows[i].answer;
        struct leat_stage stage = asking(answers, 1);
        stage.user = &answer;
        leat_stages *stages = stages_with(&stage);
        struct list list;
        begin(5);
        assert_int_equal(run(stages, &list, NULL), rows[i].code);
        leat_stages_free(stages);
    }
}

struct reader {
    struct list list;
    leat_stages *stages;
};

/* Now and then it lets the results wait until they have no room. */
static void *reads_slowly(void *user)
{
    struct reader *r = user;
    void *item;
    while (leat_stages_take(r->stages, &item, -1) == 0) {
        r->list.number[r->list.n++] = number_of(item);
        if (r->list.n % 50 == 0)
            usleep(1000);
    }
    return NULL;
}

static int hastens(leat_work *work, void *user UNUSED)
{
    void *item;
    for (;;) {
        int r = leat_work_next(work, &item, 0);
        if (r == -EAGAIN) {
            sched_yield();
            continue;
        }
        if (r != 0)
            return r == LEAT_STAGES_END ? LEAT_STAGE_DONE : r;
        while ((r = leat_work_emit(work, item, 0)) == -EAGAIN)
            sched_yield();
    }
}

static void a_time_limit_loses_and_doubles_nothing(void **state UNUSED)
{
    struct leat_stage stage = asking(hastens, 1);
    leat_stages *stages = stages_with(&stage);
    struct reader reader = {.stages = stages};
    pthread_t thread;
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(pthread_create(&thread, NULL, reads_slowly, &reader), 0);
    for (unsigned i = 1; i <= 900; i++)
        assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), 0);
    pthread_join(thread, NULL);
    is_sequence(&reader.list, 900);
    leat_stages_free(stages);
}

static int leaves(leat_work *work, void *user UNUSED)
{
    void *item;
    for (int i = 0; i < 5; i++)
        assert_int_equal(leat_work_next(work, &item, -1), 0);
    lost = 5;
    pthread_exit(NULL);
}

static void a_function_that_leaves_its_thread_ends_the_run(void **state UNUSED)
{
    struct leat_stage stage = asking(leaves, 1);
    leat_stages *stages = stages_with(&stage);
    struct list list;
    begin(200);
    assert_int_equal(run(stages, &list, NULL), -EOWNERDEAD);
    assert_int_equal(list.n, 0);
    assert_int_equal(disposed + lost, given);
    leat_stages_free(stages);
}

static void what_it_does_not_allow_is_refused(void **state UNUSED)
{
    leat_stages *stages = stages_with(NULL);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_stage stage;
    for (int i = 0; i < 6; i++) {
        stage = asking(forwards, 2);
        stage.ordered = i == 0;
        stage.retries = i == 1;
        stage.on_error = i == 2 ? LEAT_ON_ERROR_DROP : LEAT_ON_ERROR_FAIL;
        stage.function = i == 3 ? pass : NULL;
        stage.backoff_ms = i == 4;
        assert_int_equal(leat_stages_add(stages, &stage, &error), i == 5 ? 0 : -EINVAL);
        assert_true(i == 5 || strstr(error.text, "function_all"));
    }
    leat_stages_free(stages);
}

/* ---- a cancel, an abort ---- */

static void a_wait_for_an_item_ends_with_the_run(void **state UNUSED)
{
    for (int how = 0; how < 3; how++) {
        struct leat_stage stage = asking(forwards, 3);
        leat_stages *stages = stages_with(&stage);
        void *item;
        begin(0);
        assert_int_equal(leat_stages_start(stages), 0);
        assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        if (how == 0)
            leat_stages_cancel(stages);
        if (how < 2)
            assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, 10000, NULL), how == 0 ? -ECANCELED : 0);
        leat_stages_free(stages);
    }
}

/* ---- control items ---- */

static unsigned done_number;

static void control_done(void *user UNUSED, void *control, int code)
{
    assert_int_equal(code, 0);
    done_number = number_of(control);
}

/* Each stage puts a control item of its own in the place of the one that came, ten further on. */
static int replaces(leat_work *work UNUSED, void **inout_control, void *user UNUSED)
{
    *inout_control = item_of(number_of(*inout_control) + 10);
    return 0;
}

static void a_control_item_can_be_replaced(void **state UNUSED)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages;
    void *item;
    options.control_done = control_done;
    assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
    stage.control = replaces;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    stage = asking(forwards, 3);
    stage.control = replaces;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    stage = stage_with(pass, 1); /* has no hook: the item passes as it is */
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    for (unsigned i = 1; i <= 50; i++) {
        assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
        assert_int_equal(leat_stages_control(stages, item_of(i), -1), 0);
        assert_int_equal(leat_stages_put(stages, item_of(i + 1), -1), 0);
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(number_of(item), i);
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(number_of(item), i + 1);
        assert_int_equal(done_number, i + 20);
    }
    leat_stages_free(stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generator_is_a_stage),
        cmocka_unit_test(results_leave_before_the_next_item_comes),
        cmocka_unit_test(a_function_may_want_no_more),
        cmocka_unit_test(a_failure_names_the_item_that_was_asked_for_last),
        cmocka_unit_test(an_answer_that_is_none_is_a_failure),
        cmocka_unit_test(a_time_limit_loses_and_doubles_nothing),
        cmocka_unit_test(a_function_that_leaves_its_thread_ends_the_run),
        cmocka_unit_test(what_it_does_not_allow_is_refused),
        cmocka_unit_test(a_wait_for_an_item_ends_with_the_run),
        cmocka_unit_test(a_control_item_can_be_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
