/* SPDX-License-Identifier: MIT */
/* The budget: an account that is never overdrawn, by however many threads. */
#include "base/budget.h"
#include "unit/unit.h"
#include <pthread.h>
#include <sched.h>

static void what_is_taken_can_be_given(void **state UNUSED)
{
    struct budget budget;
    budget_init(&budget, 100);
    assert_true(budget_take(&budget, 0));
    assert_true(budget_take(&budget, 60));
    assert_false(budget_take(&budget, 41));
    assert_true(budget_left(&budget) == 40);
    assert_true(budget_take(&budget, 40));
    assert_false(budget_take(&budget, 1));
    assert_true(budget_take(&budget, 0));
    budget_give(&budget, 100);
    assert_true(budget_left(&budget) == 100);
    assert_true(budget.peak == 100);
}

static void the_largest_amounts_do_not_wrap(void **state UNUSED)
{
    struct budget budget;
    budget_init(&budget, 100);
    assert_true(budget_take(&budget, 1));
    assert_false(budget_take(&budget, UINT64_MAX));
    assert_false(budget_take(&budget, UINT64_MAX - 1));
    budget_init(&budget, UINT64_MAX);
    assert_true(budget_take(&budget, UINT64_MAX));
    assert_false(budget_take(&budget, 1));
    budget_init(&budget, 0);
    assert_false(budget_take(&budget, 1));
}

#define LIMIT   100
#define THREADS 4

struct takers {
    struct budget budget;
    _Atomic uint64_t held;
    atomic_bool passed;
};

static void *take_and_give(void *user)
{
    struct takers *t = user;
    for (unsigned i = 0; i < 5000; i++) {
        uint64_t n = 1 + i * 7 % 60;
        if (!budget_take(&t->budget, n)) {
            sched_yield();
            continue;
        }
        if (atomic_fetch_add(&t->held, n) + n > LIMIT)
            atomic_store(&t->passed, true);
        atomic_fetch_sub(&t->held, n);
        budget_give(&t->budget, n);
    }
    return NULL;
}

static void several_takers_never_pass_the_limit(void **state UNUSED)
{
    struct takers t;
    pthread_t thread[THREADS];
    budget_init(&t.budget, LIMIT);
    atomic_init(&t.held, 0);
    atomic_init(&t.passed, false);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, &t), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_false(t.passed);
    assert_true(t.budget.used == 0);
    assert_true(t.budget.peak >= 60 && t.budget.peak <= LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_can_be_given),
        cmocka_unit_test(the_largest_amounts_do_not_wrap),
        cmocka_unit_test(several_takers_never_pass_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
