/* SPDX-License-Identifier: MIT */
/* Every number that a pipeline takes, at its extremes; the calls of a pipeline in every order; and what a report
 * answers past its end. */
#include "route/table.h"
#include "unit/flow/pipelines.h"
#include <limits.h>
#include <poll.h>
#include <pthread.h>

/* ---- options ---- */

/* 0: the pipeline runs and the bytes arrive; -EINVAL: it is refused, and the sentence has that word. */
static void expect(struct leat_pipeline_options options, const char *word)
{
    char to[4] = "";
    struct leat_error error = LEAT_INIT(struct leat_error);
    options.size = sizeof(options);
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), to_bytes(to, 3, NULL));
    int r = leat_pipeline_check(p, &error);
    if (r != (word ? -EINVAL : 0) || (word && !strstr(error.text, word)))
        fail_msg("%d: '%s', not '%s'", r, error.text, word ? word : "");
    assert_int_equal(leat_pipeline_run(p, NULL), r);
    assert_string_equal(to, word ? "" : "abc");
    leat_pipeline_free(p);
}

static void options_at_their_extremes(void **state UNUSED)
{
    static const uint64_t most[] = {UINT64_MAX, (uint64_t)INT64_MAX + 1, INT64_MAX};
    for (size_t i = 0; i < COUNT(most); i++) {
        expect((struct leat_pipeline_options){.memory_limit = most[i]}, NULL);
        expect((struct leat_pipeline_options){.rate = most[i]}, NULL);
        expect((struct leat_pipeline_options){.length = most[i]}, NULL); /* without has_length */
        expect((struct leat_pipeline_options){.length = most[i], .has_length = 1}, i < 2 ? "length" : NULL);
        if (i < 2) /* what no file reaches is told by the plan, what this one does not reach by the run */
            expect((struct leat_pipeline_options){.offset = most[i]}, "offset");
    }
}

static void enums_have_no_other_values(void **state UNUSED)
{
    static const int32_t wrong[] = {INT32_MIN, -2, 3, INT32_MAX};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        expect((struct leat_pipeline_options){.stability = wrong[i]}, "stability");
        expect((struct leat_pipeline_options){.sparse = wrong[i]}, "sparse");
        expect((struct leat_pipeline_options){.cache = wrong[i]}, "cache");
        expect((struct leat_pipeline_options){.threads = wrong[i]}, "threads");
        expect((struct leat_pipeline_options){.digest_provider = wrong[i]}, "digest_provider");
        expect((struct leat_pipeline_options){.has_length = wrong[i], .length = 3}, NULL);
        struct leat_sink_options options = {.size = sizeof(options), .slow = wrong[i]};
        struct gate sink = {.go = true};
        leat_pipeline *p = pipeline_of(NULL, NULL, NULL);
        struct leat_error error = LEAT_INIT(struct leat_error);
        assert_int_equal(leat_pipeline_sink(p, gate(&sink), &options, &error), -EINVAL);
        assert_non_null(strstr(error.text, "slow must be"));
        assert_int_equal(sink.frees, 1); /* it is taken, on failure too */
        leat_pipeline_free(p);
    }
}

static void an_empty_expectation_is_none(void **state UNUSED)
{
    static const char *const wrong[] = {"", ",", "crc32c:364b3fb7,", ",crc32c:364b3fb7",
                                        "crc32c:364b3fb7,,crc32c:364b3fb7"};
    expect((struct leat_pipeline_options){.expect = "crc32c:364b3fb7"}, NULL);
    for (size_t i = 0; i < COUNT(wrong); i++)
        expect((struct leat_pipeline_options){.expect = wrong[i]}, "is no digest");
    expect((struct leat_pipeline_options){.route = ""}, "route");
    expect((struct leat_pipeline_options){.engine = ""}, "engine");
}

static void limits_in_a_plan_have_no_sign(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = UINT64_MAX};
    char *text = NULL;
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_JSON, &text), 0);
    assert_null(strstr(text, ":-"));
    free(text);
    text = NULL;
    assert_int_equal(leat_pipeline_explain(p, (enum leat_format)77, &text), -EINVAL);
    assert_null(text);
    leat_pipeline_free(p);
}

/* ---- filters are numbered once ---- */

static int refuse(void *user UNUSED)
{
    return -EIO;
}

static int see(void *user UNUSED, const void *bytes UNUSED, size_t n UNUSED)
{
    return 0;
}

static void a_failed_filter_has_the_number_of_its_name(void **state UNUSED)
{
    struct leat_filter_ops ops = {.size = sizeof(ops), .name = "refuses", .start = refuse, .observe = see};
    for (int i = 0; i < 4; i++) {
        struct leat_pipeline_options options = {
            .size = sizeof(options), .rate = i & 1 ? 1000000 : 0, .expect = i & 2 ? "crc32c:364b3fb7" : NULL};
        leat_filter *meter, *custom;
        leat_report *report;
        leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
        assert_int_equal(leat_filter_meter(&meter), 0);
        assert_int_equal(leat_pipeline_filter(p, meter), 0);
        assert_int_equal(leat_filter_custom(&custom, &ops, NULL, NULL), 0);
        assert_int_equal(leat_pipeline_filter(p, custom), 0);
        assert_int_equal(leat_pipeline_run(p, &report), -EIO);
        assert_int_equal(leat_report_error(report)->index, 1);
        assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_FILTER, 0), "meter");
        assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_FILTER, 1), "refuses");
        size_t n = 0;
        while (leat_pipeline_name(p, LEAT_SIDE_FILTER, n))
            n++;
        assert_int_equal(n, 2 + (i & 1) + (i >> 1));
        leat_report_free(report);
        leat_pipeline_free(p);
    }
}

static void names_past_the_last(void **state UNUSED)
{
    leat_pipeline *p = pipeline_of(NULL, NULL, NULL);
    for (int side = -1; side <= 5; side++)
        for (int i = 0; i < 2; i++)
            assert_null(leat_pipeline_name(p, (enum leat_side)side, i ? SIZE_MAX : 0));
    leat_pipeline_free(p);
}

/* With the filters of the options 64 may still be handed in. */
static void options_take_no_filter_s_place(void **state UNUSED)
{
    struct leat_pipeline_options options = {
        .size = sizeof(options), .rate = 1000000000, .expect = "crc32c:364b3fb7,xxh3:78af5f94892f3950"};
    leat_filter *filter;
    char to[3];
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), to_bytes(to, 3, NULL));
    for (int i = 0; i < LEAT_FILTERS_MAX; i++) {
        assert_int_equal(leat_filter_meter(&filter), 0);
        assert_int_equal(leat_pipeline_filter(p, filter), 0);
    }
    assert_int_equal(leat_filter_meter(&filter), 0);
    assert_int_equal(leat_pipeline_filter(p, filter), -E2BIG);
    int r = leat_pipeline_check(p, NULL);
    assert_true(r == 0 || r == -ENOENT); /* a build without libxxhash */
    assert_int_equal(run_and_free(p), r);
}

/* ---- the calls in every order ---- */

static bool is_readable(int fd)
{
    struct pollfd set = {.fd = fd, .events = POLLIN};
    return poll(&set, 1, 0) == 1;
}

static void nothing_has_begun(void **state UNUSED)
{
    struct leat_progress now = {.size = sizeof(now), .bytes = 7, .seconds = 7};
    int fd = -1;
    leat_report *report = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_progress(p, &now), 0);
    assert_true(now.bytes == 0 && now.total == 0 && !now.has_total && now.seconds == 0);
    assert_int_equal(leat_pipeline_wait(p, -1, &report), -EINVAL);
    assert_int_equal(leat_pipeline_wait(p, 0, &report), -EINVAL);
    assert_int_equal(leat_pipeline_wait(p, INT_MIN, NULL), -EINVAL);
    assert_int_equal(leat_pipeline_fd(p, &fd), 0);
    assert_false(is_readable(fd));
    assert_null(report);
    assert_int_equal(leat_pipeline_run(p, &report), 0); /* none of that has harmed it */
    assert_true(is_readable(fd));
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void all_is_over(void **state UNUSED)
{
    leat_report *report = NULL;
    char *text = NULL;
    int fd = -1, again = -1, before;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(p), 0);
    assert_int_equal(leat_pipeline_wait(p, INT_MAX, &report), 0);
    leat_report_free(report);
    report = NULL;
    assert_int_equal(leat_pipeline_wait(p, -1, &report), -EINVAL);
    assert_int_equal(leat_pipeline_start(p), -EBUSY);
    assert_int_equal(leat_pipeline_run(p, &report), -EBUSY);
    assert_int_equal(leat_pipeline_check(p, NULL), -EBUSY);
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_TEXT, &text), -EBUSY);
    assert_int_equal(leat_pipeline_source(p, from_bytes("", 0)), -EBUSY);
    assert_int_equal(leat_pipeline_sink(p, spec("null:", LEAT_WRITE), NULL, NULL), -EBUSY);
    assert_true(!report && !text);
    assert_int_equal(leat_pipeline_fd(p, &fd), 0);
    before = unit_descriptors();
    for (int i = 0; i < 100000; i++) /* more than a pipe holds */
        assert_int_equal(leat_pipeline_fd(p, &again), 0);
    assert_int_equal(again, fd);
    assert_true(is_readable(fd));
    assert_int_equal(unit_descriptors(), before);
    for (int i = 0; i < 3; i++)
        assert_int_equal(leat_pipeline_cancel(p), 0);
    leat_pipeline_free(p);
}

static void *cancel_on_and_on(void *user)
{
    for (int i = 0; i < 2000; i++)
        leat_pipeline_cancel(user);
    return NULL;
}

/* The engine may go as soon as the pipeline has ended, whoever cancels meanwhile. */
static void a_cancel_after_the_engine_has_gone(void **state UNUSED)
{
    for (int i = 0; i < 5; i++) {
        struct leat_engine_options with = {.size = sizeof(with), .threads = 1, .engine = getenv("LEAT_TEST_ENGINE")};
        struct leat_pipeline_options options = {.size = sizeof(options)};
        struct leat_progress now = LEAT_INIT(struct leat_progress);
        pthread_t thread;
        int fd;
        assert_int_equal(leat_engine_new(&options.shared_engine, &with, NULL), 0);
        leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
        assert_int_equal(leat_pipeline_start(p), 0);
        assert_int_equal(pthread_create(&thread, NULL, cancel_on_and_on, p), 0);
        int r = leat_pipeline_wait(p, -1, NULL);
        assert_true(r == 0 || r == -ECANCELED);
        leat_engine_free(options.shared_engine);
        pthread_join(thread, NULL);
        assert_int_equal(leat_pipeline_cancel(p), 0);
        assert_int_equal(leat_pipeline_progress(p, &now), 0);
        assert_int_equal(leat_pipeline_fd(p, &fd), 0);
        assert_int_equal(leat_pipeline_wait(p, 0, NULL), -EINVAL);
        assert_int_equal(leat_pipeline_start(p), -EBUSY);
        leat_pipeline_free(p);
    }
}

/* ---- what a plan says ---- */

static void a_refused_sink_is_named(void **state UNUSED)
{
    char name[] = "/tmp/leat-unit-XXXXXX";
    struct leat_error error = LEAT_INIT(struct leat_error);
    close(mkstemp(name));
    leat_pipeline *p = pipeline_of(NULL, spec(name, LEAT_READ), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_sink(p, spec("null:", LEAT_WRITE), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_sink(p, spec(name, LEAT_WRITE), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_check(p, &error), -EINVAL);
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_int_equal(error.index, 2);
    assert_string_equal(error.node, name);
    leat_pipeline_free(p);
    unlink(name);
}

/* As leat(7) says. */
static void the_order_between_files(void **state UNUSED)
{
    struct node in = {.kind = NODE_FILE, .name = "in"}, out = {.kind = NODE_FILE, .name = "out"};
    struct branch branch = {.node = &out};
    struct hop hop = {.in = &in, .branch = &branch, .branches = 1};
    const struct table_row *row = table_find(&hop);
    assert_int_equal(row->order[0], ROUTE_CLONE);
    assert_int_equal(row->order[1], ROUTE_SPLICE);
    assert_int_equal(row->order[3], ROUTE_CHUNK);
}

static void no_engine_has(struct leat_engine_options options, const char *text)
{
    leat_engine *engine = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    options.size = options.size ? options.size : sizeof(options);
    assert_int_equal(leat_engine_new(&engine, &options, &error), -EINVAL);
    assert_null(engine);
    assert_string_equal(error.node, "engine");
    if (strcmp(error.text, text) != 0)
        fail_msg("%s", error.text);
}

static void engines_that_there_are(void **state UNUSED)
{
    static const char *const names[] = {NULL, "auto", "sync", "uring", "uring:all"};
    leat_engine *engine = NULL;
    struct leat_engine_options options = {.size = sizeof(options), .threads = 1};
    no_engine_has((struct leat_engine_options){.engine = "steam"},
                  "There is no engine 'steam': known are auto, sync, uring, uring:all");
    no_engine_has((struct leat_engine_options){.engine = ""},
                  "There is no engine '': known are auto, sync, uring, uring:all");
    no_engine_has((struct leat_engine_options){.threads = -1}, "threads must be 0 or more");
    no_engine_has((struct leat_engine_options){.threads = INT32_MIN}, "threads must be 0 or more");
    no_engine_has((struct leat_engine_options){.size = 1}, "The options are not those of this version");
    for (size_t i = 0; i < COUNT(names); i++) {
        options.engine = names[i];
        if (leat_engine_new(&engine, &options, NULL) < 0)
            continue; /* this build lacks it */
        assert_true(strcmp(leat_engine_name(engine), "sync") == 0 || strcmp(leat_engine_name(engine), names[i]) == 0);
        leat_engine_free(engine);
    }
    leat_engine_free(NULL);
}

/* ---- reports ---- */

static void ask_past_the_end(const leat_report *report)
{
    static const size_t past[] = {64, 1000, SIZE_MAX};
    const char *algorithm = NULL, *hex = NULL;
    char value[LEAT_DIGEST_HEX_MAX] = "", *text;
    for (size_t i = 0; i < COUNT(past); i++) {
        assert_int_equal(leat_report_digest_at(report, past[i], &algorithm, &hex), -ENOENT);
        assert_int_equal(leat_report_digest_side(report, past[i]), LEAT_SIDE_NONE);
        assert_null(leat_report_sink_error(report, past[i]));
    }
    assert_true(!algorithm && !hex);
    assert_int_equal(leat_report_digest(report, "none", value, sizeof(value)), -ENODATA);
    assert_int_equal(leat_report_digest(report, "", value, 0), -ENODATA);
    assert_string_equal(value, "");
    assert_int_equal(leat_report_json(report, &text), 0);
    assert_null(strstr(text, ":-"));
    free(text);
    assert_int_equal(leat_report_text(report, &text), 0);
    free(text);
}

static void reports_past_their_end(void **state UNUSED)
{
    leat_report *report = NULL;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    ask_past_the_end(report);
    leat_report_free(report);
    leat_pipeline_free(p);
    p = pipeline_of(NULL, NULL, NULL); /* its plan fails */
    assert_int_equal(leat_pipeline_run(p, &report), -EINVAL);
    ask_past_the_end(report);
    assert_true(leat_report_bytes(report) == 0);
    assert_null(leat_report_sink_error(report, 0));
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void reports_of_any_error(void **state UNUSED)
{
    static const int32_t codes[] = {-EIO, -4095, 0, 1, EIO, -4096, INT32_MIN, INT32_MAX},
                         sides[] = {0, 1, 2, 3, 4, -1, INT32_MIN, INT32_MAX};
    for (size_t c = 0; c < COUNT(codes); c++)
        for (size_t s = 0; s < COUNT(sides); s++) {
            struct leat_error error = {.size = sizeof(error),
                                       .code = codes[c],
                                       .side = sides[s],
                                       .index = UINT32_MAX,
                                       .offset = UINT64_MAX,
                                       .taken = UINT64_MAX,
                                       .delivered = UINT64_MAX,
                                       .held = UINT64_MAX};
            leat_report *report = NULL;
            memset(error.text, 'x', sizeof(error.text)); /* no text ends in a NUL */
            memset(error.node, 'n', sizeof(error.node));
            memset(error.operation, 'o', sizeof(error.operation));
            int r = leat_report_from_error(&report, &error);
            assert_int_equal(r, codes[c] < 0 && codes[c] >= -4095 && s < 4 ? 0 : -EINVAL);
            memset(&error, '?', sizeof(error));
            if (r < 0)
                continue;
            ask_past_the_end(report);
            assert_int_equal(leat_report_error(report)->side, sides[s]);
            assert_int_equal(strlen(leat_report_error(report)->operation), sizeof(error.operation) - 1);
            assert_int_equal(strlen(leat_report_error(report)->node), sizeof(error.node) - 1);
            assert_int_equal(strlen(leat_report_error(report)->text), sizeof(error.text) - 1);
            leat_report_free(report);
        }
    leat_report *report = NULL;
    assert_int_equal(leat_report_from_error(&report, NULL), -EINVAL);
    assert_null(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_at_their_extremes),
        cmocka_unit_test(enums_have_no_other_values),
        cmocka_unit_test(an_empty_expectation_is_none),
        cmocka_unit_test(limits_in_a_plan_have_no_sign),
        cmocka_unit_test(a_failed_filter_has_the_number_of_its_name),
        cmocka_unit_test(names_past_the_last),
        cmocka_unit_test(options_take_no_filter_s_place),
        cmocka_unit_test(nothing_has_begun),
        cmocka_unit_test(all_is_over),
        cmocka_unit_test(a_cancel_after_the_engine_has_gone),
        cmocka_unit_test(a_refused_sink_is_named),
        cmocka_unit_test(the_order_between_files),
        cmocka_unit_test(engines_that_there_are),
        cmocka_unit_test(reports_past_their_end),
        cmocka_unit_test(reports_of_any_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
