/* SPDX-License-Identifier: MIT */
/* Stages without threads. Items are numbers from 1 on, as pointers. */
#include "unit/unit.h"
#include <leat/stages.h>

static char numbers[10001];
static unsigned given, wanted, disposed, dead, open_now;

static unsigned number_of(const void *item)
{
    return (unsigned)((const char *)item - numbers);
}

static int next(void *user, void **ret)
{
    if (given == wanted)
        return user ? -EIO : LEAT_STAGES_END;
    *ret = &numbers[++given];
    return 0;
}

static int pass(leat_work *work, void *item, void *user UNUSED)
{
    return leat_work_emit(work, item, -1);
}

/* n copies of n, at most 50; none of the even ones. */
static int flatten(leat_work *work, void *item, void *user UNUSED)
{
    for (unsigned i = 0; number_of(item) % 2 && i < number_of(item) && i < 50; i++)
        leat_work_emit(work, item, -1);
    return number_of(item) % 2 ? LEAT_STAGE_DONE : LEAT_STAGE_SKIP;
}

static int fails_at_three(leat_work *work, void *item, void *user UNUSED)
{
    if (number_of(item) == 3 && leat_work_attempt(work) < 2)
        return -EDOM;
    return leat_work_emit(work, item, -1);
}

static int ends_at_three(leat_work *work, void *item, void *user UNUSED)
{
    leat_work_emit(work, item, -1);
    return number_of(item) == 3 ? LEAT_STAGE_END : LEAT_STAGE_DONE;
}

static void dispose(void *user UNUSED, void *item UNUSED)
{
    disposed++;
}

static void bury(void *user UNUSED, void *item, const struct leat_error *error)
{
    assert_int_equal(number_of(item), 3);
    assert_int_equal(error->code, -EDOM);
    dead++;
}

static int opens(void *user UNUSED)
{
    open_now++;
    return 0;
}

static void closes(void *user UNUSED)
{
    open_now--;
}

static int opens_not(void *user UNUSED)
{
    return -ENODEV;
}

static leat_pull *begin(unsigned items, void *user)
{
    leat_pull *pull;
    given = disposed = dead = open_now = 0;
    wanted = items;
    assert_int_equal(leat_pull_new(&pull, next, user), 0);
    return pull;
}

static struct leat_stage step_of(leat_stage_fn function)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "step";
    stage.function = function;
    stage.dispose = dispose;
    return stage;
}

static void add(leat_pull *pull, leat_stage_fn function)
{
    struct leat_stage stage = step_of(function);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
}

static void gives(leat_pull *pull, unsigned number)
{
    void *item;
    assert_int_equal(leat_pull_next(pull, &item), 0);
    assert_int_equal(number_of(item), number);
}

static void any_depth(void **state UNUSED)
{
    for (unsigned depth = 0; depth <= 20000; depth = depth * 20 + 50) {
        leat_pull *pull = begin(20, NULL);
        void *item;
        for (unsigned i = 0; i < depth; i++)
            add(pull, pass);
        for (unsigned i = 1; i <= 20; i++)
            gives(pull, i);
        for (int i = 0; i < 2; i++)
            assert_int_equal(leat_pull_next(pull, &item), LEAT_STAGES_END);
        leat_pull_free(pull);
    }
}

static void lists_flatten_and_items_vanish(void **state UNUSED)
{
    leat_pull *pull = begin(60, NULL);
    void *item;
    add(pull, flatten);
    add(pull, pass);
    for (unsigned i = 1; i <= 60; i += 2)
        for (unsigned k = 0; k < MIN(i, 50u); k++)
            gives(pull, i);
    assert_int_equal(leat_pull_next(pull, &item), LEAT_STAGES_END);
    leat_pull_free(pull);
    assert_int_equal(disposed, 30);
}

/* How many come of a number at each step, and which they are: of a random row. */
static unsigned row_seed;

static unsigned child_of(unsigned number, unsigned i)
{
    return (number * 31 + i * 7 + row_seed) % 10000 + 1;
}

static unsigned children_of(unsigned number, unsigned step)
{
    unsigned dice = (number * 2654435761u + step * 40503u + row_seed * 97u) >> 16;
    return dice % 3 == 0 ? 1 : dice % 5;
}

static int spread(leat_work *work, void *item, void *user)
{
    unsigned step = *(unsigned *)user, n = children_of(number_of(item), step);
    for (unsigned i = 0; i < n; i++)
        leat_work_emit(work, &numbers[child_of(number_of(item), i)], -1);
    return LEAT_STAGE_DONE;
}

/* What must come of a number behind these steps, in its order. */
static void expect(leat_pull *pull, unsigned number, unsigned step, unsigned steps)
{
    if (step == steps) {
        gives(pull, number);
        return;
    }
    for (unsigned i = 0; i < children_of(number, step); i++)
        expect(pull, child_of(number, i), step + 1, steps);
}

static void random_rows_give_what_nested_loops_give(void **state UNUSED)
{
    static unsigned index[] = {0, 1, 2, 3, 4, 5};
    for (row_seed = 0; row_seed < 200; row_seed++) {
        leat_pull *pull = begin(1 + row_seed % 20, NULL);
        unsigned steps = 1 + row_seed % COUNT(index);
        void *item;
        for (unsigned i = 0; i < steps; i++) {
            struct leat_stage stage = step_of(spread);
            stage.user = &index[i];
            assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
        }
        for (unsigned i = 1; i <= wanted; i++)
            expect(pull, i, 0, steps);
        assert_int_equal(leat_pull_next(pull, &item), LEAT_STAGES_END);
        leat_pull_free(pull);
    }
    row_seed = 0;
}

static void failures_retries_and_dead_letters(void **state UNUSED)
{
    struct leat_stage stage = step_of(fails_at_three);
    leat_pull *pull = begin(5, NULL);
    void *item;
    add(pull, fails_at_three);
    gives(pull, 1);
    gives(pull, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(leat_pull_next(pull, &item), -EDOM);
    assert_int_equal(disposed, 1);
    leat_pull_free(pull);

    stage.retries = 2;
    pull = begin(5, NULL);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    for (unsigned i = 1; i <= 5; i++)
        gives(pull, i);
    leat_pull_free(pull);

    stage.retries = 1;
    stage.on_error = LEAT_ON_ERROR_DROP;
    stage.dead = bury;
    pull = begin(5, NULL);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    for (unsigned i = 1; i <= 5; i++)
        if (i != 3)
            gives(pull, i);
    leat_pull_free(pull);
    assert_true(dead == 1 && disposed == 0);
}

static void the_source_fails_or_a_step_ends_it(void **state UNUSED)
{
    leat_pull *pull = begin(2, &given);
    void *item;
    add(pull, pass);
    gives(pull, 1);
    gives(pull, 2);
    assert_int_equal(leat_pull_next(pull, &item), -EIO);
    leat_pull_free(pull);

    pull = begin(10, NULL);
    add(pull, flatten);
    add(pull, ends_at_three);
    add(pull, pass);
    gives(pull, 1);
    gives(pull, 3);
    assert_int_equal(leat_pull_next(pull, &item), LEAT_STAGES_END);
    leat_pull_free(pull);
    assert_int_equal(given, 3);
    assert_int_equal(disposed, 1 + 2); /* 2, and two more of 3 */
}

/* ---- counts ---- */

static struct leat_stage_stats stats_of(const leat_pull *pull, size_t index)
{
    struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
    assert_int_equal(leat_pull_stats(pull, index, &stats), 0);
    assert_int_equal(stats.in, stats.done + stats.dropped + stats.dead + stats.queued);
    return stats;
}

static leat_pull *counted;

/* A look from within a step. */
static int looks(leat_work *work, void *item, void *user)
{
    for (size_t i = 0; i <= 2; i++)
        stats_of(counted, i);
    int r = flatten(work, item, user);
    for (size_t i = 0; i <= 2; i++)
        stats_of(counted, i);
    return r;
}

static void every_item_is_counted(void **state UNUSED)
{
    struct leat_stage stage = step_of(fails_at_three);
    struct leat_stage_stats stats;
    leat_pull *pull = counted = begin(5, NULL);
    stage.retries = 1;
    stage.on_error = LEAT_ON_ERROR_DROP;
    stage.dead = bury;
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0); /* gives 1, 2, 4, 5 */
    add(pull, looks);                                       /* gives 1 and five times 5 */
    assert_int_equal(leat_pull_stats(pull, 3, &stats), -ENOENT);
    for (size_t i = 0; i <= 2; i++)
        assert_int_equal(stats_of(pull, i).in, 0);
    gives(pull, 1);
    gives(pull, 5);
    stats = stats_of(pull, 0);
    assert_true(stats.in == 5 && stats.done == 4 && stats.dead == 1 && stats.retries == 1 && stats.out == 4);
    stats = stats_of(pull, 1);
    assert_true(stats.in == 4 && stats.done == 2 && stats.dropped == 2 && stats.out == 6 && stats.queued == 0);
    stats = stats_of(pull, 2);
    assert_true(stats.in == 6 && stats.done == 2 && stats.queued == 4 && stats.most == 5);
    gives(pull, 5);
    assert_int_equal(stats_of(pull, 2).queued, 3);
    leat_pull_free(pull);

    pull = begin(10, NULL);
    add(pull, pass);
    add(pull, ends_at_three);
    for (unsigned i = 1; i <= 3; i++)
        gives(pull, i);
    void *item;
    assert_int_equal(leat_pull_next(pull, &item), LEAT_STAGES_END);
    assert_int_equal(stats_of(pull, 0).in, 3);
    assert_int_equal(stats_of(pull, 1).done, 3);
    leat_pull_free(pull);
}

/* An idle caller, a step that takes `user` microseconds, and a source that takes 2 ms. */
static int takes_long(leat_work *work, void *item, void *user)
{
    usleep(*(useconds_t *)user);
    return pass(work, item, NULL);
}

static int slow_next(void *user, void **ret)
{
    usleep(2000);
    return next(user, ret);
}

static void the_time_is_charged_to_whom_it_took(void **state UNUSED)
{
    useconds_t us = 5000;
    struct leat_stage stage = step_of(takes_long);
    leat_pull *pull = begin(6, NULL);
    leat_pull_free(pull);
    assert_int_equal(leat_pull_new(&pull, slow_next, NULL), 0);
    stage.user = &us;
    add(pull, pass);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    for (unsigned i = 1; i <= 6; i++) {
        gives(pull, i);
        usleep(20000); /* nobody's */
    }
    struct leat_stage_stats quick = stats_of(pull, 0), slow = stats_of(pull, 1);
    assert_true(slow.busy_ns >= 6 * 5000000);
    assert_true(quick.wait_in_ns >= 6 * 2000000);
    assert_true(slow.wait_in_ns == 0 && quick.busy_ns < slow.busy_ns);
    assert_int_equal(stats_of(pull, 2).busy_ns, 0);
    leat_pull_free(pull);
}

/* Of quick steps only some calls are measured, but all are charged: the time is of the right size. */
static void quick_steps_have_times_too(void **state UNUSED)
{
    leat_pull *pull = begin(10000, NULL);
    struct timespec began, ended;
    void *item;
    add(pull, pass);
    add(pull, pass);
    clock_gettime(CLOCK_MONOTONIC, &began);
    while (leat_pull_next(pull, &item) == 0)
        ;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    uint64_t passed = (uint64_t)((ended.tv_sec - began.tv_sec) * 1000000000 + ended.tv_nsec - began.tv_nsec);
    uint64_t all = stats_of(pull, 0).busy_ns + stats_of(pull, 1).busy_ns + stats_of(pull, 0).wait_in_ns;
    assert_int_equal(stats_of(pull, 0).done, 10000);
    assert_true(all > 0);
    /* A measured round that was interrupted counts for up to 128. */
    assert_true(all < 1000 * passed);
    leat_pull_free(pull);
}

static int asks(leat_work *work, void *user UNUSED)
{
    void *item;
    return leat_work_next(work, &item, -1);
}

static int asks_in_vain(leat_work *work, void *item, void *user UNUSED)
{
    void *other = NULL;
    assert_int_equal(leat_work_next(work, &other, -1), -EINVAL);
    assert_null(other);
    return leat_work_emit(work, item, -1);
}

static void a_step_cannot_ask(void **state UNUSED)
{
    leat_pull *pull = begin(1, NULL);
    add(pull, asks_in_vain);
    gives(pull, 1);
    leat_pull_free(pull);
}

static void openers_and_refusals(void **state UNUSED)
{
    struct leat_stage stage = step_of(pass);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pull *pull = begin(3, NULL);
    void *item;
    assert_int_equal(leat_pull_new(&pull, NULL, NULL), -EINVAL);
    stage.open = opens;
    stage.close = closes;
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    gives(pull, 1);
    assert_int_equal(open_now, 1);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), -EBUSY);
    leat_pull_free(pull);
    assert_int_equal(open_now, 0);

    pull = begin(3, NULL);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    stage.open = opens_not;
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    stage.on_error = -1;
    assert_int_equal(leat_pull_add(pull, &stage, &error), -EINVAL);
    assert_string_equal(error.text, "on_error must be LEAT_ON_ERROR_FAIL or LEAT_ON_ERROR_DROP");
    stage.function = NULL;
    stage.function_all = asks;
    assert_int_equal(leat_pull_add(pull, &stage, &error), -EINVAL);
    assert_non_null(strstr(error.text, "function_all must be NULL"));
    stage.function_all = NULL;
    assert_int_equal(leat_pull_add(pull, &stage, &error), -EINVAL);
    assert_string_equal(error.text, "function or function_many must be given, and the other one must be NULL");
    stage.name = NULL;
    assert_int_equal(leat_pull_add(pull, &stage, &error), -EINVAL);
    assert_string_equal(error.text, "name must be given");
    assert_int_equal(leat_pull_next(pull, &item), -ENODEV);
    assert_int_equal(leat_pull_next(pull, &item), -ENODEV);
    leat_pull_free(pull);
    assert_int_equal(open_now, 0);
    leat_pull_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_depth),
        cmocka_unit_test(lists_flatten_and_items_vanish),
        cmocka_unit_test(random_rows_give_what_nested_loops_give),
        cmocka_unit_test(failures_retries_and_dead_letters),
        cmocka_unit_test(the_source_fails_or_a_step_ends_it),
        cmocka_unit_test(every_item_is_counted),
        cmocka_unit_test(the_time_is_charged_to_whom_it_took),
        cmocka_unit_test(quick_steps_have_times_too),
        cmocka_unit_test(a_step_cannot_ask),
        cmocka_unit_test(openers_and_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
