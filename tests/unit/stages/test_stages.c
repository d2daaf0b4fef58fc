/* emscripten: it has fewer threads
 * What stages promise, one by one. Items are numbers from 1 on, as pointers, and `disposed` counts what was dropped. */
#include "stages/stages.h"
#include "unit/unit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

static char numbers[100001];
static atomic_uint disposed, called;
static unsigned given, wanted;

static void *item_of(unsigned number)
{
    return &numbers[number];
}

static unsigned number_of(const void *item)
{
    return (unsigned)((const char *)item - numbers);
}

static void dispose(void *user UNUSED, void *item UNUSED)
{
    atomic_fetch_add(&disposed, 1);
}

static int next(void *user UNUSED, void **ret)
{
    if (given == wanted)
        return LEAT_STAGES_END;
    *ret = item_of(++given);
    return 0;
}

static void begin(unsigned items)
{
    given = 0;
    wanted = items;
    disposed = called = 0;
}

struct list {
    unsigned n, number[1000];
};

static int gather(void *user, void *item)
{
    struct list *list = user;
    list->number[list->n++] = number_of(item);
    return 0;
}

static int pass(leat_work *work, void *item, void *user UNUSED)
{
    atomic_fetch_add(&called, 1);
    leat_emit(work, item);
    return 0;
}

static struct leat_stage stage_with(leat_stage_fn function, uint32_t workers)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "step";
    stage.function = function;
    stage.workers = workers;
    stage.dispose = dispose;
    return stage;
}

static leat_stages *stages_with(const struct leat_stage *stage)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    leat_stages *stages;
    options.dispose = dispose;
    options.queue = 4;
    assert_int_equal(leat_stages_new(&stages, &options), 0);
    if (stage)
        assert_int_equal(leat_stages_add(stages, stage), 0);
    return stages;
}

static int run(leat_stages *stages, struct list *list, struct leat_error *error)
{
    list->n = 0;
    return leat_stages_run(stages, next, NULL, gather, list, error);
}

static void is_sequence(const struct list *list, unsigned n)
{
    assert_int_equal(list->n, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(list->number[i], i + 1);
}

static void all_items_in_order_and_again(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 1);
    leat_stages *stages = stages_with(&stage);
    struct list list;
    assert_int_equal(leat_stages_add(stages, &stage), 0);
    for (unsigned items = 0; items <= 1000; items += 500) {
        begin(items);
        assert_int_equal(run(stages, &list, NULL), 0);
        is_sequence(&list, items);
        assert_int_equal(called, 2 * items);
    }
    assert_int_equal(leat_stages_add(stages, &stage), -EBUSY);
    leat_stages_free(stages);
}

static void what_makes_no_sense_is_refused(void **state UNUSED)
{
    leat_stages *stages = stages_with(NULL);
    struct leat_stage stage = stage_with(pass, 0);
    assert_int_equal(leat_stages_add(stages, &stage), -EINVAL); /* no workers would be no results */
    stage = stage_with(pass, 1);
    stage.name = NULL;
    assert_int_equal(leat_stages_add(stages, &stage), -EINVAL);
    stage = stage_with(pass, 1);
    stage.queue_bytes = 1;
    assert_int_equal(leat_stages_add(stages, &stage), -EINVAL);
    stage = stage_with(NULL, 2);
    assert_int_equal(leat_stages_add(stages, &stage), -EINVAL);
    assert_int_equal(leat_stages_put(stages, item_of(1), 0), -EPIPE);
    assert_int_equal(leat_stages_wait(stages, 0, NULL), -EINVAL);
    assert_int_equal(leat_stages_run(stages, NULL, NULL, NULL, NULL, NULL), -EINVAL);
    leat_stages_free(stages);
    leat_stages_free(NULL);
}

/* ---- failures ---- */

static int fail_at_third(leat_work *work, void *item, void *user UNUSED)
{
    if (number_of(item) == 3)
        return -EIO;
    leat_emit(work, item);
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
    assert_int_equal(leat_stages_add(stages, &stage), 0);
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
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, NULL), -EIO);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, NULL), -EIO);
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
    leat_emit(work, item);
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
    leat_emit(work, item);
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

/* ---- cancel ---- */

static int wait_for_cancel(leat_work *work, void *item, void *user UNUSED)
{
    atomic_fetch_add(&called, 1);
    while (leat_emit(work, item) == 0)
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
    assert_int_equal(leat_stages_add(stages, &stage), 0);
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
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, NULL), -EDEADLK);
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
    assert_true(n >= 4 && n <= 8); /* 4 results, 2 that wait, one in hand, one that is handed over */
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(number_of(item), i + 1);
    }
    leat_stages_finish(stages);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), -EPIPE);
    assert_int_equal(leat_stages_take(stages, &item, -1), LEAT_STAGES_END);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, NULL), 0);
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
        assert_int_equal(leat_stages_stop(stages, abort ? LEAT_STOP_ABORT : LEAT_STOP_DRAIN, NULL), 0);
        for (unsigned i = 1; !abort && i <= 3; i++)
            assert_int_equal(leat_stages_take(stages, &item, -1), 0);
        assert_int_equal(leat_stages_take(stages, &item, -1), abort ? -ECANCELED : LEAT_STAGES_END);
        assert_int_equal(disposed, abort ? 3 : 0);
        leat_stages_free(stages);
    }
}

static void nothing_moves_in_a_pause_and_nothing_burns(void **state UNUSED)
{
    struct leat_stage stage = stage_with(pass, 16);
    struct rusage before, after;
    void *item;
    leat_stages *stages = stages_with(&stage);
    begin(3);
    assert_int_equal(leat_stages_source(stages, next, NULL), 0);
    assert_int_equal(leat_stages_pause(stages), -EINVAL);
    assert_int_equal(leat_stages_start(stages), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(leat_stages_take(stages, &item, -1), 0);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), 0);
    leat_stages_free(stages);

    stages = stages_with(&stage);
    begin(0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_pause(stages), 0);
    assert_int_equal(leat_stages_put(stages, item_of(1), -1), 0);
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(leat_stages_take(stages, &item, 200), -ETIMEDOUT);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(called, 0);
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 50); /* whoever polls wakes more often */
    assert_int_equal(leat_stages_resume(stages), 0);
    assert_int_equal(leat_stages_take(stages, &item, -1), 0);
    assert_int_equal(leat_stages_pause(stages), 0);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, NULL), 0);
    leat_stages_free(stages);
}

/* ---- order, many of one, an end ---- */

static int slow_now_and_then(leat_work *work, void *item, void *user UNUSED)
{
    if (number_of(item) % 7 == 1)
        usleep(3000);
    leat_emit(work, item);
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
        assert_int_equal(leat_stages_add(stages, &stage), 0);
        assert_int_equal(run(stages, &list, NULL), 0);
        is_sequence(&list, 200);
        leat_stages_free(stages);
    }
}

static int until_fifty(leat_work *work, void *item, void *user)
{
    leat_emit(work, item);
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
    assert_int_equal(leat_stages_add(stages, &stage), 0);
    assert_int_equal(run(stages, &list, NULL), 0);
    is_sequence(&list, 50);
    assert_true(given < 100000);
    assert_int_equal(list.n + disposed, given);
    leat_stages_free(stages);
}

static int three_of_one(leat_work *work, void *item, void *user UNUSED)
{
    for (int i = 0; i < 3; i++)
        leat_emit(work, item_of(number_of(item) * 3 - 2 + (unsigned)i));
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

/* ---- control items ---- */

static atomic_uint visits, seen, controls_done;

static int count_seen(leat_work *work, void *item, void *user UNUSED)
{
    usleep(number_of(item) % 3 * 100);
    leat_emit(work, item);
    atomic_fetch_add(&seen, 1);
    return 0;
}

static int is_behind_ten(leat_work *work UNUSED, void *control UNUSED, void *user UNUSED)
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
    assert_int_equal(leat_stages_new(&stages, &options), 0);
    stage.control = is_behind_ten;
    assert_int_equal(leat_stages_add(stages, &stage), 0);
    stage = stage_with(pass, 3);
    stage.ordered = 1;
    assert_int_equal(leat_stages_add(stages, &stage), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    for (unsigned i = 1; i <= 10; i++) {
        for (unsigned k = 1; k <= 10; k++)
            assert_int_equal(leat_stages_put(stages, item_of(k), -1), 0);
        assert_int_equal(leat_stages_control(stages, item_of(i), -1), 0);
    }
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_DRAIN, NULL), 0);
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
    assert_int_equal(leat_stages_add(stages, &stage), 0);
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
        cmocka_unit_test(the_first_error_names_stage_item_and_code),
        cmocka_unit_test(an_error_reaches_put_take_wait_and_stop_alike),
        cmocka_unit_test(openers_that_fail),
        cmocka_unit_test(a_worker_that_leaves_its_thread),
        cmocka_unit_test(sources_and_sinks_that_fail),
        cmocka_unit_test(a_retry_is_not_overtaken_by_the_end),
        cmocka_unit_test(dead_letters_and_drops_are_counted),
        cmocka_unit_test(a_cancel_reaches_every_wait),
        cmocka_unit_test(a_cancel_ends_a_back_off_and_a_take),
        cmocka_unit_test(a_cancel_held_up_half_way_is_no_end),
        cmocka_unit_test(free_cancels),
        cmocka_unit_test(who_waits_for_its_own_end_is_told),
        cmocka_unit_test(put_and_take_with_time_limits),
        cmocka_unit_test(results_can_be_taken_after_a_drain_not_after_an_abort),
        cmocka_unit_test(nothing_moves_in_a_pause_and_nothing_burns),
        cmocka_unit_test(ordered_stages_give_the_order_of_their_input),
        cmocka_unit_test(a_function_may_end_it_all),
        cmocka_unit_test(one_item_becomes_many),
        cmocka_unit_test(control_items_visit_each_stage_once_behind_what_was_before),
        cmocka_unit_test(groups_by_count_bytes_and_time),
        cmocka_unit_test(the_table_names_the_bottleneck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
