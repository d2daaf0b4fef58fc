/* SPDX-License-Identifier: MIT */
/* emscripten: its pipes have no end
 * engines: uring, uring:all
 * Runs that change their route hundreds of times, and what the report says of what was compared. How the better route
 * is found is tested in test_trial.c. */
#include "learning.h"
#include "scene.h"

#define BYTES ((size_t)(8 << 20) + 7)

static const struct scene scenes[] = {
    {"pipe to pipe", KIND_PIPE, {KIND_PIPE}, NULL},
    {"pipes of one slot", KIND_SMALL_PIPE, {KIND_SMALL_PIPE}, NULL},
    {"pipe to file", KIND_PIPE, {KIND_OLD_FILE}, NULL},
    {"file to pipe", KIND_FILE, {KIND_PIPE}, NULL},
    {"file to file", KIND_FILE, {KIND_OLD_FILE}, NULL},
    {"file to tcp", KIND_FILE, {KIND_TCP}, NULL},
    {"tcp to file", KIND_TCP, {KIND_OLD_FILE}, NULL},
    {"pipe to unix socket", KIND_PIPE, {KIND_UNIX}, NULL},
    {"pipe to three", KIND_PIPE, {KIND_OLD_FILE, KIND_PIPE, KIND_SMALL_PIPE}, NULL},
    {"file to three", KIND_FILE, {KIND_IN_PLACE, KIND_PIPE, KIND_OLD_FILE}, NULL},
};

/* Returns how many windows there were of all routes; 0: nothing was compared. *ret_routes: how many routes had some. */
static unsigned compared(const leat_report *report, size_t *ret_routes)
{
    unsigned windows = 0;
    size_t i;
    json_t *whole = report_json(report), *route;
    json_t *learned = json_object_get(json_array_get(json_object_get(whole, "hops"), 0), "learned");
    json_t *list = json_object_get(learned, "compared");
    json_array_foreach(list, i, route) windows += (unsigned)number(route, "windows");
    *ret_routes = json_array_size(list);
    json_decref(whole);
    return windows;
}

static unsigned play(const struct scene *scene, const struct leat_pipeline_options *options, size_t *ret_routes)
{
    struct stage s;
    stage_open(&s, scene, BYTES, options);
    stage_run(&s);
    assert_int_equal(s.result, 0);
    check_balance(&s);
    for (size_t i = 0; i < sinks_of(scene); i++)
        check_sink_whole(&s, i);
    unsigned windows = compared(s.report, ret_routes);
    stage_close(&s);
    return windows;
}

static void hundreds_of_changes_lose_nothing(void **state UNUSED)
{
    size_t routes;
    unsigned all = 0;
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 128 << 10};
    learn_always(true);
    for (size_t i = 0; i < COUNT(scenes); i++) {
        unsigned windows = play(&scenes[i], &options, &routes);
        bool clone = scenes[i].from == KIND_FILE && windows == 0; /* one call moved everything */
        if (has_route("splice") && !clone && (windows < 8 || routes < 2))
            fail_msg("%s: %u windows of %zu routes", scenes[i].name, windows, routes);
        all += windows;
    }
    print_message("%u windows\n", all);
    assert_true(!has_route("splice") || all >= 100 * COUNT(scenes));
    learn_always(false);
}

/* However the option is given, nothing is compared. */
static void expect_none(const char *what, struct leat_pipeline_options options)
{
    size_t routes;
    options.size = sizeof(options);
    learn_always(true);
    if (play(&scenes[2], &options, &routes) != 0)
        fail_msg("%s: routes were compared", what);
    learn_always(false);
}

static void what_is_not_compared(void **state UNUSED)
{
    expect_none("no_learn", (struct leat_pipeline_options){.no_learn = 1});
    expect_none("route", (struct leat_pipeline_options){.route = "chunk"});
    expect_none("prefer:",
                (struct leat_pipeline_options){.route = has_route("splice") ? "prefer:splice" : "prefer:chunk"});
    expect_none("rate", (struct leat_pipeline_options){.rate = UINT64_C(1) << 40});
    expect_none("cache", (struct leat_pipeline_options){.cache = LEAT_CACHE_DROP});
    size_t routes;
    struct leat_pipeline_options usual = {.size = sizeof(usual)};
    assert_int_equal(play(&scenes[2], &usual, &routes), 0); /* it is over too soon */
}

/* A plan names what would be compared. */
static void the_plan_says_so(void **state UNUSED)
{
    for (int asked = 0; asked < 2; asked++) {
        struct leat_pipeline_options options = {.size = sizeof(options), .no_learn = !asked};
        struct stage s;
        char *text;
        stage_open(&s, &scenes[2], 1, &options);
        assert_int_equal(leat_pipeline_explain(s.pipeline, LEAT_FORMAT_TEXT, &text), 0);
        if (has_route("splice"))
            assert_int_equal(strstr(text, "compared with it while the run goes on") != NULL, asked);
        free(text);
        stage_run(&s);
        stage_close(&s);
    }
}

/* More than 4 GiB, of which each call may be another route's. */
static void counts_beyond_32_bits(void **state UNUSED)
{
    uint64_t n = (UINT64_C(4) << 30) + 3;
    struct leat_pipeline_options options = {.size = sizeof(options), .has_length = 1, .length = n};
    leat_endpoint *source, *sink;
    leat_pipeline *p;
    leat_report *report;
    int fd = open("holes", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)n + 1), 0);
    close(fd);
    learn_always(true);
    struct leat_pipeline_options own = on_engine_wanted(&options);
    assert_int_equal(leat_pipeline_new(&p, &own, NULL), 0);
    assert_int_equal(leat_endpoint_open(&source, "holes", LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&sink, "null:", LEAT_WRITE, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, source), 0);
    assert_int_equal(leat_pipeline_sink(p, sink, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_true(leat_report_bytes(report) == n);
    leat_report_free(report);
    leat_pipeline_free(p);
    learn_always(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundreds_of_changes_lose_nothing),
        cmocka_unit_test(what_is_not_compared),
        cmocka_unit_test(the_plan_says_so),
        cmocka_unit_test(counts_beyond_32_bits),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
