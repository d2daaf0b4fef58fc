/* SPDX-License-Identifier: MIT */
/* timeout: 300
 * engines: uring
 * Random rows of filters that transform, between random ends, against a model: with faults that come again and again,
 * little memory, cancels at any moment, an engine of their own or one that many share. LEAT_SOAK_SECONDS is how long
 * (1), LEAT_SOAK_SEED where to begin; a failure prints its seed. */
#include "base/fd.h"
#include "base/op.h"
#include "legs.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define ROW_MAX 4

struct dice {
    uint64_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice->state >> 33) % sides;
}

/* ---- faults, from whatever thread ---- */

static pthread_mutex_t chaos_lock = PTHREAD_MUTEX_INITIALIZER;
static struct dice chaos;
static unsigned chaos_one_in;

static bool disturb(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    pthread_mutex_lock(&chaos_lock);
    unsigned what = roll(&chaos, chaos_one_in) ? 4 : roll(&chaos, 4);
    if (what == 0)
        *ret_result = -EAGAIN;
    else if (what <= 2 && op->length > 1)
        op->length = 1 + roll(&chaos, (unsigned)MIN(op->length, 1u << 30));
    else if (what == 3 && roll(&chaos, 20) == 0)
        *ret_result = -EIO;
    else
        what = 4;
    pthread_mutex_unlock(&chaos_lock);
    bool moves = op->kind == OP_READ || op->kind == OP_WRITE;
    return (what != 0 && what != 3) || !moves;
}

/* ---- one pipeline ---- */

struct trial {
    struct machine_plan row[ROW_MAX];
    size_t rows, n;
    enum {
        FROM_MEMORY,
        FROM_FILE,
        FROM_PIPE
    } from;
    uint8_t *out;
    size_t want, got;
    uint8_t *model;
    int fd[2];
    pthread_t feeder;
    leat_pipeline *pipeline;
};

static void *feed(void *user)
{
    struct trial *t = user;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (size_t at = 0; at < t->n;) {
        ssize_t w = write(t->fd[1], letters + at, t->n - at);
        if (w < 0)
            break;
        at += (size_t)w;
    }
    close(t->fd[1]);
    return NULL;
}

static leat_endpoint *source_of(struct trial *t)
{
    leat_endpoint *source;
    if (t->from == FROM_MEMORY)
        return from_bytes(letters, t->n);
    if (t->from == FROM_FILE) {
        unit_write("from", letters, t->n);
        return spec("from", LEAT_READ);
    }
    assert_int_equal(pipe(t->fd), 0);
    assert_int_equal(leat_endpoint_from_fd(&source, t->fd[0], LEAT_TAKE), 0);
    pthread_create(&t->feeder, NULL, feed, t);
    return source;
}

static bool pipes_end;

static void choose_row(struct trial *t, struct dice *dice)
{
    const struct machine_plan plans[] = {machine_same, machine_twice, machine_half, machine_hoard, machine_drip};
    t->rows = roll(dice, ROW_MAX + 1);
    for (size_t i = 0; i < t->rows; i++) {
        t->row[i] = plans[roll(dice, COUNT(plans))];
        t->row[i].ends = !t->row[i].hoards && roll(dice, 6) == 0;
        t->row[i].behind = roll(dice, (unsigned)t->n + 1);
    }
}

static void open_trial(struct trial *t, struct dice *dice, leat_engine *engine)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .shared_engine = engine};
    *t = (struct trial){.n = roll(dice, 2) ? roll(dice, 3000) : roll(dice, 3000000)};
    t->from = engine ? FROM_MEMORY : roll(dice, pipes_end ? 3 : 2);
    choose_row(t, dice);
    options.memory_limit = (t->rows + 1) * PAGE << roll(dice, 10);
    t->want = t->n;
    t->got = SIZE_MAX;
    t->model = modelled(t->row, t->rows, &t->want);
    t->out = malloc(t->want + 1);
    t->pipeline = pipeline_of(&options, source_of(t), to_bytes(t->out, t->want, &t->got));
    for (size_t i = 0; i <= t->rows; i++) {
        if (roll(dice, 3) == 0)
            leat_pipeline_filter(t->pipeline, digest_of("crc32c"));
        if (i < t->rows)
            leat_pipeline_filter(t->pipeline, machine(t->row[i]));
    }
}

/* `may_fail`: it was disturbed, or cancelled. */
static void check_trial(struct trial *t, int r, const leat_report *report, bool may_fail)
{
    check_balance(report, t->rows + 1);
    if (!may_fail || r == 0) {
        assert_int_equal(r, 0);
        assert_int_equal(t->got, t->want);
        assert_memory_equal(t->out, t->model, t->want);
    } else {
        assert_true(r == -EIO || r == -ECANCELED);
        assert_int_equal(t->got, SIZE_MAX);
        assert_true(leat_report_error(report)->text[0]);
    }
}

static void close_trial(struct trial *t)
{
    leat_pipeline_free(t->pipeline);
    if (t->from == FROM_PIPE)
        pthread_join(t->feeder, NULL);
    free(t->model);
    free(t->out);
}

static void *cancel_later(void *user)
{
    struct trial *t = user;
    nanosleep(&(struct timespec){0, 1000 * (long)(1 + t->n % 700)}, NULL);
    leat_pipeline_cancel(t->pipeline);
    return NULL;
}

static void run_seed(uint64_t seed)
{
    struct dice dice = {seed};
    struct trial t;
    leat_report *report;
    pthread_t thread;
    for (int i = 0; i < 4; i++)
        roll(&dice, 2);
    open_trial(&t, &dice, NULL);
    bool disturbs = roll(&dice, 2), cancels = roll(&dice, 4) == 0;
    chaos = dice;
    chaos_one_in = 3 + roll(&dice, 60);
    op_interpose(disturbs ? disturb : NULL, NULL);
    if (cancels)
        pthread_create(&thread, NULL, cancel_later, &t);
    int r = leat_pipeline_run(t.pipeline, &report);
    if (cancels)
        pthread_join(thread, NULL);
    op_interpose(NULL, NULL);
    check_trial(&t, r, report, disturbs || cancels);
    leat_report_free(report);
    close_trial(&t);
}

static uint64_t environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t seed;

static int tell_seed(void **state UNUSED)
{
    print_message("the last was LEAT_SOAK_SEED=%llu\n", (unsigned long long)seed);
    return 0;
}

static void random_rows(void **state UNUSED)
{
    uint64_t runs = 0;
    seed = environment("LEAT_SOAK_SEED", (uint64_t)time(NULL) * 1000003);
    time_t end = time(NULL) + (time_t)environment("LEAT_SOAK_SECONDS", 1);
    int before = unit_descriptors();
    do {
        run_seed(seed);
        runs++;
    } while (time(NULL) < end && seed++);
    print_message("%llu random rows\n", (unsigned long long)runs);
    assert_int_equal(unit_descriptors(), before);
}

/* ---- many at a time ---- */

#define MANY 30

static void rows_share_an_engine(void **state UNUSED)
{
    struct leat_engine_options options = {.size = sizeof(options), .threads = 2, .engine = engine_wanted()->name};
    struct dice dice = {(uint64_t)time(NULL)};
    static struct trial t[MANY];
    leat_engine *engine;
    assert_int_equal(leat_engine_new(&engine, &options, NULL), 0);
    for (size_t i = 0; i < MANY; i++) {
        open_trial(&t[i], &dice, engine);
        assert_int_equal(leat_pipeline_start(t[i].pipeline), 0);
        if (i % 5 == 4)
            leat_pipeline_cancel(t[i].pipeline);
    }
    for (size_t i = 0; i < MANY; i++) {
        leat_report *report;
        int r = leat_pipeline_wait(t[i].pipeline, -1, &report);
        check_trial(&t[i], r, report, i % 5 == 4);
        leat_report_free(report);
        close_trial(&t[i]);
    }
    leat_engine_free(engine);
}

static int begin(void **state)
{
    pipes_end = unit_pipes_end();
    if (!pipes_end)
        print_message("this system does not have pipes with an end: no row begins at a pipe\n");
    return begin_legs(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_rows, tell_seed),
        cmocka_unit_test(rows_share_an_engine),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, begin, unit_folder_gone);
}
