/* SPDX-License-Identifier: MIT */
/* emscripten: its pipes have no end
 * timeout: 300
 * engines: uring, uring:all
 * Random copies: any source, any sinks, any route and memory, faults that come again and again, and a cancel at a
 * random moment from another thread. LEAT_SOAK_SECONDS is how long (1), LEAT_SOAK_SEED where to begin; a failure prints
 * its seed, and that seed alone repeats it (but for the moment of the cancel). */
#include "learning.h"
#include "scene.h"
#include <time.h>

struct dice {
    uint64_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice->state >> 33) % sides;
}

struct chaos {
    struct dice dice;
    unsigned one_in; /* 0: no faults */
};

/* Mostly what is not the end of it: short counts, EAGAIN, refusals; seldom a real error. */
static bool disturb(void *user, struct op *op, ssize_t *ret_result)
{
    static const int refusals[] = {EINVAL, ENOSYS, EPERM, EXDEV};
    struct chaos *chaos = user;
    bool moves = op->kind <= OP_SENDFILE;
    if (!chaos->one_in || roll(&chaos->dice, chaos->one_in) != 0)
        return true;
    switch (roll(&chaos->dice, 8)) {
    case 0:
        *ret_result = op->kind == OP_READ || op->kind == OP_WRITE ? -EIO : -refusals[roll(&chaos->dice, 4)];
        return false;
    case 1:
        *ret_result = op->kind == OP_READ ? -EIO : -ENOSPC;
        return op->kind == OP_TEE || !moves;
    case 2:
    case 3:
        *ret_result = -EAGAIN;
        return !moves || op->kind == OP_COPY_RANGE || op->kind == OP_SENDFILE;
    default:
        if (moves && op->length > 1)
            op->length = 1 + roll(&chaos->dice, (unsigned)op->length);
        return true;
    }
}

static void *cancel_later(void *user)
{
    struct stage *s = user;
    nanosleep(&(struct timespec){0, 1000 * (long)(1 + (uintptr_t)s->n % 700)}, NULL);
    leat_pipeline_cancel(s->pipeline);
    return NULL;
}

static void check_end(const struct stage *s)
{
    const struct leat_error *error = leat_report_error(s->report);
    check_balance(s);
    check_sinks(s);
    if (s->result < 0)
        assert_true(error && error->text[0]);
    else if (s->digest) {
        char hex[LEAT_DIGEST_HEX_MAX];
        assert_int_equal(leat_report_digest(s->report, s->digest, hex, sizeof(hex)), 0);
        assert_string_equal(hex, hex_of_content(s->content, s->n, s->digest));
    }
}

static void run_seed(uint64_t seed)
{
    static const char *const routes[] = {"auto",         "prefer:splice", "prefer:offload",
                                         "prefer:clone", "prefer:direct", "chunk"};
    static const enum kind sources[] = {KIND_FILE, KIND_PIPE,   KIND_SMALL_PIPE, KIND_MEMORY,
                                        KIND_TCP,  KIND_SOCKET, KIND_UNIX};
    static const enum kind sinks[] = {KIND_OLD_FILE, KIND_PIPE, KIND_SMALL_PIPE, KIND_FILE,
                                      KIND_NULL,     KIND_TCP,  KIND_SOCKET,     KIND_UNIX};
    static const char *const digests[] = {NULL, NULL, "sha256", "crc32c"};
    struct chaos chaos = {.dice = {seed}};
    struct dice *dice = &chaos.dice;
    for (int i = 0; i < 4; i++)
        roll(dice, 2);
    struct scene scene = {.name = "random", .from = sources[roll(dice, 7)], .digest = digests[roll(dice, 4)]};
    size_t count = 1 + roll(dice, SCENE_SINKS);
    for (size_t i = 0; i < count; i++)
        scene.to[i] = sinks[roll(dice, 8)];
    const char *route = routes[roll(dice, 6)];
    struct leat_pipeline_options options = {
        .size = sizeof(options), .route = has_route(route) ? route : "auto", .memory_limit = 65536u << roll(dice, 6)};
    size_t n = roll(dice, 3) ? roll(dice, 300000) : roll(dice, 6000000);
    bool cancels = roll(dice, 4) == 0;
    learn_always(roll(dice, 2) == 0);
    chaos.one_in = roll(dice, 2) ? 0 : 3 + roll(dice, 60);
    struct stage s;
    pthread_t thread;
    stage_open(&s, &scene, n, &options);
    op_interpose(disturb, &chaos);
    if (cancels)
        pthread_create(&thread, NULL, cancel_later, &s);
    s.result = leat_pipeline_run(s.pipeline, &s.report);
    if (cancels)
        pthread_join(thread, NULL);
    op_interpose(NULL, NULL);
    stage_end(&s);
    check_end(&s);
    stage_close(&s);
}

static uint64_t environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t seed;

static int tell_seed(void **state)
{
    (void)state;
    print_message("the last was LEAT_SOAK_SEED=%llu\n", (unsigned long long)seed);
    return 0;
}

static void random_copies(void **state)
{
    (void)state;
    uint64_t runs = 0;
    seed = environment("LEAT_SOAK_SEED", (uint64_t)time(NULL) * 1000003);
    time_t end = time(NULL) + (time_t)environment("LEAT_SOAK_SECONDS", 1);
    int before = open_descriptors();
    do {
        run_seed(seed);
        runs++;
    } while (time(NULL) < end && seed++);
    print_message("%llu random copies\n", (unsigned long long)runs);
    check_no_leftovers();
    assert_int_equal(open_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(random_copies, tell_seed)};
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
