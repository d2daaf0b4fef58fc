/* SPDX-License-Identifier: MIT */
/* What functions of the caller's answer, and which answers of calls mean what: a failure never looks like "not yet",
 * and no call gets the result of another one. */
#include "unit/unit.h"
#include <leat/stages.h>
#include <limits.h>
#include <pthread.h>

static int answers(leat_work *work UNUSED, void *item UNUSED, void *user)
{
    return *(int *)user;
}

static int source_of_one(void *user, void **ret_item)
{
    int *left = user;
    *ret_item = left;
    return (*left)-- > 0 ? 0 : LEAT_STAGES_END;
}

static int answering_source(void *user, void **ret_item)
{
    *ret_item = user;
    return *(int *)user;
}

static int answering_sink(void *user, void *item UNUSED)
{
    return *(int *)user;
}

static int answering_open(void *user)
{
    return *(int *)user;
}

static int answering_worker_open(void *user, void **ret_state UNUSED)
{
    return *(int *)user;
}

static int passes(leat_work *work, void *item, void *user UNUSED)
{
    return leat_work_emit(work, item, -1);
}

static struct leat_stage stage_of(leat_stage_fn function, int *user)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "x";
    stage.function = function;
    stage.user = user;
    stage.workers = 1;
    return stage;
}

static leat_stages *with(const struct leat_stage *stage)
{
    leat_stages *stages;
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(stages, stage, NULL), 0);
    return stages;
}

/* What a failure is told as. */
static int told(int code)
{
    if (code == -EAGAIN || code == -ETIMEDOUT)
        return -EIO;
    return code < 0 && code >= -4095 ? code : -EPROTO;
}

static const int codes[] = {-EIO, -EAGAIN, -ETIMEDOUT, -4095, -4096, -1000000, INT_MIN, 3, 1000, INT_MAX};

static void a_failure_never_looks_like_not_yet(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        int code = codes[i];
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct leat_stage stage = stage_of(answers, &code);
        leat_stages *stages = with(&stage);
        void *item;
        assert_int_equal(leat_stages_start(stages), 0);
        assert_int_equal(leat_stages_put(stages, &stage, -1), 0);
        assert_int_equal(leat_stages_wait(stages, -1, &error), told(code));
        assert_int_equal(error.code, told(code));
        assert_true(error.text[0]);
        assert_int_equal(leat_stages_take(stages, &item, 0), told(code));
        assert_int_equal(leat_stages_take(stages, &item, 5), told(code));
        assert_int_equal(leat_stages_put(stages, &stage, 0), told(code));
        leat_stages_free(stages);
    }
}

static int run_with(const struct leat_stage *stage, leat_next_fn source, void *user, leat_emit_fn sink, int *answer)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_stages *stages = with(stage);
    int r = leat_stages_run(stages, source, user, sink, answer, &error);
    assert_int_equal(error.code, r);
    leat_stages_free(stages);
    return r;
}

/* Of a source 1 is the end. */
static void every_function_may_answer_anything(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        int code = codes[i], left = 1;
        struct leat_stage plain = stage_of(passes, NULL), stage = stage_of(passes, &code);
        assert_int_equal(run_with(&plain, answering_source, &code, NULL, NULL), told(code));
        assert_int_equal(run_with(&plain, source_of_one, &left, answering_sink, &code), told(code));
        stage.open = answering_open;
        assert_int_equal(run_with(&stage, source_of_one, &left, NULL, NULL), told(code));
        stage.open = NULL;
        stage.worker_open = answering_worker_open;
        assert_int_equal(run_with(&stage, source_of_one, &left, NULL, NULL), told(code));
    }
}

/* It never waits, so it tells a code as it is. */
static void the_same_of_a_pull(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        int code = codes[i], left = 1, right = code < 0 && code >= -4095 ? code : -EPROTO;
        struct leat_stage stage = stage_of(answers, &code);
        leat_pull *pull;
        void *item;
        assert_int_equal(leat_pull_new(&pull, source_of_one, &left), 0);
        assert_int_equal(leat_pull_add(pull, &stage, NULL), 0);
        assert_int_equal(leat_pull_next(pull, &item), right);
        assert_int_equal(leat_pull_next(pull, &item), right);
        leat_pull_free(pull);
        assert_int_equal(leat_pull_new(&pull, answering_source, &code), 0);
        assert_int_equal(leat_pull_next(pull, &item), right);
        leat_pull_free(pull);
    }
}

static void dead_gets_the_code_itself(void *user, void *item UNUSED, const struct leat_error *error)
{
    *(int *)user = error->code;
}

static void a_dropped_item_keeps_its_code(void **state UNUSED)
{
    int code = -EAGAIN, left = 1;
    struct leat_stage stage = stage_of(answers, &code);
    stage.on_error = LEAT_ON_ERROR_DROP;
    stage.dead = dead_gets_the_code_itself;
    assert_int_equal(run_with(&stage, source_of_one, &left, NULL, NULL), 0);
    assert_int_equal(code, -EAGAIN);
}

/* ---- a source and a sink that are set ---- */

static int sums(void *user, void *item)
{
    (void)item;
    ++*(int *)user;
    return 0;
}

static void a_source_and_a_sink_may_be_set_before_the_start(void **state UNUSED)
{
    int left = 5, taken = 0;
    struct leat_stage stage = stage_of(passes, NULL);
    leat_stages *stages = with(&stage);
    void *item;
    assert_int_equal(leat_stages_take(stages, &item, 0), -EINVAL); /* it was never started */
    assert_int_equal(leat_stages_wait(stages, 0, NULL), -EINVAL);
    assert_int_equal(leat_stages_source(stages, source_of_one, &left), 0);
    assert_int_equal(leat_stages_sink(stages, sums, &taken), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_source(stages, source_of_one, &left), -EBUSY);
    assert_int_equal(leat_stages_sink(stages, sums, &taken), -EBUSY);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), -EBUSY);
    assert_int_equal(leat_stages_take(stages, &item, 0), -EINVAL); /* there is a sink */
    assert_int_equal(leat_stages_wait(stages, -1, NULL), 0);
    assert_int_equal(taken, 5);
    assert_int_equal(leat_stages_put(stages, &stage, 0), -EPIPE);
    leat_stages_free(stages);
}

static void numbers_of_stages_that_are_none(void **state UNUSED)
{
    struct leat_stage_stats stats = LEAT_INIT(struct leat_stage_stats);
    struct leat_stage stage = stage_of(passes, NULL);
    leat_stages *stages = with(&stage);
    assert_int_equal(leat_stages_stats(stages, 0, &stats), 0);
    assert_int_equal(leat_stages_stats(stages, 1, &stats), 0); /* what waits to be taken */
    assert_int_equal(leat_stages_stats(stages, 2, &stats), -ENOENT);
    assert_int_equal(leat_stages_stats(stages, SIZE_MAX / 2 + 1, &stats), -ENOENT);
    assert_int_equal(leat_stages_stats(stages, SIZE_MAX, &stats), -ENOENT);
    leat_stages_free(stages);
}

/* ---- limits ---- */

/* A limit costs nothing until so many items wait, so it may be any number. */
static void a_limit_of_items_may_be_any_number(void **state UNUSED)
{
    enum {
        MANY = 5000
    };
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
        struct leat_stage stage = stage_of(passes, NULL);
        leat_stages *stages;
        void *item;
        static char things[MANY];
        options.queue = UINT32_MAX;
        stage.queue = UINT32_MAX;
        stage.ordered = ordered;
        stage.workers = ordered ? 2 : 1;
        assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
        assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
        assert_int_equal(leat_stages_start(stages), 0);
        assert_int_equal(leat_stages_pause(stages), 0); /* so that all wait */
        for (int i = 0; i < MANY; i++)
            assert_int_equal(leat_stages_put(stages, &things[i], 0), 0);
        assert_int_equal(leat_stages_resume(stages), 0);
        assert_int_equal(leat_stages_finish(stages), 0);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(leat_stages_take(stages, &item, -1), 0);
            assert_ptr_equal(item, &things[i]);
        }
        assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
        leat_stages_free(stages);
    }
}

/* ---- two at once ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool inside, open;
};

static int waits_at_the_gate(leat_work *work UNUSED, void *item UNUSED, void *user)
{
    struct gate *gate = user;
    pthread_mutex_lock(&gate->lock);
    gate->inside = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return -EIO; /* what only the first run may say */
}

struct run {
    leat_stages *stages;
    int left, result;
};

static void *run(void *user)
{
    struct run *r = user;
    r->result = leat_stages_run(r->stages, source_of_one, &r->left, NULL, NULL, NULL);
    return NULL;
}

static void a_second_run_is_busy(void **state UNUSED)
{
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct leat_stage stage = stage_of(waits_at_the_gate, NULL);
    stage.user = &gate;
    struct run first = {.stages = with(&stage), .left = 1};
    int left = 1;
    struct leat_error error = LEAT_INIT(struct leat_error);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, &first), 0);
    pthread_mutex_lock(&gate.lock);
    while (!gate.inside)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    assert_int_equal(leat_stages_run(first.stages, source_of_one, &left, NULL, NULL, &error), -EBUSY);
    assert_int_equal(error.code, -EBUSY);
    assert_int_equal(left, 1);
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    pthread_join(thread, NULL);
    assert_int_equal(first.result, -EIO);
    leat_stages_free(first.stages);
}

static int counts(leat_work *work UNUSED, void *item UNUSED, void *user)
{
    __atomic_fetch_add((int *)user, 1, __ATOMIC_RELAXED);
    return 0;
}

/* Many at once: each is busy, or all of its items went through, and then nothing failed. */
static void *run_often(void *user)
{
    struct run *r = user;
    for (int i = 0; i < 200; i++) {
        int left = 3, result = leat_stages_run(r->stages, source_of_one, &left, NULL, NULL, NULL);
        if (result == 0 && left < 0)
            r->left += 3;
        else if (result != -EBUSY || left != 3)
            r->result = result ? result : -EIO;
    }
    return NULL;
}

static void every_run_has_its_own_result(void **state UNUSED)
{
    int worked = 0, all = 0;
    struct leat_stage stage = stage_of(counts, &worked);
    leat_stages *stages = with(&stage);
    struct run runs[3] = {{.stages = stages}, {.stages = stages}, {.stages = stages}};
    pthread_t threads[COUNT(runs)];
    for (size_t i = 0; i < COUNT(runs); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, &runs[i]), 0);
    for (size_t i = 0; i < COUNT(runs); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(runs[i].result, 0);
        all += runs[i].left;
    }
    assert_true(all > 0);
    assert_int_equal(worked, all);
    leat_stages_free(stages);
}

/* ---- aborted ---- */

static void an_abort_is_no_failure_of_the_call_that_does_it(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_stage stage = stage_of(passes, NULL);
    leat_stages *stages = with(&stage);
    void *item;
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_put(stages, &stage, -1), 0);
    error.code = -EIO; /* of an earlier call */
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, -1, &error), 0);
    assert_int_equal(error.code, 0);
    assert_int_equal(leat_stages_wait(stages, -1, &error), -ECANCELED);
    assert_int_equal(error.code, -ECANCELED);
    assert_string_equal(error.operation, "abort");
    assert_non_null(strstr(error.text, "stopped"));
    assert_int_equal(leat_stages_take(stages, &item, 0), -ECANCELED);
    assert_int_equal(leat_stages_put(stages, &stage, 0), -ECANCELED);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, &error), -ECANCELED);
    assert_int_equal(error.code, -ECANCELED);
    leat_stages_free(stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_never_looks_like_not_yet),
        cmocka_unit_test(every_function_may_answer_anything),
        cmocka_unit_test(the_same_of_a_pull),
        cmocka_unit_test(a_dropped_item_keeps_its_code),
        cmocka_unit_test(a_source_and_a_sink_may_be_set_before_the_start),
        cmocka_unit_test(numbers_of_stages_that_are_none),
        cmocka_unit_test(a_limit_of_items_may_be_any_number),
        cmocka_unit_test(a_second_run_is_busy),
        cmocka_unit_test(every_run_has_its_own_result),
        cmocka_unit_test(an_abort_is_no_failure_of_the_call_that_does_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
