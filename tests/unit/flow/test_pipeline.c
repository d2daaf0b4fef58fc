/* SPDX-License-Identifier: MIT */
/* engines: uring, uring:all
 * The pipeline as a program sees it: every documented code, who owns what after a failure, starting, waiting and
 * cancelling, and what the report says. */
#include "unit/flow/pipelines.h"
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MD5_ABC      "900150983cd24fb0d6963f7d28e17f72"

static struct leat_error checked(leat_pipeline *p, int code)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_pipeline_check(p, &error);
    if (r != code || error.code != code)
        fail_msg("%d and %d, not %d: %s", r, error.code, code, error.text);
    assert_int_equal(leat_pipeline_check(p, NULL), code); /* as often as you like */
    return error;
}

static bool is_readable(int fd)
{
    struct pollfd set = {.fd = fd, .events = POLLIN};
    return poll(&set, 1, 0) == 1;
}

/* ---- memory ---- */

static void bytes_arrive_whatever_their_number(void **state UNUSED)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 262143, 262144, 262145, 524287, 524288, 524289, 3000000};
    static uint8_t from[3000000], to[3000000];
    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (uint8_t)(i * 31 + (i >> 11));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t size = 77;
        leat_report *report = NULL;
        memset(to, 0, sizeof(to));
        leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizes[i]), to_bytes(to, sizes[i], &size));
        assert_int_equal(leat_pipeline_run(p, &report), 0);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(from, to, sizes[i]);
        assert_true(leat_report_bytes(report) == sizes[i]);
        assert_null(leat_report_error(report));
        assert_null(leat_report_sink_error(report, 0));
        assert_null(leat_report_sink_error(report, 1));
        leat_pipeline_free(p);
        leat_report_free(report); /* it outlives the pipeline */
    }
}

static void memory_that_is_too_small_is_enospc(void **state UNUSED)
{
    char from[10000], to[4097];
    size_t size = 77;
    leat_report *report = NULL;
    memset(from, 'x', sizeof(from));
    leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizeof(from)), to_bytes(to, sizeof(to), &size));
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    assert_int_equal(size, 77);
    const struct leat_error *error = leat_report_error(report);
    assert_non_null(error);
    assert_int_equal(error->code, -ENOSPC);
    assert_int_equal(error->side, LEAT_SIDE_SINK);
    assert_int_equal(error->index, 0);
    assert_string_equal(error->node, "memory");
    assert_string_equal(error->operation, "write");
    assert_true(error->offset == sizeof(to) && error->delivered == sizeof(to));
    assert_true(error->taken == error->delivered + error->held);
    assert_true(leat_report_bytes(report) == sizeof(to));
    assert_int_equal(leat_report_sink_error(report, 0)->code, -ENOSPC);
    leat_pipeline_free(p);
    assert_int_equal(error->code, -ENOSPC);
    leat_report_free(report);
}

static void a_failed_sink_does_not_take_the_others_along(void **state UNUSED)
{
    static char from[100000], good[100000];
    char bad[10];
    size_t good_size = 77, bad_size = 77;
    leat_report *report = NULL;
    memset(from, 'x', sizeof(from));
    leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizeof(from)), to_bytes(bad, sizeof(bad), &bad_size));
    assert_int_equal(leat_pipeline_sink(p, to_bytes(good, sizeof(good), &good_size), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    assert_true(good_size == sizeof(good) && bad_size == 77);
    assert_memory_equal(from, good, sizeof(good));
    assert_int_equal(leat_report_sink_error(report, 0)->code, -ENOSPC);
    assert_null(leat_report_sink_error(report, 1));
    assert_true(leat_report_bytes(report) == sizeof(good));
    leat_pipeline_free(p);
    leat_report_free(report);
}

static void a_part_of_the_source(void **state UNUSED)
{
    static const struct {
        uint64_t offset, length;
        int has_length;
        const char *expected;
    } parts[] = {
        {0, 0, 1, ""},    {0, 3, 1, "012"}, {4, 0, 0, "456789"}, {4, 2, 1, "45"},
        {9, 100, 1, "9"}, {10, 0, 0, ""},   {4, 5, 0, "456789"}, {0, 10, 1, "0123456789"},
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        char to[11] = "";
        size_t size = 0;
        struct leat_pipeline_options options = {.size = sizeof(options),
                                                .offset = parts[i].offset,
                                                .length = parts[i].length,
                                                .has_length = parts[i].has_length};
        leat_pipeline *p = pipeline_of(&options, from_bytes("0123456789", 10), to_bytes(to, 10, &size));
        assert_int_equal(run_and_free(p), 0);
        assert_int_equal(size, strlen(parts[i].expected));
        assert_memory_equal(to, parts[i].expected, size);
    }
}

/* ---- parts and who owns them ---- */

static void parts_that_are_missing(void **state UNUSED)
{
    char to[1];
    leat_pipeline *p = pipeline_of(NULL, NULL, NULL);
    assert_non_null(strstr(checked(p, -EINVAL).text, "source"));
    assert_int_equal(run_and_free(p), -EINVAL);
    p = pipeline_of(NULL, from_bytes("", 0), NULL);
    assert_non_null(strstr(checked(p, -EINVAL).text, "neither a sink nor a filter"));
    assert_int_equal(run_and_free(p), -EINVAL);
    p = pipeline_of(NULL, NULL, to_bytes(to, 1, NULL));
    checked(p, -EINVAL);
    leat_pipeline_free(p);
    leat_pipeline_free(NULL);
    leat_report_free(NULL);
}

static void a_second_source_is_taken_and_refused(void **state UNUSED)
{
    struct gate first = {0}, second = {0};
    leat_pipeline *p = pipeline_of(NULL, gate(&first), NULL);
    assert_int_equal(leat_pipeline_source(p, gate(&second)), -EEXIST);
    assert_true(first.frees == 0 && second.frees == 1);
    leat_pipeline_free(p);
    assert_int_equal(first.frees, 1);
}

static void sixty_four_of_each(void **state UNUSED)
{
    struct gate last = {0};
    leat_filter *filter;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("", 0), NULL);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(leat_pipeline_sink(p, spec("null:", LEAT_WRITE), NULL, NULL), 0);
        assert_int_equal(leat_filter_meter(&filter), 0);
        assert_int_equal(leat_pipeline_filter(p, filter), 0);
    }
    assert_int_equal(leat_pipeline_sink(p, gate(&last), NULL, NULL), -E2BIG);
    assert_int_equal(last.frees, 1);
    assert_int_equal(leat_filter_meter(&filter), 0);
    assert_int_equal(leat_pipeline_filter(p, filter), -E2BIG);
    assert_int_equal(run_and_free(p), 0);
}

static void a_pipeline_runs_once(void **state UNUSED)
{
    struct gate late[2] = {{0}};
    leat_filter *filter;
    leat_report *report = NULL;
    char *text = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -EBUSY);
    assert_int_equal(leat_pipeline_start(p), -EBUSY);
    assert_int_equal(leat_pipeline_check(p, NULL), -EBUSY);
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_TEXT, &text), -EBUSY);
    assert_int_equal(leat_pipeline_source(p, gate(&late[0])), -EBUSY);
    assert_int_equal(leat_pipeline_sink(p, gate(&late[1]), NULL, NULL), -EBUSY);
    assert_int_equal(leat_filter_meter(&filter), 0);
    assert_int_equal(leat_pipeline_filter(p, filter), -EBUSY);
    assert_true(late[0].frees == 1 && late[1].frees == 1 && !report && !text);
    assert_int_equal(leat_pipeline_cancel(p), 0); /* too late, and harmless */
    leat_pipeline_free(p);
}

static void a_reference_outlives_the_pipeline(void **state UNUSED)
{
    struct gate source = {.n = 3, .go = true};
    leat_endpoint *e = leat_endpoint_ref(gate(&source));
    leat_filter *digest = leat_filter_ref(digest_of("sha256"));
    char hex[LEAT_DIGEST_HEX_MAX];
    leat_pipeline *p = pipeline_of(NULL, e, NULL);
    assert_int_equal(leat_pipeline_filter(p, digest), 0);
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(source.frees, 0);
    leat_endpoint_close(e);
    assert_int_equal(source.frees, 1);
    assert_int_equal(leat_filter_digest_hex(digest, "sha256", hex, sizeof(hex)), 0);
    leat_filter_free(digest);
}

static void a_pipeline_that_never_runs_leaks_nothing(void **state UNUSED)
{
    leat_filter_free(digest_of("sha256"));
    struct gate source = {0}, sink = {0};
    int descriptors = unit_descriptors(), fd;
    struct leat_pipeline_options options = {.size = sizeof(options), .rate = 1000, .expect = "sha256:" SHA256_ABC};
    leat_pipeline *p = pipeline_of(&options, gate(&source), gate(&sink));
    assert_int_equal(leat_pipeline_check(p, NULL), 0);
    assert_int_equal(leat_pipeline_fd(p, &fd), 0);
    leat_pipeline_free(p);
    assert_true(source.frees == 1 && sink.frees == 1 && source.finishes == 0);
    assert_int_equal(unit_descriptors(), descriptors);
}

/* ---- options ---- */

static void is_bad(struct leat_pipeline_options options, const char *words)
{
    char to[1];
    leat_report *report = NULL;
    leat_pipeline *p;
    options.size = sizeof(options);
    p = pipeline_of(&options, from_bytes("a", 1), to_bytes(to, 1, NULL));
    struct leat_error error = checked(p, -EINVAL);
    if (!strstr(error.text, words))
        fail_msg("'%s' has no '%s'", error.text, words);
    assert_int_equal(leat_pipeline_run(p, &report), -EINVAL);
    assert_string_equal(leat_report_error(report)->text, error.text);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void bad_options_are_einval_with_a_sentence(void **state UNUSED)
{
    is_bad((struct leat_pipeline_options){.route = "fly"}, "'fly'");
    is_bad((struct leat_pipeline_options){.route = ""}, "''");
    is_bad((struct leat_pipeline_options){.route = "prefer:fly"}, "'fly'");
    is_bad((struct leat_pipeline_options){.engine = "steam"}, "'steam'");
    is_bad((struct leat_pipeline_options){.expect = "sha256"}, "sha256:HEX");
    is_bad((struct leat_pipeline_options){.expect = "sha256:"}, "sha256:HEX");
    is_bad((struct leat_pipeline_options){.expect = ":abcd"}, "sha256:HEX");
    is_bad((struct leat_pipeline_options){.expect = "sha256:abc"}, "sha256:HEX");
    is_bad((struct leat_pipeline_options){.expect = "sha256:abcx"}, "'x'");
    is_bad((struct leat_pipeline_options){.expect = "sha256:" SHA256_ABC ",md5"}, "'md5'");
    is_bad((struct leat_pipeline_options){.sparse = 3}, "holes");
    is_bad((struct leat_pipeline_options){.offset = UINT64_MAX}, "larger");
    is_bad((struct leat_pipeline_options){.length = UINT64_MAX, .has_length = 1}, "larger");
}

static void routes_and_engines_by_name(void **state UNUSED)
{
    static const char *const names[] = {"auto", "chunk", "prefer:chunk"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char to[4] = "";
        struct leat_pipeline_options options = {.size = sizeof(options), .route = names[i], .engine = "auto"};
        leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), to_bytes(to, 3, NULL));
        assert_int_equal(run_and_free(p), 0);
        assert_string_equal(to, "abc");
    }
    struct leat_pipeline_options options = {.size = sizeof(options), .engine = "sync"};
    assert_int_equal(run_and_free(pipeline_of(&options, from_bytes("abc", 3), spec("null:", LEAT_WRITE))), 0);
}

/* What the caller's strings become later is nothing to us; nor is what lies behind an older caller's struct. */
static void options_are_copied(void **state UNUSED)
{
    leat_filter_free(digest_of("sha256"));
    char route[] = "chunk", engine[] = "sync", expect[] = "md5:" MD5_ABC;
    struct leat_pipeline_options options = {
        .size = sizeof(options), .route = route, .engine = engine, .expect = expect};
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    memset(route, 'x', sizeof(route) - 1);
    memset(engine, 'x', sizeof(engine) - 1);
    memset(expect, 'x', sizeof(expect) - 1);
    assert_int_equal(run_and_free(p), 0);
    options.size = offsetof(struct leat_pipeline_options, route);
    assert_int_equal(run_and_free(pipeline_of(&options, from_bytes("abc", 3), spec("null:", LEAT_WRITE))), 0);
}

static void a_limit_below_the_minimum_names_it(void **state UNUSED)
{
    char to[4] = "", *end;
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 1};
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), to_bytes(to, 3, NULL));
    struct leat_error error = checked(p, -ENOBUFS);
    const char *of = strstr(error.text, "minimum of ");
    assert_non_null(of);
    options.memory_limit = strtoull(of + strlen("minimum of "), &end, 10);
    assert_true(options.memory_limit > 1 && *end == '\0');
    assert_int_equal(run_and_free(p), -ENOBUFS);
    p = pipeline_of(&options, from_bytes("abc", 3), to_bytes(to, 3, NULL));
    assert_int_equal(run_and_free(p), 0);
    assert_string_equal(to, "abc");
    options.memory_limit--;
    p = pipeline_of(&options, from_bytes("abc", 3), to_bytes(to, 3, NULL));
    checked(p, -ENOBUFS);
    leat_pipeline_free(p);
}

static void an_endless_source_wants_a_length(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .length = 100000, .has_length = 1};
    leat_report *report = NULL;
    leat_pipeline *p = pipeline_of(NULL, spec("zero:", LEAT_READ), spec("null:", LEAT_WRITE));
    assert_int_equal(checked(p, -EINVAL).advice, LEAT_ADVICE_LENGTH);
    leat_pipeline_free(p);
    p = pipeline_of(&options, spec("zero:", LEAT_READ), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_true(leat_report_bytes(report) == 100000);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void a_plan_has_no_side_effect(void **state UNUSED)
{
    char *text = NULL, *line = NULL;
    unit_write("from", "abc", 3);
    leat_pipeline *p = pipeline_of(NULL, spec("from", LEAT_READ), spec("to", LEAT_WRITE));
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_TEXT, &text), 0);
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_JSON, &line), 0);
    json_t *plan = json_loads(line, 0, NULL);
    assert_non_null(plan);
    assert_string_equal(json_string_value(json_object_get(plan, "type")), "plan");
    assert_true(json_integer_value(json_object_get(json_object_get(plan, "memory"), "limit")) == 16 << 20);
    json_decref(plan);
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_non_null(strstr(text, "from"));
    free(text);
    free(line);
    assert_int_equal(unit_entries(), 1);
    assert_int_equal(run_and_free(p), 0);
    unit_holds("to", "abc");
}

static void source_and_sink_may_not_be_one_file(void **state UNUSED)
{
    unit_write("file", "abc", 3);
    leat_pipeline *p = pipeline_of(NULL, spec("file", LEAT_READ), spec("./file", LEAT_WRITE));
    struct leat_error error = checked(p, -EINVAL);
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_string_equal(error.node, "./file");
    assert_int_equal(run_and_free(p), -EINVAL);
    unit_holds("file", "abc");
}

/* ---- digests ---- */

static void expects(const char *expect, int code)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = expect};
    leat_report *report = NULL;
    char *line;
    unit_write("target", "old", 3);
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), spec("target", LEAT_WRITE));
    int r = leat_pipeline_run(p, &report);
    if (r != code)
        fail_msg("%s: %d, not %d", expect, r, code);
    unit_holds("target", code == 0 ? "abc" : "old");
    assert_int_equal(leat_report_json(report, &line), 0);
    json_t *root = json_loads(line, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "status")), code == 0          ? "done"
                                                                            : code == -EBADMSG ? "mismatch"
                                                                                               : "failed");
    json_decref(root);
    free(line);
    leat_report_free(report);
    leat_pipeline_free(p);
    assert_int_equal(unit_entries(), 1);
}

static void expected_digests(void **state UNUSED)
{
    leat_filter_free(digest_of("sha256"));
    expects("sha256:" SHA256_ABC, 0);
    expects("SHA256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", 0);
    expects("sha256:" SHA256_ABC ",md5:" MD5_ABC, 0);
    expects("", -EINVAL);
    expects("sha256:" SHA256_EMPTY, -EBADMSG);
    expects("sha256:" SHA256_ABC ",md5:00000000000000000000000000000000", -EBADMSG);
    expects("sha256:ba78", -EINVAL); /* a beginning is no digest */
    expects("nonsense:ba78", -ENOENT);
}

static void a_filter_that_computes_it_already_is_asked(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = "sha256:" SHA256_ABC};
    leat_report *report = NULL;
    const char *algorithm, *hex;
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), NULL);
    assert_int_equal(leat_pipeline_filter(p, digest_of("md5,sha256")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_digest_at(report, 0, &algorithm, &hex), 0);
    assert_string_equal(algorithm, "md5");
    assert_string_equal(hex, MD5_ABC);
    assert_int_equal(leat_report_digest_at(report, 1, &algorithm, &hex), 0);
    assert_string_equal(hex, SHA256_ABC);
    assert_int_equal(leat_report_digest_at(report, 2, &algorithm, &hex), -ENOENT);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void a_digest_needs_no_sink(void **state UNUSED)
{
    char hex[LEAT_DIGEST_HEX_MAX] = "untouched";
    leat_report *report = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), NULL);
    assert_int_equal(leat_pipeline_filter(p, digest_of("sha256")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_true(leat_report_bytes(report) == 3);
    assert_int_equal(leat_report_digest(report, "md5", hex, sizeof(hex)), -ENODATA);
    assert_int_equal(leat_report_digest(report, "sha256", hex, 64), -ENOSPC);
    assert_string_equal(hex, "untouched");
    assert_int_equal(leat_report_digest(report, "sha256", hex, 65), 0);
    assert_string_equal(hex, SHA256_ABC);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void a_filter_serves_one_pipeline_after_the_other(void **state UNUSED)
{
    char hex[LEAT_DIGEST_HEX_MAX];
    leat_filter *digest = digest_of("sha256");
    for (int i = 0; i < 2; i++) {
        leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
        assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(digest)), 0);
        assert_int_equal(run_and_free(p), 0);
        assert_int_equal(leat_filter_digest_hex(digest, "sha256", hex, sizeof(hex)), 0);
        assert_string_equal(hex, SHA256_ABC);
        assert_int_equal(leat_filter_digest_reset(digest), 0);
    }
    leat_filter_free(digest);
}

static void a_filter_is_busy_while_its_pipeline_runs(void **state UNUSED)
{
    struct gate source = {.n = 3};
    leat_filter *digest = digest_of("sha256");
    leat_pipeline *p = pipeline_of(NULL, gate(&source), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(digest)), 0);
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&source);
    assert_int_equal(leat_filter_digest_reset(digest), -EBUSY);
    let_go(&source);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    assert_int_equal(leat_filter_digest_reset(digest), 0);
    leat_pipeline_free(p);
    leat_filter_free(digest);
}

/* ---- pace ---- */

static void a_rate_paces(void **state UNUSED)
{
    struct leat_pipeline_options options = {
        .size = sizeof(options), .rate = 1000000, .length = 200000, .has_length = 1};
    int64_t begun = clock_ns();
    assert_int_equal(run_and_free(pipeline_of(&options, spec("zero:", LEAT_READ), spec("null:", LEAT_WRITE))), 0);
    double seconds = (double)(clock_ns() - begun) / 1e9;
    if (seconds < 0.15 || seconds > 5)
        fail_msg("200 kB at 1 MB/s took %.3f s", seconds);
}

/* ---- callbacks ---- */

struct pair {
    struct gate *from, *to;
    atomic_bool over;
};

/* Opens and shuts both gates in turn, with a word each time. */
static void *swing(void *user)
{
    struct pair *pair = user;
    for (unsigned i = 0; !atomic_load(&pair->over); i++) {
        struct gate *g = i & 2 ? pair->from : pair->to;
        atomic_store(&g->go, i & 1);
        leat_endpoint_notify(g->endpoint);
        if (i % 16 == 0)
            usleep(100);
    }
    return NULL;
}

static void not_yet_on_both_sides(void **state UNUSED)
{
    struct gate from = {.n = 20000, .at_most = 100}, to = {.at_most = 70};
    struct pair pair = {.from = &from, .to = &to};
    pthread_t thread;
    leat_pipeline *p = pipeline_of(NULL, gate(&from), gate(&to));
    assert_int_equal(pthread_create(&thread, NULL, swing, &pair), 0);
    int r = leat_pipeline_run(p, NULL);
    atomic_store(&pair.over, true);
    pthread_join(thread, NULL);
    assert_int_equal(r, 0);
    assert_true(from.done == 20000 && to.done == 20000 && to.last == 'a');
    assert_true(from.finishes == 1 && from.finish_code == 0 && to.finishes == 1 && to.finish_code == 0);
    leat_pipeline_free(p);
    assert_true(from.frees == 1 && to.frees == 1);
}

static void nobody_is_asked_while_he_is_not_ready(void **state UNUSED)
{
    struct gate from = {.n = 10};
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    usleep(30000);
    assert_true(atomic_load(&from.asked) <= 2);
    let_go(&from);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    leat_pipeline_free(p);
}

static void errors_of_callbacks_are_the_pipeline_s(void **state UNUSED)
{
    for (int which = 0; which < 3; which++) {
        struct gate from = {.n = 10, .go = true}, to = {.go = true};
        leat_report *report = NULL;
        from.result = which == 0 ? -EDOM : 0;
        to.result = which == 1 ? -EDOM : 0;
        to.finish_result = which == 2 ? -EDOM : 0;
        leat_pipeline *p = pipeline_of(NULL, gate(&from), gate(&to));
        assert_int_equal(leat_pipeline_run(p, &report), -EDOM);
        assert_int_equal(leat_report_error(report)->side, which == 0 ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK);
        assert_true(from.finishes == 1 && from.finish_code < 0);
        assert_true(to.finishes == 1 && to.finish_code == (which == 2 ? 0 : -EDOM));
        leat_report_free(report);
        leat_pipeline_free(p);
        assert_true(from.frees == 1 && to.frees == 1);
    }
}

/* ---- starting, waiting, cancelling ---- */

static void waiting_has_a_bound(void **state UNUSED)
{
    struct gate from = {.n = 10};
    leat_report *report = NULL;
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("null:", LEAT_WRITE));
    assert_true(leat_pipeline_wait(p, 0, &report) < 0); /* nothing was started */
    assert_int_equal(leat_pipeline_start(p), 0);
    assert_int_equal(leat_pipeline_start(p), -EBUSY);
    assert_int_equal(leat_pipeline_run(p, &report), -EBUSY);
    assert_int_equal(leat_pipeline_wait(p, 0, &report), -EAGAIN);
    int64_t begun = clock_ns();
    assert_int_equal(leat_pipeline_wait(p, 30, &report), -ETIMEDOUT);
    assert_true(clock_ns() - begun >= 29000000); /* some clocks count milliseconds */
    assert_null(report);
    let_go(&from);
    assert_int_equal(leat_pipeline_wait(p, 10000, &report), 0);
    assert_true(leat_report_bytes(report) == 10);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void the_descriptor_is_readable_exactly_at_the_end(void **state UNUSED)
{
    struct gate from = {.n = 10};
    int fd = -1, again = -1;
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_fd(p, &fd), 0);
    assert_int_equal(leat_pipeline_fd(p, &again), 0);
    assert_int_equal(fd, again);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC || !unit_closes_on_exec());
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    assert_false(is_readable(fd));
    let_go(&from);
    struct pollfd set = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&set, 1, 10000), 1);
    assert_int_equal(leat_pipeline_wait(p, 0, NULL), 0);
    assert_true(is_readable(fd));
    leat_pipeline_free(p);

    p = pipeline_of(NULL, from_bytes("", 0), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_fd(p, &fd), 0);
    assert_false(is_readable(fd));
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_true(is_readable(fd));
    leat_pipeline_free(p);
}

static void a_cancel_ends_it_and_publishes_nothing(void **state UNUSED)
{
    struct gate from = {.n = 10};
    leat_report *report = NULL;
    char *line;
    unit_write("target", "old", 3);
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("target", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    assert_int_equal(leat_pipeline_cancel(p), 0);
    assert_int_equal(leat_pipeline_cancel(p), 0);
    assert_int_equal(leat_pipeline_wait(p, 10000, &report), -ECANCELED);
    assert_true(from.finishes == 1 && from.finish_code == -ECANCELED);
    assert_int_equal(leat_report_error(report)->code, -ECANCELED);
    assert_int_equal(leat_report_error(report)->side, LEAT_SIDE_NONE);
    assert_int_equal(leat_report_json(report, &line), 0);
    assert_non_null(strstr(line, "\"status\":\"cancelled\""));
    free(line);
    leat_report_free(report);
    leat_pipeline_free(p);
    unit_holds("target", "old");
    assert_int_equal(unit_entries(), 1);
}

static void *cancel_later(void *user)
{
    usleep(20000);
    leat_pipeline_cancel(user);
    return NULL;
}

static void another_thread_cancels(void **state UNUSED)
{
    struct gate from = {.n = 10};
    pthread_t thread;
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, p), 0);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), -ECANCELED);
    pthread_join(thread, NULL);
    leat_pipeline_free(p);
}

/* A slow rate, a pipe that nobody writes to, a FIFO that nobody reads: each wait ends. */
static void every_wait_can_be_cancelled(void **state UNUSED)
{
    int threads = unit_threads(), descriptors = unit_descriptors(), pipes[2];
    struct leat_pipeline_options slow = {.size = sizeof(slow), .rate = 10, .length = 100000, .has_length = 1};
    unit_fifo("fifo");
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < 4; i++) {
        leat_endpoint *from_pipe;
        assert_int_equal(leat_endpoint_from_fd(&from_pipe, pipes[0], LEAT_BORROW), 0);
        leat_endpoint *from = i == 0   ? spec("zero:", LEAT_READ)
                              : i == 1 ? leat_endpoint_ref(from_pipe)
                              : i == 2 ? from_bytes("abc", 3)
                                       : spec("fifo", LEAT_READ);
        leat_endpoint_close(from_pipe);
        leat_pipeline *p = pipeline_of(i == 0 ? &slow : NULL, from, spec(i == 2 ? "fifo" : "null:", LEAT_WRITE));
        assert_int_equal(leat_pipeline_start(p), 0);
        assert_int_equal(leat_pipeline_wait(p, 10, NULL), -ETIMEDOUT);
        leat_pipeline_cancel(p);
        assert_int_equal(leat_pipeline_wait(p, 5000, NULL), -ECANCELED);
        leat_pipeline_free(p);
    }
    close(pipes[0]);
    close(pipes[1]);
    for (int i = 0; i < 1000 && unit_threads() != threads; i++)
        usleep(1000);
    assert_int_equal(unit_threads(), threads);
    assert_int_equal(unit_descriptors(), descriptors);
}

static void a_cancel_before_the_run_counts(void **state UNUSED)
{
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("target", LEAT_WRITE));
    assert_int_equal(leat_pipeline_cancel(p), 0);
    assert_int_equal(run_and_free(p), -ECANCELED);
    assert_int_equal(unit_entries(), 0);
}

static void what_runs_may_be_freed(void **state UNUSED)
{
    struct gate from = {.n = 10};
    int descriptors = unit_descriptors();
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("target", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    leat_pipeline_free(p);
    assert_true(from.finishes == 1 && from.finish_code == -ECANCELED && from.frees == 1);
    p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    leat_pipeline_free(p); /* most likely at its end, and nobody took the report */
    assert_int_equal(unit_entries(), 0);
    assert_int_equal(unit_descriptors(), descriptors);
}

/* ---- progress ---- */

struct watcher {
    leat_pipeline *pipeline;
    atomic_bool over, wrong;
};

static void *watch(void *user)
{
    struct watcher *w = user;
    uint64_t last = 0;
    while (!atomic_load(&w->over)) {
        struct leat_progress now = LEAT_INIT(struct leat_progress);
        leat_pipeline_progress(w->pipeline, &now);
        if (now.bytes < last || now.seconds < 0 || (now.has_total && now.bytes > now.total))
            atomic_store(&w->wrong, true);
        last = now.bytes;
        usleep(500);
    }
    return NULL;
}

static void another_thread_sees_the_progress(void **state UNUSED)
{
    struct gate from = {.n = 30000, .at_most = 10};
    struct watcher w = {0};
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    pthread_t thread;
    w.pipeline = pipeline_of(NULL, gate(&from), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_progress(w.pipeline, &now), 0);
    assert_true(now.bytes == 0 && !now.has_total);
    assert_int_equal(leat_pipeline_start(w.pipeline), 0);
    assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
    let_go(&from);
    assert_int_equal(leat_pipeline_wait(w.pipeline, -1, NULL), 0);
    atomic_store(&w.over, true);
    pthread_join(thread, NULL);
    assert_false(w.wrong);
    assert_int_equal(leat_pipeline_progress(w.pipeline, &now), 0);
    assert_true(now.bytes == 30000);
    leat_pipeline_free(w.pipeline);
}

static void the_total_is_known_where_it_can_be(void **state UNUSED)
{
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_int_equal(leat_pipeline_progress(p, &now), 0);
    assert_true(now.has_total && now.total == 3 && now.bytes == 3);
    struct leat_progress old = {.size = offsetof(struct leat_progress, has_total), .has_total = 42};
    assert_int_equal(leat_pipeline_progress(p, &old), 0);
    assert_true(old.bytes == 3 && old.has_total == 42);
    leat_pipeline_free(p);
}

/* ---- the report ---- */

static json_int_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void the_report_as_json(void **state UNUSED)
{
    char to[4];
    leat_report *report = NULL;
    char *line = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abcdef", 6), to_bytes(to, 4, NULL));
    assert_int_equal(leat_pipeline_sink(p, spec("out", LEAT_WRITE), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_filter(p, digest_of("md5")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    assert_int_equal(leat_report_json(report, &line), 0);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    json_t *root = json_loads(line, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "type")), "report");
    assert_string_equal(json_string_value(json_object_get(root, "status")), "failed");
    assert_true(json_is_number(json_object_get(root, "seconds")));
    assert_true(json_is_number(json_object_get(root, "cpu_seconds")));
    const json_t *sinks = json_object_get(root, "sinks"), *hops = json_object_get(root, "hops");
    assert_int_equal(json_array_size(sinks), 2);
    assert_int_equal(json_array_size(hops), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(sinks, 1), "spec")), "out");
    assert_int_equal(number(json_array_get(sinks, 0), "bytes"), 4);
    assert_int_equal(number(json_array_get(sinks, 1), "bytes"), 6);
    for (size_t i = 0; i < 2; i++) {
        const json_t *hop = json_array_get(hops, i), *route;
        json_int_t by_route = 0;
        size_t k;
        assert_int_equal(number(hop, "taken"),
                         number(hop, "delivered") + number(hop, "held") + number(hop, "discarded"));
        json_array_foreach(json_object_get(hop, "routes"), k, route) by_route += number(route, "bytes");
        assert_int_equal(by_route, number(hop, "delivered"));
    }
    const json_t *error = json_object_get(root, "error");
    assert_string_equal(json_string_value(json_object_get(error, "name")), "ENOSPC");
    assert_string_equal(json_string_value(json_object_get(error, "operation")), "write");
    assert_int_equal(number(error, "offset"), 4);
    json_decref(root);
    free(line);
    leat_report_free(report);
    leat_pipeline_free(p);
    unit_holds("out", "abcdef");
}

static void odd_names_are_json_all_the_same(void **state UNUSED)
{
    leat_report *report = NULL;
    char *line = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("quote\"\\\n", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_json(report, &line), 0);
    json_t *root = json_loads(line, 0, NULL);
    assert_non_null(root);
    json_decref(root);
    free(line);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void the_report_for_people(void **state UNUSED)
{
    leat_report *report = NULL;
    char *text = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("out", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(p, digest_of("sha256")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_text(report, &text), 0);
    assert_non_null(strstr(text, "memory -> out"));
    assert_non_null(strstr(text, "done: 3 bytes"));
    assert_non_null(strstr(text, SHA256_ABC));
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* ---- the world outside ---- */

static void a_reader_that_leaves_raises_no_signal(void **state UNUSED)
{
    static char from[200000];
    int pipes[2];
    leat_endpoint *to;
    unit_needs(unit_pipes_end(), "pipes with an end");
    assert_int_equal(pipe(pipes), 0);
    close(pipes[0]);
    assert_int_equal(leat_endpoint_from_fd(&to, pipes[1], LEAT_TAKE), 0);
    assert_int_equal(run_and_free(pipeline_of(NULL, from_bytes(from, sizeof(from)), to)), -EPIPE);
    assert_int_equal(fcntl(pipes[1], F_GETFD), -1);
}

static void what_does_not_open_leaves_nothing(void **state UNUSED)
{
    int descriptors = unit_descriptors();
    leat_report *report = NULL;
    unit_write("from", "abc", 3);
    leat_pipeline *p = pipeline_of(NULL, spec("from", LEAT_READ), spec("to", LEAT_WRITE));
    unlink("from");
    assert_int_equal(leat_pipeline_run(p, &report), -ENOENT);
    assert_string_equal(leat_report_error(report)->node, "from");
    assert_string_equal(leat_report_error(report)->operation, "open");
    leat_pipeline_free(p);
    assert_string_equal(leat_report_error(report)->node, "from");
    leat_report_free(report);
    assert_int_equal(unit_entries(), 0);
    assert_int_equal(unit_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_whatever_their_number),
        cmocka_unit_test(memory_that_is_too_small_is_enospc),
        cmocka_unit_test(a_failed_sink_does_not_take_the_others_along),
        cmocka_unit_test(a_part_of_the_source),
        cmocka_unit_test(parts_that_are_missing),
        cmocka_unit_test(a_second_source_is_taken_and_refused),
        cmocka_unit_test(sixty_four_of_each),
        cmocka_unit_test(a_pipeline_runs_once),
        cmocka_unit_test(a_reference_outlives_the_pipeline),
        cmocka_unit_test(a_pipeline_that_never_runs_leaks_nothing),
        cmocka_unit_test(bad_options_are_einval_with_a_sentence),
        cmocka_unit_test(routes_and_engines_by_name),
        cmocka_unit_test(options_are_copied),
        cmocka_unit_test(a_limit_below_the_minimum_names_it),
        cmocka_unit_test(an_endless_source_wants_a_length),
        cmocka_unit_test_teardown(a_plan_has_no_side_effect, unit_empty),
        cmocka_unit_test_teardown(source_and_sink_may_not_be_one_file, unit_empty),
        cmocka_unit_test_teardown(expected_digests, unit_empty),
        cmocka_unit_test(a_filter_that_computes_it_already_is_asked),
        cmocka_unit_test(a_digest_needs_no_sink),
        cmocka_unit_test(a_filter_serves_one_pipeline_after_the_other),
        cmocka_unit_test(a_filter_is_busy_while_its_pipeline_runs),
        cmocka_unit_test(a_rate_paces),
        cmocka_unit_test(not_yet_on_both_sides),
        cmocka_unit_test(nobody_is_asked_while_he_is_not_ready),
        cmocka_unit_test(errors_of_callbacks_are_the_pipeline_s),
        cmocka_unit_test(waiting_has_a_bound),
        cmocka_unit_test(the_descriptor_is_readable_exactly_at_the_end),
        cmocka_unit_test_teardown(a_cancel_ends_it_and_publishes_nothing, unit_empty),
        cmocka_unit_test(another_thread_cancels),
        cmocka_unit_test_teardown(every_wait_can_be_cancelled, unit_empty),
        cmocka_unit_test_teardown(a_cancel_before_the_run_counts, unit_empty),
        cmocka_unit_test_teardown(what_runs_may_be_freed, unit_empty),
        cmocka_unit_test(another_thread_sees_the_progress),
        cmocka_unit_test(the_total_is_known_where_it_can_be),
        cmocka_unit_test_teardown(the_report_as_json, unit_empty),
        cmocka_unit_test_teardown(odd_names_are_json_all_the_same, unit_empty),
        cmocka_unit_test_teardown(the_report_for_people, unit_empty),
        cmocka_unit_test(a_reader_that_leaves_raises_no_signal),
        cmocka_unit_test_teardown(what_does_not_open_leaves_nothing, unit_empty),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
