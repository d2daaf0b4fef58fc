/* SPDX-License-Identifier: MIT */
/* Hops in corners: a sparse source that shrinks, an offset in a pipe, the least memory, sinks that may drop. */
#include "unit/flow/scene.h"

#include "unit/flow/pipelines.h"

/* ---- a source with holes shrinks ---- */

static bool cut_at_first_move(void *user, struct op *op, ssize_t *ret_result)
{
    bool *cut = user;
    (void)ret_result;
    if ((op->kind == OP_READ || op->kind == OP_SPLICE || op->kind == OP_COPY_RANGE) && !*cut) {
        *cut = true;
        assert_int_equal(truncate("source", 2 << 16), 0);
    }
    return true;
}

/* Behind the end there is no data, which is not the same as a hole. */
static void shrink_by(const char *route)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .route = route};
    static char data[1 << 16];
    bool cut = false;
    memset(data, 'x', sizeof(data));
    put_file("source", data, sizeof(data));
    int fd = open("source", O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, data, sizeof(data), 16 << 16), (ssize_t)sizeof(data));
    close(fd);
    leat_pipeline *p = pipeline_of(&options, spec("source", LEAT_READ), spec("shrunk", LEAT_WRITE));
    op_interpose(cut_at_first_move, &cut);
    int r = run_and_free(p);
    op_interpose(NULL, NULL);
    assert_true(cut);
    assert_int_equal(r, -ESTALE);
    assert_int_equal(access("shrunk", F_OK), -1);
}

static void a_sparse_source_shrinks(void **state UNUSED)
{
    static const char *const routes[] = {"chunk", "prefer:splice", "prefer:offload"};
    for (size_t i = 0; i < 3; i++)
        if (has_route(routes[i]))
            shrink_by(routes[i]);
}

/* ---- an offset in a pipe ---- */

static void the_sums_of_a_sink_that_never_opened(void **state UNUSED)
{
    static char bytes[20000], to[sizeof(bytes)];
    struct leat_pipeline_options options = {.size = sizeof(options), .offset = 7000};
    int fd[2];
    size_t n = 0;
    struct stage s = {0};
    unit_needs(unit_pipes_end(), "pipes with an end");
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
    close(fd[1]);
    leat_endpoint *source;
    assert_int_equal(leat_endpoint_from_fd(&source, fd[0], LEAT_TAKE), 0);
    assert_int_equal(mkdir("gone", 0700), 0);
    leat_pipeline *p = pipeline_of(&options, source, spec("gone/file", LEAT_WRITE));
    assert_int_equal(leat_pipeline_sink(p, to_bytes(to, sizeof(to), &n), NULL, NULL), 0);
    assert_int_equal(rmdir("gone"), 0);
    assert_int_equal(leat_pipeline_run(p, &s.report), -ENOENT);
    assert_int_equal(n, sizeof(bytes) - 7000);
    check_balance(&s);
    leat_report_free(s.report);
    leat_pipeline_free(p);
}

/* ---- the least memory ---- */

#define MANY 7

static bool no_splice_to_files(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    struct stat st;
    if (op->kind != OP_SPLICE || fstat(op->fd[1], &st) < 0 || !S_ISREG(st.st_mode))
        return true;
    *ret_result = -EINVAL;
    return false;
}

/* Runs it, but not for ever. */
static int run_for_a_while(leat_pipeline *p, leat_report **ret)
{
    assert_int_equal(leat_pipeline_start(p), 0);
    int r = leat_pipeline_wait(p, 20000, ret);
    if (r == -ETIMEDOUT) {
        leat_pipeline_cancel(p);
        leat_pipeline_wait(p, -1, ret);
    }
    return r;
}

/* No sink takes a splice, so each has a pipe of its own that is to be emptied, and they have most of the memory. */
static void residues_in_the_least_memory(void **state UNUSED)
{
    if (!has_route("splice"))
        return; /* who leaves them */
    struct leat_pipeline_options options = {
        .size = sizeof(options), .memory_limit = (MANY + 1) * PAGE, .route = "prefer:splice"};
    uint8_t *content = make_content(100000);
    put_file("source", content, 100000);
    leat_pipeline *p = pipeline_of(&options, spec("source", LEAT_READ), NULL);
    char name[MANY][16];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name[i], sizeof(name[i]), "many%zu", i);
        assert_int_equal(leat_pipeline_sink(p, spec(name[i], LEAT_WRITE), NULL, NULL), 0);
    }
    op_interpose(no_splice_to_files, NULL);
    int r = run_for_a_while(p, NULL);
    op_interpose(NULL, NULL);
    leat_pipeline_free(p);
    assert_int_equal(r, 0);
    for (size_t i = 0; i < MANY; i++) {
        size_t n;
        uint8_t *bytes = get_file(name[i], &n);
        assert_int_equal(n, 100000);
        assert_memory_equal(bytes, content, n);
        free(bytes);
    }
    free(content);
}

/* ---- the most memory ---- */

static const uint64_t huge[] = {UINT64_MAX, UINT64_C(1000) << 40, UINT64_C(1) << 62, SIZE_MAX};

/* A limit is no amount that is there, or is asked for: whatever it says, the bytes arrive. */
static void a_limit_beyond_all_memory(void **state UNUSED)
{
    static const char *const routes[] = {"auto", "prefer:splice", "prefer:offload", "prefer:direct", "chunk"};
    uint8_t *content = make_content(300000);
    put_file("source", content, 300000);
    for (size_t i = 0; i < COUNT(huge); i++)
        for (size_t k = 0; k < COUNT(routes) && has_route(routes[k]); k++) {
            struct leat_pipeline_options options = {
                .size = sizeof(options), .memory_limit = huge[i], .route = routes[k]};
            leat_pipeline *p = pipeline_of(&options, spec("source", LEAT_READ), spec("copied", LEAT_WRITE));
            int r = run_for_a_while(p, NULL);
            leat_pipeline_free(p);
            assert_int_equal(r, 0);
            size_t n;
            uint8_t *bytes = get_file("copied", &n);
            assert_int_equal(n, 300000);
            assert_memory_equal(bytes, content, n);
            free(bytes);
        }
    free(content);
}

static int cannot_start(struct hop *hop)
{
    hop_set_reason(hop, "out of memory");
    return -ENOMEM;
}

static int starts(struct hop *hop)
{
    hop->state = malloc(1);
    return hop->state ? 0 : -ENOMEM;
}

static unsigned ends_told;

static enum verdict ends_at_once(struct hop *hop UNUSED, struct op **ret_op UNUSED, struct wait_set *ret_wait UNUSED)
{
    assert_true(++ends_told < 10);
    return VERDICT_END;
}

static const char *always_fit(const struct hop *hop UNUSED, char reason[REASON_MAX] UNUSED)
{
    return NULL;
}

/* The routes end, and reading, which is to confirm it, can't begin: that is a failure, and no reason to begin anew. */
static void the_end_can_not_be_confirmed(void **state UNUSED)
{
    static const struct route ends = {"ends", ROUTE_SPLICE, .unfit = always_fit, .start = starts, .next = ends_at_once},
                              chunk = {"chunk", ROUTE_CHUNK, .unfit = always_fit, .start = cannot_start},
                              behind = {"behind", ROUTE_DIRECT, .unfit = always_fit, .start = starts,
                                        .next = ends_at_once};
    for (int strict = 0; strict < 2; strict++) {
        struct node in = {.kind = NODE_FILE, .name = "in"}, out = {.kind = NODE_FILE, .name = "out"};
        struct branch branch = {.node = &out};
        struct hop hop = {.in = &in,
                          .branch = &branch,
                          .branches = 1,
                          .end = UINT64_MAX,
                          .rung = {{.route = &ends}, {.route = &chunk}, {.route = &behind}},
                          .rungs = 3,
                          .strict = strict,
                          .error = {.size = sizeof(hop.error)}};
        struct op *op;
        struct wait_set wait = {.n = 0};
        ends_told = 0;
        assert_int_equal(hop_next(&hop, &op, &wait), VERDICT_END);
        assert_int_equal(hop.error.code, -ENOMEM);
        assert_null(hop.state);
        hop_stop(&hop);
    }
}

/* ---- sinks that may drop ---- */

#define BYTES (64 * (size_t)PAGE)

static char letters[BYTES];

/* A sink that stops after so many calls, until it is told to go on; and whom it tells when it has so many bytes. */
struct stopper {
    leat_endpoint *endpoint;
    unsigned calls, stops_after;
    bool stopped, go;
    size_t n, tells_at;
    struct stopper *tells[4];
};

static void tell(struct stopper *s)
{
    for (size_t i = 0; i < COUNT(s->tells) && s->tells[i]; i++) {
        s->tells[i]->go = true;
        leat_endpoint_notify(s->tells[i]->endpoint);
    }
}

static int stopper_write(void *user, const void *bytes UNUSED, size_t n, size_t *ret_n)
{
    struct stopper *s = user;
    if (!s->go && s->calls >= s->stops_after) {
        if (!s->stopped && !s->tells_at)
            tell(s);
        s->stopped = true;
        return -EAGAIN;
    }
    s->calls++;
    s->n += n;
    if (s->tells_at && s->n >= s->tells_at)
        tell(s);
    *ret_n = n;
    return 0;
}

static leat_endpoint *stopper(struct stopper *s)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .write = stopper_write};
    assert_int_equal(leat_endpoint_from_callbacks(&s->endpoint, &callbacks, s, NULL), 0);
    return s->endpoint;
}

static const struct leat_sink_options drops = {.size = sizeof(drops), .slow = LEAT_SLOW_DROP};

/* What stands still is the sink that all wait for: the other one is ahead of it, and misses nothing. */
static void only_who_lags_behind_drops(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 4 * PAGE};
    struct stopper waits = {0}, ahead = {.stops_after = 2};
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, BYTES), stopper(&waits));
    assert_int_equal(leat_pipeline_sink(p, stopper(&ahead), &drops, NULL), 0);
    ahead.tells[0] = &waits;
    waits.tells[0] = &ahead;
    waits.tells_at = 4 * PAGE;
    assert_int_equal(run_for_a_while(p, NULL), 0);
    leat_pipeline_free(p);
    assert_int_equal(waits.n, BYTES);
    assert_int_equal(ahead.n, BYTES);
}

/* It stops and is ready again before the memory is full, while the other one never gives the engine reason to wait. */
static void who_is_ready_again_drops_nothing(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 4 * PAGE};
    struct stopper all = {.go = true, .tells_at = 3 * PAGE}, again = {.stops_after = 1};
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, BYTES), stopper(&all));
    assert_int_equal(leat_pipeline_sink(p, stopper(&again), &drops, NULL), 0);
    all.tells[0] = &again;
    assert_int_equal(run_for_a_while(p, NULL), 0);
    leat_pipeline_free(p);
    assert_int_equal(all.n, BYTES);
    assert_int_equal(again.n, BYTES);
}

/* Each has begun another chunk when it stops; the one that does not stop still gets all. */
static void who_may_drop_holds_up_nobody(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 16 * PAGE};
    struct stopper all = {.go = true, .tells_at = BYTES}, some[4] = {{0}};
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, BYTES), stopper(&all));
    for (unsigned i = 0; i < COUNT(some); i++) {
        some[i].stops_after = i;
        all.tells[i] = &some[i];
        assert_int_equal(leat_pipeline_sink(p, stopper(&some[i]), &drops, NULL), 0);
    }
    struct stage s = {0};
    int r = run_for_a_while(p, &s.report);
    check_balance(&s);
    leat_report_free(s.report);
    leat_pipeline_free(p);
    assert_int_equal(r, 0);
    assert_int_equal(all.n, BYTES);
}

static int sip(void *user, void *bytes, size_t n, size_t *ret_n)
{
    size_t *left = user;
    *ret_n = MIN(MIN(n, *left), 100u);
    memset(bytes, 'a', *ret_n);
    *left -= *ret_n;
    return 0;
}

/* Memory that the limit allows is there for it, however many chunks that are. */
static void who_lags_far_behind_drops_nothing_yet(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = UINT64_MAX};
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = sip};
    struct stopper all = {.go = true, .tells_at = 100 * 100}, lags = {0};
    size_t left = 100 * 100;
    leat_endpoint *source;
    assert_int_equal(leat_endpoint_from_callbacks(&source, &callbacks, &left, NULL), 0);
    leat_pipeline *p = pipeline_of(&options, source, stopper(&all));
    assert_int_equal(leat_pipeline_sink(p, stopper(&lags), &drops, NULL), 0);
    all.tells[0] = &lags;
    assert_int_equal(run_for_a_while(p, NULL), 0);
    leat_pipeline_free(p);
    assert_int_equal(all.n, 100 * 100);
    assert_int_equal(lags.n, 100 * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sparse_source_shrinks),
        cmocka_unit_test(the_sums_of_a_sink_that_never_opened),
        cmocka_unit_test(residues_in_the_least_memory),
        cmocka_unit_test(only_who_lags_behind_drops),
        cmocka_unit_test(who_is_ready_again_drops_nothing),
        cmocka_unit_test(who_may_drop_holds_up_nobody),
        cmocka_unit_test(a_limit_beyond_all_memory),
        cmocka_unit_test(the_end_can_not_be_confirmed),
        cmocka_unit_test(who_lags_far_behind_drops_nothing_yet),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
