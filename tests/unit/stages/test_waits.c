/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Whoever waits: put and take with time limits, pauses, cancels that reach everybody, the end. */
#include "numbers.h"
#include <limits.h>
#include <sys/resource.h>

static int wait_for_cancel(leat_work *work, void *item, void *user UNUSED)
{
    atomic_fetch_add(&called, 1);
    while (leat_work_emit(work, item, -1) == 0)
        ;
    return -EIO; /* does not matter any more */
}

static void *cancel_soon(void *user)
{
    usleep(20000); /* most likely all wait by now; if not, the result is the same */
    leat_stages_cancel(user);
    return NULL;
}

static void *put_until_it_fails(void *user)
{
    while (leat_stages_put(user, item_of(1), -1) == 0)
        ;
    return NULL;
}

static void a_cancel_reaches_every_wait(void **state UNUSED)
{
    struct leat_stage stage = stage_with(wait_for_cancel, 3);
    pthread_t thread[2];
    void *item;
    for (int ordered = 0; ordered < 2; ordered++) {
        stage.ordered = ordered;
        leat_stages *stages = stages_with(&stage);
        begin(0);
        assert_int_equal(leat_stages_start(stages), 0);
        pthread_create(&thread[0], NULL, put_until_it_fails, stages);
        pthread_create(&thread[1], NULL, cancel_soon, stages);
        assert_int_equal(leat_stages_wait(stages, -1, NULL), -ECANCELED);
        assert_int_equal(leat_stages_take(stages, &item, -1), -ECANCELED);
        pthread_join(thread[0], NULL);
        pthread_join(thread[1], NULL);
        leat_stages_free(stages);
    }
}

static int always_fails(leat_work *work UNUSED, void *item UNUSED, void *user UNUSED)
{
    return -EIO;
}

static void a_cancel_ends_a_back_off_and_a_take(void **state UNUSED)
{
    struct leat_stage stage = stage_with(always_fails, 1);
    pthread_t thread;
    void *item;
    stage.retries = 1;
    stage.backoff_ms = 10000;
    leat_stages *stages = stages_with(&stage);
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    pthread_create(&thread, NULL, cancel_soon, stages);
    assert_int_equal(leat_stages_take(stages, &item, -1), -ECANCELED);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), -ECANCELED);
    pthread_join(thread, NULL);
    leat_stages_free(stages);
    assert_int_equal(disposed, 1);
}

struct taker {
    leat_stages *stages;
    int r;
};

static void *take_one(void *user)
{
    struct taker *taker = user;
    void *item;
    taker->r = leat_stages_take(taker->stages, &item, -1);
    return NULL;
}

static void *cancel(void *user)
{
    leat_stages_cancel(user);
    return NULL;
}

/* Who cancels is held up at the queue of the first stage, whose worker has left. Meanwhile the second stage may drop
 * its item and leave: nobody may take that for the end. */
static void a_cancel_held_up_half_way_is_no_end(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages = stages_with(&stage);
    struct taker taker = {stages, 0};
    pthread_t canceller, thread;
    stage = stage_with(always_fails, 1);
    stage.retries = 1;
    stage.backoff_ms = 10000;
    begin(0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    leat_stages_finish(stages);
    usleep(20000); /* most likely the item is in the back-off by now; if not, the result is the same */
    pthread_mutex_lock(&stages->stage[0]->in.lock);
    pthread_create(&canceller, NULL, cancel, stages);
    pthread_create(&thread, NULL, take_one, &taker);
    usleep(50000);
    pthread_mutex_unlock(&stages->stage[0]->in.lock);
    pthread_join(canceller, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(taker.r, -ECANCELED);
    leat_stages_free(stages);
    assert_int_equal(disposed, 1);
}

static int blocks_in_take(leat_work *work UNUSED, void *item, void *user)
{
    void *other;
    assert_int_equal(number_of(item), 1);
    return leat_stages_take(*(leat_stages **)user, &other, -1);
}

static int never_again(void *user, void **ret)
{
    leat_stages **stages = user;
    *ret = item_of(1);
    return given++ == 0 ? 0 : leat_stages_put(*stages, *ret, -1);
}

/* One stage for each way to wait; ms until all of them have ended. */
static int64_t cancelled_after_ms(bool with_source)
{
    leat_stages *stages;
    struct leat_stage emits = stage_with(wait_for_cancel, 3), sleeps = stage_with(always_fails, 1),
                      takes = stage_with(blocks_in_take, 2), groups = stage_with(NULL, 1);
    pthread_t putter, taker;
    struct taker taken;
    begin(0);
    sleeps.retries = 1;
    sleeps.backoff_ms = 10000;
    sleeps.queue = 2;
    emits.queue = 2;
    emits.ordered = 1;
    takes.user = &stages;
    groups.group_ms = 60000;
    stages = stages_with(&emits);
    taken.stages = stages;
    assert_int_equal(leat_stages_add(stages, &sleeps, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &groups, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &takes, NULL), 0);
    if (with_source)
        assert_int_equal(leat_stages_source(stages, never_again, &stages), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(pthread_create(&putter, NULL, put_until_it_fails, stages), 0);
    assert_int_equal(pthread_create(&taker, NULL, take_one, &taken), 0);
    usleep(10000); /* most likely all wait by now; if not, it is too quick by chance */
    int64_t began = clock_ns();
    leat_stages_cancel(stages);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), -ECANCELED);
    pthread_join(putter, NULL);
    pthread_join(taker, NULL);
    int64_t ms = (clock_ns() - began) / 1000000;
    assert_int_equal(taken.r, -ECANCELED);
    leat_stages_free(stages);
    return ms;
}

/* The least of several times, since the machine may be busy; one that polled would take its time always. */
static void a_cancel_takes_less_than_100_ms(void **state UNUSED)
{
    for (int with_source = 0; with_source < 2; with_source++) {
        int64_t least = INT64_MAX;
        for (int i = 0; i < 20 && least >= 100; i++)
            least = MIN(least, cancelled_after_ms(with_source));
        assert_true(least < 100);
    }
}

static void free_cancels(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 2);
    leat_stages *stages = stages_with(&stage);
    int threads = unit_threads();
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    for (unsigned i = 1; i <= 10; i++)
        assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
    leat_stages_free(stages);
    assert_int_equal(disposed, 10);
    for (int i = 0; i < 100 && unit_threads() > threads; i++)
        usleep(10000);
    assert_true(unit_threads() <= threads);
}

static int waits_for_itself(leat_work *work, void *item, void *user)
{
    leat_stages *stages = *(leat_stages **)user;
    assert_int_equal(leat_stages_wait(stages, -1, NULL), -EDEADLK);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), -EDEADLK);
    return pass(work, item, user);
}

static void who_waits_for_its_own_end_is_told(void **state UNUSED)
{
    leat_stages *stages;
    struct leat_stage stage = stage_with(waits_for_itself, 1);
    struct list list;
    stage.user = &stages;
    stages = stages_with(&stage);
    begin(3);
    assert_int_equal(run(stages, &list, NULL), 0);
    is_sequence(&list, 3);
    leat_stages_free(stages);
}

/* ---- feeding and taking ---- */

static void put_and_take_with_time_limits(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    void *item, *many[20];
    size_t n;
    stage.queue = 2;
    leat_stages *stages = stages_with(&stage);
    begin(0);
    for (unsigned i = 0; i < 20; i++)
        many[i] = item_of(i + 1);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_take(stages, &item, 0), -EAGAIN);
    assert_int_equal(leat_stages_take(stages, &item, 5), -ETIMEDOUT);
    assert_int_equal(leat_stages_wait(stages, 0, NULL), -EAGAIN);
    assert_int_equal(leat_stages_wait(stages, 5, NULL), -ETIMEDOUT);
    assert_int_equal(leat_stages_put_many(stages, many, 20, &n, 50), -ETIMEDOUT);
    assert_true(n >= 3 && n <= 8); /* 2 that wait, one in hand, if the worker was quick 4 results, one handed over */
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(number_of(item), i + 1);
    }
    leat_stages_finish(stages);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), -EPIPE);
    assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), 0);
    leat_stages_free(stages);
    assert_int_equal(disposed, 0);
}

static void results_can_be_taken_after_a_drain_not_after_an_abort(void **state UNUSED)
{
    for (int abort = 0; abort < 2; abort++) {
        struct leat_stage stage = stage_with(pass, 1);
        leat_stages *stages = stages_with(&stage);
        void *item;
        begin(0);
        assert_int_equal(leat_stages_start(stages), 0);
        for (unsigned i = 1; i <= 3; i++)
            assert_int_equal(leat_stages_put(stages, item_of(i), -1), 0);
        assert_int_equal(leat_stages_stop(stages, abort ? LEAT_STOP_ABORT : LEAT_STOP_DRAIN, -1, NULL), 0);
        for (unsigned i = 1; !abort && i <= 3; i++)
            assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(leat_stages_take(stages, &item, -1), abort ? -ECANCELED : LEAT_STAGES_END);
        assert_int_equal(disposed, abort ? 3 : 0);
        leat_stages_free(stages);
    }
}

/* Of a source, too. */
static void a_pause_holds_for_one_run(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 16);
    void *item;
    leat_stages *stages = stages_with(&stage);
    assert_int_equal(leat_stages_source(stages, next, NULL), 0);
    assert_int_equal(leat_stages_pause(stages), -EINVAL);
    for (int round = 0; round < 3; round++) {
        begin(3);
        assert_int_equal(leat_stages_start(stages), 0);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(leat_stages_pause(stages), 0);
        assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, NULL), 0);
    }
    leat_stages_free(stages);
}

/* How often threads of this process gave the processor away in 200 ms. Just started, they do so, too: hence the least
 * of several times. Whoever polls does it more often each time. */
static long least_switches(leat_stages *stages)
{
    long least = LONG_MAX;
    for (int i = 0; i < 10 && least >= 50; i++) {
        struct rusage before, after;
        void *item;
        getrusage(RUSAGE_SELF, &before);
        assert_int_equal(leat_stages_take(stages, &item, 200), -ETIMEDOUT);
        getrusage(RUSAGE_SELF, &after);
        least = MIN(least, after.ru_nvcsw - before.ru_nvcsw);
    }
    return least;
}

static void nothing_moves_in_a_pause_and_nothing_burns(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 16);
    void *item;
    leat_stages *stages = stages_with(&stage);
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_true(least_switches(stages) < 50);
    assert_int_equal(leat_stages_pause(stages), 0);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    assert_true(least_switches(stages) < 50);
    assert_int_equal(called, 0);
    assert_int_equal(leat_stages_resume(stages), 0);
    assert_int_equal(leat_stages_take(stages, &item, -1), 0);
    leat_stages_free(stages);
}

/* ---- while it starts ---- */

/* An `open` that goes on only when another thread waits for the end. */
static int open_for_a_while(void *user)
{
    leat_stages *stages = *(leat_stages **)user;
    bool waited = false;
    atomic_fetch_add(&called, 1);
    while (!waited) {
        usleep(1000);
        pthread_mutex_lock(&stages->lock);
        waited = stages->waiting > 0;
        pthread_mutex_unlock(&stages->lock);
    }
    return 0;
}

static void *start(void *user)
{
    return (void *)(intptr_t)leat_stages_start(user);
}

/* What the call that stops it returns; *ret_start: what leat_stages_start returned. */
static int stopped_while_it_starts(enum leat_stop how, int *ret_start)
{
    leat_stages *stages = NULL;
    struct leat_stage stage = stage_with(pass, 2);
    pthread_t starter;
    void *answer;
    stage.user = &stages;
    stage.open = open_for_a_while;
    stages = stages_with(&stage);
    begin(0);
    pthread_create(&starter, NULL, start, stages);
    while (!atomic_load(&called))
        usleep(1000);
    alarm(60); /* in case the stop is lost */
    int r = leat_stages_stop(stages, how, -1, NULL);
    pthread_join(starter, &answer);
    alarm(0);
    *ret_start = (int)(intptr_t)answer;
    leat_stages_free(stages);
    return r;
}

static void a_stop_while_it_starts_holds(void **state UNUSED)
{
    int started;
    assert_int_equal(stopped_while_it_starts(LEAT_STOP_DRAIN, &started), 0);
    assert_int_equal(started, 0);
    assert_int_equal(stopped_while_it_starts(LEAT_STOP_ABORT, &started), 0);
    assert_int_equal(started, -ECANCELED);
}

struct at_start {
    leat_stages *stages;
    int (*ends)(leat_stages *stages);
    int waited, stopped;
};

/* Called when the next start drops what nobody has taken. */
static void end_it(void *user, void *item UNUSED)
{
    struct at_start *at = user;
    if (at->ends)
        at->ends(at->stages);
}

static leat_stages *started_again(struct at_start *at, const struct leat_stage *stage)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    options.user = at;
    options.dispose = end_it;
    at->ends = NULL;
    assert_int_equal(leat_stages_new(&at->stages, &options, NULL), 0);
    assert_int_equal(leat_stages_add(at->stages, stage, NULL), 0);
    assert_int_equal(leat_stages_start(at->stages), 0);
    assert_int_equal(leat_stages_put(at->stages, item_of(1), -1), 0);
    assert_int_equal(leat_stages_stop(at->stages, LEAT_STOP_DRAIN, -1, NULL), 0);
    return at->stages;
}

/* The end of input, or a cancel, that comes while what is left of the run before is dropped. */
static void an_end_while_it_starts_again_holds(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    struct at_start at;
    void *item;
    begin(0);
    leat_stages *stages = started_again(&at, &stage);
    at.ends = leat_stages_finish;
    assert_int_equal(leat_stages_start(stages), 0);
    at.ends = NULL;
    assert_int_equal(leat_stages_put(stages, item_of(1), 0), -EPIPE);
    assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), 0);
    leat_stages_free(stages);
    stages = started_again(&at, &stage);
    at.ends = leat_stages_cancel;
    assert_int_equal(leat_stages_start(stages), -ECANCELED);
    at.ends = NULL;
    assert_int_equal(leat_stages_take(stages, &item, 0), -ECANCELED);
    assert_int_equal(leat_stages_start(stages), 0); /* of the next run nobody said anything */
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    assert_int_equal(leat_stages_take(stages, &item, -1), 0);
    leat_stages_free(stages);
}

static int wait_and_stop(void *user)
{
    struct at_start *at = user;
    at->waited = leat_stages_wait(at->stages, -1, NULL);
    at->stopped = leat_stages_stop(at->stages, LEAT_STOP_ABORT, -1, NULL);
    return 0;
}

static void close_and_wait(void *user)
{
    wait_and_stop(user);
}

static void hooks_that_wait_for_their_own_end_are_told(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    struct at_start at = {NULL, NULL, 0, 0};
    struct list list;
    stage.user = &at;
    stage.open = wait_and_stop;
    at.stages = stages_with(&stage);
    begin(3);
    alarm(60); /* in case one waits */
    assert_int_equal(run(at.stages, &list, NULL), 0);
    assert_int_equal(at.waited, -EDEADLK);
    assert_int_equal(at.stopped, -EDEADLK);
    leat_stages_free(at.stages);
    at.waited = at.stopped = 0;
    stage.open = NULL;
    stage.close = close_and_wait;
    at.stages = stages_with(&stage);
    begin(3);
    assert_int_equal(run(at.stages, &list, NULL), 0);
    alarm(0);
    assert_int_equal(at.waited, -EDEADLK);
    assert_int_equal(at.stopped, -EDEADLK);
    leat_stages_free(at.stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_reaches_every_wait),
        cmocka_unit_test(a_cancel_ends_a_back_off_and_a_take),
        cmocka_unit_test(a_cancel_held_up_half_way_is_no_end),
        cmocka_unit_test(a_cancel_takes_less_than_100_ms),
        cmocka_unit_test(free_cancels),
        cmocka_unit_test(who_waits_for_its_own_end_is_told),
        cmocka_unit_test(a_stop_while_it_starts_holds),
        cmocka_unit_test(an_end_while_it_starts_again_holds),
        cmocka_unit_test(hooks_that_wait_for_their_own_end_are_told),
        cmocka_unit_test(put_and_take_with_time_limits),
        cmocka_unit_test(results_can_be_taken_after_a_drain_not_after_an_abort),
        cmocka_unit_test(a_pause_holds_for_one_run),
        cmocka_unit_test(nothing_moves_in_a_pause_and_nothing_burns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
