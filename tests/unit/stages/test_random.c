/* SPDX-License-Identifier: MIT */
/* timeout: 600
 * emscripten: it has fewer threads
 * Random rows of stages: 1 to 6 of them with 1 to 16 workers each, every policy, and items that pass, vanish, multiply,
 * fail, fail for a while, or end it all; put in or pulled from a source; run to their end, drained, aborted or
 * cancelled at a random moment. Of all items that were made, each is taken, disposed or dead exactly once; never are
 * more alive than the limits allow; what is ordered stays in order; no run hangs; no thread is left.
 *
 * LEAT_SOAK_SECONDS: so long, LEAT_SOAK_RUNS: so many runs, else 500, or 100 with LEAT_TEST_QUICK. LEAT_SOAK_SEED:
 * where to begin; a failure prints its seed.
 */
#include "unit/unit.h"
#include <leat/stages.h>
#include <pthread.h>
#include <stdatomic.h>

#define STAGES_MOST 6

struct scene;

struct part {
    struct scene *scene;
    unsigned index;
    atomic_uint opened, closed, workers_opened, workers_closed;
};

struct scene {
    uint64_t seed;
    unsigned items, given, stages, cancel_after_us;
    bool ordered, fails, ends, sleeps;
    uint64_t bound, last_key;
    atomic_ullong made, taken, disposed, dead, vanished, live, most;
    atomic_uint controls, controls_done;
    atomic_bool out_of_order, bad;
    struct part part[STAGES_MOST];
    leat_stages *handle;
};

struct thing {
    uint64_t key;
    uint32_t state; /* of life: it is freed once */
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static unsigned roll(uint64_t *seed, unsigned sides)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned)(mix(*seed) >> 33) % sides;
}

static struct thing *make(struct scene *scene, uint64_t key)
{
    struct thing *thing = calloc(1, sizeof(*thing));
    assert_non_null(thing);
    thing->key = key;
    atomic_fetch_add(&scene->made, 1);
    unsigned long long live = atomic_fetch_add(&scene->live, 1) + 1, most = atomic_load(&scene->most);
    while (live > most && !atomic_compare_exchange_weak(&scene->most, &most, live))
        ;
    return thing;
}

static void unmake(struct scene *scene, struct thing *thing, atomic_ullong *why)
{
    if (thing->state++ != 0)
        atomic_store(&scene->bad, true);
    atomic_fetch_sub(&scene->live, 1);
    atomic_fetch_add(why, 1);
    free(thing);
}

static void dispose(void *user, void *item)
{
    struct part *part = user;
    unmake(part->scene, item, &part->scene->disposed);
}

static void bury(void *user, void *item, const struct leat_error *error)
{
    struct part *part = user;
    if (error->code != -EIO || error->index != part->index)
        atomic_store(&part->scene->bad, true);
    unmake(part->scene, item, &part->scene->dead);
}

static size_t weigh(void *user UNUSED, const void *item)
{
    return ((const struct thing *)item)->key % 7;
}

static int multiply(leat_work *work, struct part *part, struct thing *thing, unsigned n)
{
    void *made[8] = {NULL};
    for (unsigned i = 0; i < n; i++)
        made[i] = make(part->scene, thing->key);
    if (part->index % 2)
        leat_work_emit_many(work, made, n, NULL, -1);
    for (unsigned i = 0; i < n && part->index % 2 == 0; i++)
        leat_work_emit(work, made[i], -1);
    unmake(part->scene, thing, &part->scene->vanished);
    return LEAT_STAGE_DONE;
}

static int step(leat_work *work, void *item, void *user)
{
    struct part *part = user;
    struct scene *scene = part->scene;
    struct thing *thing = item;
    uint64_t dice = scene->seed ^ mix(thing->key * 8 + part->index);
    unsigned what = roll(&dice, 100);
    if (leat_work_state(work) != part)
        atomic_store(&scene->bad, true);
    if (scene->sleeps && roll(&dice, 10) == 0)
        usleep(roll(&dice, 300));
    if (what < 60) {
        leat_work_emit(work, thing, -1);
        return LEAT_STAGE_DONE;
    }
    if (what < 70)
        return LEAT_STAGE_SKIP;
    if (what < 80)
        return multiply(work, part, thing, roll(&dice, 8));
    if (what < 90)
        return leat_work_attempt(work) < 2 && scene->fails ? -EAGAIN : multiply(work, part, thing, 1);
    if (what < 92 && scene->fails)
        return -EIO;
    if (what == 99 && scene->ends && roll(&dice, 50) == 0) {
        unmake(scene, thing, &scene->vanished);
        return LEAT_STAGE_END;
    }
    leat_work_emit(work, thing, -1);
    return LEAT_STAGE_DONE;
}

/* The same for several items at once. */
static int step_many(leat_work *work, void *const *items, size_t n, size_t *ret_done, void *user)
{
    for (*ret_done = 0; *ret_done < n; ++*ret_done) {
        int r = step(work, items[*ret_done], user);
        *ret_done += r == LEAT_STAGE_END;
        if (r != LEAT_STAGE_DONE)
            return r;
    }
    return LEAT_STAGE_DONE;
}

/* The same by a function that asks for its items. What it does not hand on is its own to get rid of. */
static int step_all(leat_work *work, void *user)
{
    struct part *part = user;
    static const int limits_ms[] = {-1, 0, 1};
    for (unsigned i = 0;; i++) {
        void *item;
        int r = leat_work_next(work, &item, limits_ms[i % 3]);
        if (r == -EAGAIN || r == -ETIMEDOUT)
            continue;
        if (r != 0)
            return r == LEAT_STAGES_END ? LEAT_STAGE_DONE : r;
        r = step(work, item, user);
        if (r == LEAT_STAGE_SKIP || r < 0)
            unmake(part->scene, item, &part->scene->disposed);
        if (r == LEAT_STAGE_END)
            return r;
    }
}

static int part_open(void *user)
{
    return atomic_fetch_add(&((struct part *)user)->opened, 1) == 0 ? 0 : -EBADF;
}

static void part_close(void *user)
{
    atomic_fetch_add(&((struct part *)user)->closed, 1);
}

static int worker_open(void *user, void **ret)
{
    atomic_fetch_add(&((struct part *)user)->workers_opened, 1);
    *ret = user;
    return 0;
}

static void worker_close(void *user, void *state)
{
    if (user != state)
        atomic_store(&((struct part *)user)->scene->bad, true);
    atomic_fetch_add(&((struct part *)user)->workers_closed, 1);
}

static int next(void *user, void **ret)
{
    struct scene *scene = user;
    if (scene->given == scene->items)
        return LEAT_STAGES_END;
    *ret = make(scene, scene->given++);
    return 0;
}

static void look(struct scene *scene, const struct thing *thing)
{
    if (scene->ordered && thing->key < scene->last_key)
        atomic_store(&scene->out_of_order, true);
    scene->last_key = thing->key;
}

static int sink(void *user, void *item)
{
    struct scene *scene = user;
    look(scene, item);
    unmake(scene, item, &scene->taken);
    return 0;
}

static void dispose_result(void *user, void *item)
{
    struct scene *scene = user;
    unmake(scene, item, &scene->disposed);
}

static void control_done(void *user, void *control UNUSED, int code UNUSED)
{
    atomic_fetch_add(&((struct scene *)user)->controls_done, 1);
}

static void add_part(struct scene *scene, unsigned i, uint64_t *dice)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    struct part *part = &scene->part[i];
    char name[16];
    *part = (struct part){.scene = scene, .index = i};
    snprintf(name, sizeof(name), "part %u", i);
    stage.name = name;
    stage.function = step;
    stage.user = part;
    stage.dispose = dispose;
    stage.workers = roll(dice, 3) ? 1 + roll(dice, 4) : 1 + roll(dice, 16);
    stage.queue = 1 + roll(dice, roll(dice, 2) ? 4 : 100);
    stage.batch = roll(dice, 3) ? 0 : 1 + roll(dice, 5);
    stage.ordered = scene->ordered || roll(dice, 3) == 0;
    if (roll(dice, 3) == 0) {
        stage.item_size = weigh;
        stage.queue_bytes = 1 + roll(dice, 50);
    }
    stage.retries = scene->fails ? 2 + roll(dice, 2) : 0;
    stage.backoff_ms = scene->items < 50 && roll(dice, 4) == 0;
    stage.on_error = roll(dice, 20) ? LEAT_ON_ERROR_DROP : LEAT_ON_ERROR_FAIL;
    stage.dead = roll(dice, 2) ? bury : NULL;
    stage.open = part_open;
    stage.close = part_close;
    stage.worker_open = worker_open;
    stage.worker_close = worker_close;
    if (roll(dice, 3) == 0) {
        stage.function = NULL;
        stage.function_many = step_many;
        scene->bound += (stage.batch ? stage.batch : 64) * stage.workers;
    }
    if ((stage.workers == 1 || !stage.ordered) && roll(dice, 4) == 0) {
        stage.function = NULL;
        stage.function_many = NULL;
        stage.function_all = step_all;
        stage.retries = 0;
        stage.backoff_ms = stage.on_error = 0;
        stage.dead = NULL;
    }
    scene->bound += stage.queue + (3 + 8) * stage.workers; /* it makes up to 8 at once */
    assert_int_equal(leat_stages_add(scene->handle, &stage, NULL), 0);
}

static void *cancel_later(void *user)
{
    struct scene *scene = user;
    usleep(scene->cancel_after_us);
    assert_int_equal(leat_stages_cancel(scene->handle), 0);
    return NULL;
}

static void *put_all(void *user)
{
    struct scene *scene = user;
    for (unsigned i = 0; i < scene->items; i++) {
        struct thing *thing = make(scene, i);
        int r = leat_stages_put(scene->handle, thing, -1);
        if (r < 0) {
            unmake(scene, thing, &scene->disposed);
            break;
        }
        if (i % 50 == 7 && leat_stages_control(scene->handle, scene, -1) == 0)
            atomic_fetch_add(&scene->controls, 1);
    }
    leat_stages_finish(scene->handle);
    return NULL;
}

static int put_and_take(struct scene *scene)
{
    pthread_t feeder;
    void *item;
    int r = leat_stages_start(scene->handle);
    if (r < 0)
        return r; /* the cancel was quicker */
    assert_int_equal(pthread_create(&feeder, NULL, put_all, scene), 0);
    while ((r = leat_stages_take(scene->handle, &item, -1)) == 0)
        sink(scene, item);
    pthread_join(feeder, NULL);
    int code = leat_stages_wait(scene->handle, -1, NULL);
    if (r != LEAT_STAGES_END)
        assert_int_equal(code, r); /* a cancel may come after the last result */
    return code;
}

static void is_conserved(struct scene *scene)
{
    unsigned long long ended = scene->taken + scene->disposed + scene->dead + scene->vanished;
    if (scene->made != ended || scene->live != 0 || scene->bad || scene->out_of_order || scene->most > scene->bound)
        fail_msg(
            "seed %llu: made %llu, taken %llu, disposed %llu, dead %llu, vanished %llu; most alive %llu of %llu; %s",
            (unsigned long long)scene->seed, scene->made, scene->taken, scene->disposed, scene->dead, scene->vanished,
            scene->most, (unsigned long long)scene->bound,
            scene->bad            ? "a wrong call"
            : scene->out_of_order ? "out of order"
                                  : "lost or too many");
    assert_int_equal(scene->controls, scene->controls_done);
    for (unsigned i = 0; i < scene->stages; i++) {
        assert_int_equal(scene->part[i].opened, scene->part[i].closed);
        assert_int_equal(scene->part[i].workers_opened, scene->part[i].workers_closed);
    }
}

static void one_run(uint64_t seed)
{
    uint64_t dice = seed;
    struct scene scene = {.seed = seed};
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    pthread_t canceller;
    scene.items = 1 + roll(&dice, roll(&dice, 3) ? 50 : 500);
    scene.stages = 1 + roll(&dice, STAGES_MOST);
    scene.ordered = roll(&dice, 2);
    scene.fails = roll(&dice, 2);
    scene.ends = roll(&dice, 4) == 0;
    scene.sleeps = roll(&dice, 4) == 0;
    scene.cancel_after_us = roll(&dice, 4) ? 0 : 1 + roll(&dice, 5000);
    options.user = &scene;
    options.dispose = dispose_result;
    options.queue = 1 + roll(&dice, 20);
    options.control_done = control_done;
    scene.bound = options.queue + 3; /* the source's, the sink's, the one that is put */
    assert_int_equal(leat_stages_new(&scene.handle, &options, NULL), 0);
    for (unsigned i = 0; i < scene.stages; i++)
        add_part(&scene, i, &dice);
    bool cancels = scene.cancel_after_us > 0;
    if (cancels)
        assert_int_equal(pthread_create(&canceller, NULL, cancel_later, &scene), 0);
    int r = roll(&dice, 2) ? leat_stages_run(scene.handle, next, &scene, sink, &scene, NULL) : put_and_take(&scene);
    assert_true(r == 0 || (r == -ECANCELED && scene.cancel_after_us) || (r == -EIO && scene.fails));
    if (cancels)
        pthread_join(canceller, NULL);
    leat_stages_free(scene.handle);
    is_conserved(&scene);
}

static void items_are_conserved(void **state UNUSED)
{
    const char *seconds = getenv("LEAT_SOAK_SECONDS"), *first = getenv("LEAT_SOAK_SEED");
    const char *wanted = getenv("LEAT_SOAK_RUNS");
    uint64_t seed = first ? strtoull(first, NULL, 10) : 1;
    int64_t end = seconds ? clock_ns() + atoll(seconds) * 1000000000 : 0;
    unsigned runs = wanted ? (unsigned)atoi(wanted) : getenv("LEAT_TEST_QUICK") ? 100 : 500;
    one_run(seed); /* a sanitizer's own threads come with the first */
    int threads = unit_threads();
    for (unsigned i = 0; end ? clock_ns() < end : i < runs; i++) {
        if (getenv("LEAT_SOAK_SEED"))
            print_message("seed %llu\n", (unsigned long long)seed);
        one_run(seed++);
    }
    for (int i = 0; i < 100 && unit_threads() > threads; i++)
        usleep(10000); /* one that was joined may be in the table for a moment */
    assert_int_equal(unit_threads(), threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(items_are_conserved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
