/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Stops with a time limit, while the function of a stage does not return. */
#include "numbers.h"

static atomic_bool released;

static int sticks(leat_work *work, void *item, void *user UNUSED)
{
    atomic_fetch_add(&called, 1);
    while (!atomic_load(&released))
        usleep(1000);
    return leat_work_emit(work, item, -1);
}

/* One item is in the function. */
static leat_stages *stuck(const struct leat_stage *stage)
{
    leat_stages *stages = stages_with(stage);
    begin(0);
    atomic_store(&released, false);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    while (atomic_load(&called) == 0)
        usleep(1000);
    return stages;
}

static void a_stop_goes_on_after_a_timeout(void **state UNUSED)
{
    struct leat_stage stage = stage_with(sticks, 1);
    leat_stages *stages = stuck(&stage);
    void *item;
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, 0, NULL), -EAGAIN);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, 5, NULL), -ETIMEDOUT);
    assert_int_equal(leat_stages_put(stages, &stage, 0), -EPIPE); /* the end has begun */
    atomic_store(&released, true);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), 0);
    assert_int_equal(leat_stages_take(stages, &item, 0), 0); /* a drain loses nothing */
    dispose(NULL, item);
    leat_stages_free(stages);
}

static void an_abort_goes_on_after_a_timeout(void **state UNUSED)
{
    struct leat_stage stage = stage_with(sticks, 1);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_stages *stages = stuck(&stage);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, 0, &error), -EAGAIN);
    assert_int_equal(error.code, -EAGAIN);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, 5, &error), -ETIMEDOUT);
    assert_int_equal(leat_stages_put(stages, &stage, 0), -ECANCELED);
    atomic_store(&released, true);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, -1, &error), 0);
    assert_int_equal(error.code, 0);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, -1, &error), -ECANCELED); /* it has been told */
    assert_int_equal(leat_stages_wait(stages, -1, NULL), -ECANCELED);
    leat_stages_free(stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_goes_on_after_a_timeout),
        cmocka_unit_test(an_abort_goes_on_after_a_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
