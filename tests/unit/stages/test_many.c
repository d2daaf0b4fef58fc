/* SPDX-License-Identifier: MIT */
/* Functions that take several items in one call: the same order, errors and ownership as of a function of one. */
#include "unit/unit.h"
#include <leat/stages.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#define ITEMS 300

static int numbers[ITEMS];
static int got[ITEMS];
static size_t got_n;
static atomic_uint calls, largest, dropped, dead;
static int special; /* the number of the item that is treated otherwise */
static int answer;  /* how */

static void drop(void *user UNUSED, void *item UNUSED)
{
    atomic_fetch_add(&dropped, 1);
}

static int next(void *user, void **ret_item)
{
    int *n = user;
    if (*n == ITEMS)
        return LEAT_STAGES_END;
    numbers[*n] = *n;
    *ret_item = &numbers[(*n)++];
    return 0;
}

static int keep(void *user UNUSED, void *item)
{
    got[got_n++] = *(int *)item;
    return 0;
}

static void note(size_t n)
{
    atomic_fetch_add(&calls, 1);
    unsigned before = atomic_load(&largest);
    while (n > before && !atomic_compare_exchange_weak(&largest, &before, (unsigned)n))
        ;
}

/* Emits all; the special item has an answer of its own. */
static int pass(leat_work *work, void *const *items, size_t n, size_t *ret_done, void *user UNUSED)
{
    assert_int_equal(*ret_done, 0);
    note(n);
    for (size_t i = 0; i < n; i++)
        if (*(int *)items[i] == special) {
            if (leat_work_emit_many(work, items, i, NULL, -1) < 0)
                return LEAT_STAGE_DONE;
            *ret_done = i;
            return answer;
        }
    leat_work_emit_many(work, items, n, NULL, -1);
    return LEAT_STAGE_DONE;
}

static struct leat_stage stage_of(leat_stage_many_fn function, uint32_t workers)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "many";
    stage.function_many = function;
    stage.workers = workers;
    stage.ordered = workers > 1;
    stage.dispose = drop;
    return stage;
}

static int run(const struct leat_stage *stage, struct leat_error *error)
{
    leat_stages *s;
    int n = 0;
    got_n = 0;
    calls = largest = dropped = dead = 0;
    assert_int_equal(leat_stages_new(&s, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(s, stage, NULL), 0);
    int r = leat_stages_run(s, next, &n, keep, NULL, error);
    struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
    assert_int_equal(leat_stages_stats(s, 0, &stats), 0);
    assert_int_equal(stats.in, stats.done + stats.dropped + stats.dead);
    leat_stages_free(s);
    return r;
}

static void is_in_order(int from, int to, size_t first)
{
    for (int i = from; i < to; i++, first++)
        assert_int_equal(got[first], i);
}

static void all_items_pass_in_order(void **state UNUSED)
{
    special = -1;
    for (uint32_t workers = 1; workers <= 4; workers++)
        for (uint32_t batch = 0; batch < 6; batch++) {
            struct leat_stage stage = stage_of(pass, workers);
            stage.batch = batch;
            assert_int_equal(run(&stage, NULL), 0);
            assert_int_equal(got_n, ITEMS);
            is_in_order(0, ITEMS, 0);
            assert_true(calls <= ITEMS && largest <= (batch ? batch : 64));
            assert_true(batch != 1 || calls == ITEMS);
        }
}

static void a_skipped_item_is_disposed_of_alone(void **state UNUSED)
{
    answer = LEAT_STAGE_SKIP;
    for (special = 0; special < ITEMS; special += 23) {
        struct leat_stage stage = stage_of(pass, 1 + (uint32_t)special % 4);
        assert_int_equal(run(&stage, NULL), 0);
        assert_int_equal(got_n, ITEMS - 1);
        is_in_order(0, special, 0);
        is_in_order(special + 1, ITEMS, (size_t)special);
        assert_int_equal(dropped, 1);
    }
}

static void a_failure_names_its_item(void **state UNUSED)
{
    answer = -ENOSPC;
    for (special = 0; special < ITEMS; special += 23) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct leat_stage stage = stage_of(pass, 1 + (uint32_t)special % 4);
        assert_int_equal(run(&stage, &error), -ENOSPC);
        assert_int_equal(error.offset, special);
        assert_int_equal(error.index, 0);
        assert_true(got_n <= (size_t)special);
        is_in_order(0, (int)got_n, 0);
    }
}

static void bury(void *user UNUSED, void *item, const struct leat_error *error)
{
    assert_int_equal(*(int *)item, special);
    assert_int_equal(error->code, -ENOSPC);
    assert_int_equal(error->offset, special);
    atomic_fetch_add(&dead, 1);
}

static void a_failed_item_goes_to_dead_and_the_rest_passes(void **state UNUSED)
{
    answer = -ENOSPC;
    for (special = 0; special < ITEMS; special += 23) {
        struct leat_stage stage = stage_of(pass, 1 + (uint32_t)special % 4);
        stage.on_error = LEAT_ON_ERROR_DROP;
        stage.dead = bury;
        stage.retries = 2;
        assert_int_equal(run(&stage, NULL), 0);
        assert_int_equal(got_n, ITEMS - 1);
        is_in_order(0, special, 0);
        is_in_order(special + 1, ITEMS, (size_t)special);
        assert_int_equal(dead, 1);
        assert_int_equal(dropped, 0);
    }
}

/* The special item fails twice. It is tried again alone. */
static int pass_at_third(leat_work *work, void *const *items, size_t n, size_t *ret_done, void *user UNUSED)
{
    for (*ret_done = 0; *ret_done < n; ++*ret_done) {
        if (*(int *)items[*ret_done] == special && leat_work_attempt(work) < 2)
            return -EAGAIN;
        if (leat_work_attempt(work) > 0)
            assert_int_equal(n, 1);
        leat_work_emit(work, items[*ret_done], -1);
    }
    return LEAT_STAGE_DONE;
}

static void a_retry_has_the_item_alone(void **state UNUSED)
{
    for (special = 0; special < ITEMS; special += 23) {
        struct leat_stage stage = stage_of(pass_at_third, 1 + (uint32_t)special % 4);
        stage.retries = 2;
        assert_int_equal(run(&stage, NULL), 0);
        assert_int_equal(got_n, ITEMS);
        is_in_order(0, ITEMS, 0);
    }
}

static void an_end_lets_nothing_behind_it_pass(void **state UNUSED)
{
    answer = LEAT_STAGE_END;
    for (special = 0; special < ITEMS; special += 23) {
        struct leat_stage stage = stage_of(pass, 1 + (uint32_t)special % 4);
        assert_int_equal(run(&stage, NULL), 0);
        assert_int_equal(got_n, special);
        is_in_order(0, special, 0);
    }
}

static int count_too_many(leat_work *work, void *const *items, size_t n, size_t *ret_done, void *user UNUSED)
{
    leat_work_emit_many(work, items, n, NULL, -1);
    *ret_done = n + 1;
    return answer;
}

static void a_count_that_is_too_large_is_a_failure(void **state UNUSED)
{
    static const int answers[] = {LEAT_STAGE_SKIP, LEAT_STAGE_END, -EIO, 77};
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct leat_stage stage = stage_of(count_too_many, 1);
        answer = answers[i];
        assert_int_equal(run(&stage, NULL), -EPROTO);
    }
}

static void an_answer_that_is_none_is_a_failure(void **state UNUSED)
{
    struct leat_stage stage = stage_of(pass, 1);
    special = 5;
    answer = 77;
    assert_int_equal(run(&stage, NULL), -EPROTO);
    answer = INT_MIN;
    assert_int_equal(run(&stage, NULL), -EPROTO);
}

/* What it has counted is taken; the rest is disposed of. */
static int leave(leat_work *work UNUSED, void *const *items UNUSED, size_t n, size_t *ret_done, void *user)
{
    *ret_done = n / 2;
    atomic_fetch_add((atomic_uint *)user, (unsigned)(n / 2));
    pthread_exit(NULL);
}

static void a_function_that_leaves_its_thread_ends_the_run(void **state UNUSED)
{
    atomic_uint taken = 0;
    struct leat_stage stage = stage_of(leave, 1);
    leat_stages *s;
    size_t put = 0, n = 0;
    void *items[ITEMS];
    dropped = 0;
    for (int i = 0; i < ITEMS; i++)
        items[i] = &numbers[i];
    stage.user = &taken;
    assert_int_equal(leat_stages_new(&s, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(s, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(s), 0);
    while (put < ITEMS && leat_stages_put_many(s, items + put, ITEMS - put, &n, -1) == 0)
        put += n;
    put += put < ITEMS ? n : 0;
    assert_int_equal(leat_stages_wait(s, -1, NULL), -EOWNERDEAD);
    leat_stages_free(s);
    assert_int_equal(dropped + taken, put);
}

static int pulled(int *ret_n)
{
    struct leat_stage stage = stage_of(pass, 1);
    leat_pull *pull;
    int n = 0, r;
    void *item;
    dropped = 0;
    assert_int_equal(leat_pull_new(&pull, next, &n), 0);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    for (*ret_n = 0; (r = leat_pull_next(pull, &item)) == 0; ++*ret_n)
        ;
    leat_pull_free(pull);
    return r;
}

static void a_pull_has_one_item_at_a_time(void **state UNUSED)
{
    int n;
    special = -1;
    largest = 0;
    assert_int_equal(pulled(&n), LEAT_STAGES_END);
    assert_int_equal(n, ITEMS);
    assert_int_equal(largest, 1);
    special = 100;
    answer = LEAT_STAGE_SKIP;
    assert_int_equal(pulled(&n), LEAT_STAGES_END);
    assert_int_equal(n, ITEMS - 1);
    assert_int_equal(dropped, 1);
    answer = LEAT_STAGE_END;
    assert_int_equal(pulled(&n), LEAT_STAGES_END);
    assert_int_equal(n, 100);
    assert_int_equal(dropped, 1);
    answer = -EIO;
    assert_int_equal(pulled(&n), -EIO);
    assert_int_equal(dropped, 1);
}

static int one(leat_work *work UNUSED, void *item UNUSED, void *user UNUSED)
{
    return 0;
}

static void there_is_one_function(void **state UNUSED)
{
    struct leat_stage stage = stage_of(pass, 2);
    leat_stages *s;
    leat_pull *pull;
    int n = 0;
    assert_int_equal(leat_stages_new(&s, NULL, NULL), 0);
    assert_int_equal(leat_pull_new(&pull, next, &n), 0);
    stage.function = one;
    assert_int_equal(leat_stages_add(s, &stage, NULL), -EINVAL);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), -EINVAL);
    stage.function = NULL;
    assert_int_equal(leat_stages_add(s, &stage, NULL), 0);
    assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
    leat_pull_free(pull);
    leat_stages_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_items_pass_in_order),
        cmocka_unit_test(a_skipped_item_is_disposed_of_alone),
        cmocka_unit_test(a_failure_names_its_item),
        cmocka_unit_test(a_failed_item_goes_to_dead_and_the_rest_passes),
        cmocka_unit_test(a_retry_has_the_item_alone),
        cmocka_unit_test(an_end_lets_nothing_behind_it_pass),
        cmocka_unit_test(a_count_that_is_too_large_is_a_failure),
        cmocka_unit_test(an_answer_that_is_none_is_a_failure),
        cmocka_unit_test(a_function_that_leaves_its_thread_ends_the_run),
        cmocka_unit_test(a_pull_has_one_item_at_a_time),
        cmocka_unit_test(there_is_one_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
