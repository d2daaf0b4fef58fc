/* SPDX-License-Identifier: MIT */
/* A filter that ends the stream: on every route, whatever the source still has, and whatever becomes of the source. */
#include "node/filter.h"
#include "scene.h"

#define BYTES ((size_t)(300 << 10) + 5)

/* ---- it lets so many bytes pass ---- */

struct head {
    leat_filter filter;
    uint64_t most;
};

static uint64_t head_allowance(leat_filter *filter, uint64_t want, int64_t *ret_deadline_ns)
{
    uint64_t left = ((struct head *)filter)->most - atomic_load(&filter->bytes);
    *ret_deadline_ns = 0;
    return MIN(want, left);
}

static void head_free(leat_filter *filter)
{
    free(filter);
}

static const struct filter_ops head_ops = {
    .name = "head", .caps = FILTER_PACES, .allowance = head_allowance, .free = head_free};

static leat_filter *head(uint64_t most)
{
    struct head *h = calloc(1, sizeof(*h));
    filter_init(&h->filter, &head_ops);
    h->most = most;
    return &h->filter;
}

/* ---- on every route ---- */

static const char *const routes[] = {"auto",          "prefer:clone",  "prefer:offload",
                                     "prefer:splice", "prefer:direct", "chunk"};
static const uint64_t heads[] = {0, 1, PAGE - 1, PAGE, 65536, BYTES - 1, BYTES, BYTES + 1, UINT64_MAX};

static void run_cut(const struct scene *scene, const char *route, uint64_t most, bool paced)
{
    struct leat_pipeline_options options = {
        .size = sizeof(options), .route = route, .memory_limit = 128 << 10, .rate = paced ? UINT64_C(1) << 40 : 0};
    struct stage s;
    stage_open(&s, scene, BYTES, &options);
    assert_int_equal(leat_pipeline_filter(s.pipeline, head(most)), 0);
    stage_run(&s);
    assert_int_equal(s.result, 0);
    check_balance(&s);
    s.n = MIN(BYTES, most);
    for (size_t i = 0; i < sinks_of(scene); i++) {
        assert_int_equal(delivered_to(&s, i), s.n);
        check_sink_whole(&s, i);
    }
    if (s.digest) {
        char hex[LEAT_DIGEST_HEX_MAX];
        assert_int_equal(leat_report_digest(s.report, s.digest, hex, sizeof(hex)), 0);
        assert_string_equal(hex, hex_of_content(s.content, s.n, s.digest));
    }
    stage_close(&s);
}

static void cut_on_every_route(void **state UNUSED)
{
    static const struct scene scenes[] = {
        {"file to file", KIND_FILE, {KIND_OLD_FILE}, NULL},
        {"file to file, digest", KIND_FILE, {KIND_FILE}, "sha256"},
        {"file to pipe", KIND_FILE, {KIND_PIPE}, NULL},
        {"file to tcp", KIND_FILE, {KIND_TCP}, NULL},
        {"pipe to pipe", KIND_PIPE, {KIND_PIPE}, NULL},
        {"pipe to three", KIND_PIPE, {KIND_PIPE, KIND_OLD_FILE, KIND_NULL}, "crc32c"},
        {"memory to file", KIND_MEMORY, {KIND_FILE}, NULL},
    };
    for (size_t c = 0; c < COUNT(scenes); c++)
        for (size_t r = 0; r < COUNT(routes); r++)
            for (size_t h = 0; h < COUNT(heads) && has_route(routes[r]) && can_play(&scenes[c]);
                 h += getenv("LEAT_TEST_QUICK") ? 3 : 1)
                run_cut(&scenes[c], routes[r], heads[h], h % 2);
}

/* Its holes are counted, too. */
static void a_sparse_source_is_cut(void **state UNUSED)
{
    uint8_t zeros[2 * PAGE] = {0};
    for (size_t r = 0; r < COUNT(routes); r++)
        for (uint64_t most = 0; most <= 3 * 65536 && has_route(routes[r]); most += 4099) {
            struct leat_pipeline_options options = on_engine_wanted(NULL);
            leat_pipeline *p;
            leat_endpoint *from, *to;
            size_t n;
            options.route = routes[r];
            put_file("sparse", "begin", 5);
            assert_int_equal(truncate("sparse", 1 << 20), 0);
            assert_int_equal(leat_pipeline_new(&p, &options, NULL), 0);
            assert_int_equal(leat_endpoint_open(&from, "sparse", LEAT_READ, NULL, NULL), 0);
            assert_int_equal(leat_endpoint_open(&to, "copy", LEAT_WRITE, NULL, NULL), 0);
            leat_pipeline_source(p, from);
            leat_pipeline_filter(p, head(most));
            leat_pipeline_sink(p, to, NULL, NULL);
            assert_int_equal(leat_pipeline_run(p, NULL), 0);
            leat_pipeline_free(p);
            uint8_t *bytes = get_file("copy", &n);
            assert_int_equal(n, most);
            assert_memory_equal(bytes, "begin", MIN(most, 5));
            if (most > 5)
                assert_memory_equal(bytes + most - MIN(most - 5, sizeof(zeros)), zeros, MIN(most - 5, sizeof(zeros)));
            free(bytes);
        }
}

/* ---- what becomes of the source is nobody's concern ---- */

static bool grow(void *user UNUSED, struct op *op UNUSED, ssize_t *ret_result UNUSED)
{
    int fd = open("source", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "more", 4), 4);
    close(fd);
    return true;
}

static void the_source_grows(void **state UNUSED)
{
    static const struct scene scene = {"file to file", KIND_FILE, {KIND_OLD_FILE}, NULL};
    for (size_t r = 0; r < COUNT(routes); r++)
        for (size_t h = 0; h < COUNT(heads) && heads[h] <= BYTES && has_route(routes[r]); h++) {
            op_interpose(grow, NULL);
            run_cut(&scene, routes[r], heads[h], false);
            op_interpose(NULL, NULL);
        }
}

static void an_endless_source_ends(void **state UNUSED)
{
    leat_pipeline *p;
    leat_endpoint *from, *to;
    leat_report *report;
    struct leat_pipeline_options options = on_engine_wanted(NULL);
    assert_int_equal(leat_pipeline_new(&p, &options, NULL), 0);
    assert_int_equal(leat_endpoint_open(&from, "zero:", LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&to, "null:", LEAT_WRITE, NULL, NULL), 0);
    leat_pipeline_source(p, from);
    leat_pipeline_filter(p, head(10000001));
    leat_pipeline_sink(p, to, NULL, NULL);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_bytes(report), 10000001);
    leat_report_free(report);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_on_every_route),
        cmocka_unit_test(a_sparse_source_is_cut),
        cmocka_unit_test(the_source_grows),
        cmocka_unit_test(an_endless_source_ends),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
