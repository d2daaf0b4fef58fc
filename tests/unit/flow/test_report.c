/* SPDX-License-Identifier: MIT */
/* What a report says about a run that failed. */
#include "pipelines.h"

#include "node/filter.h"
#include "node/node.h"
#include <leat/report.h>

/* The only sink fails in the middle: what was seen until then is no digest of the source. */
static void no_digest_of_a_part(void **state UNUSED)
{
    static char from[2 << 20], to[1 << 20];
    char hex[LEAT_DIGEST_HEX_MAX];
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizeof(from)), to_bytes(to, sizeof(to), NULL));
    assert_int_equal(leat_pipeline_filter(p, digest_of("sha256")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    assert_int_equal(leat_report_digest(report, "sha256", hex, sizeof(hex)), -ENODATA);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* One of two fails: the other has all of it, and so has the digest. */
static void the_digest_of_the_others(void **state UNUSED)
{
    static char from[2 << 20], to[1 << 20];
    char hex[LEAT_DIGEST_HEX_MAX];
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizeof(from)), to_bytes(to, sizeof(to), NULL));
    assert_int_equal(leat_pipeline_sink(p, spec("null:", LEAT_WRITE), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_filter(p, digest_of("sha256")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    assert_int_equal(leat_report_digest(report, "sha256", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee");
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* As many filters as a pipeline takes, each with several digests. */
static void all_digests_are_there(void **state UNUSED)
{
    static char from[1000], to[1000];
    const char *algorithm, *hex;
    size_t n = 0;
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizeof(from)), to_bytes(to, sizeof(to), NULL));
    for (size_t i = 0; i < LEAT_FILTERS_MAX; i++)
        assert_int_equal(leat_pipeline_filter(p, digest_of("sha256,crc32c")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    while (leat_report_digest_at(report, n, &algorithm, &hex) == 0)
        assert_string_equal(algorithm, n++ % 2 ? "crc32c" : "sha256");
    assert_int_equal(n, 2 * LEAT_FILTERS_MAX);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static int no_result(leat_filter *filter UNUSED, size_t index UNUSED, const char **ret_algorithm UNUSED,
                     char *hex UNUSED, size_t capacity UNUSED, const char **ret_provider UNUSED,
                     const char **ret_why UNUSED)
{
    return -EDOM;
}

static int no_result_either(leat_filter *filter UNUSED, size_t index UNUSED, const char **ret_algorithm UNUSED,
                            char *hex UNUSED, size_t capacity UNUSED, const char **ret_provider UNUSED,
                            const char **ret_why UNUSED)
{
    return -ERANGE;
}

/* Two of four digests can't be finished: code, text and index are of the first one. */
static void the_first_digest_that_fails_is_named(void **state UNUSED)
{
    char from[1000] = "", to[1000];
    leat_report *report;
    leat_filter *filter[4];
    struct filter_ops ops[4];
    leat_pipeline *p = pipeline_of(NULL, from_bytes(from, sizeof(from)), to_bytes(to, sizeof(to), NULL));
    for (size_t i = 0; i < 4; i++) {
        filter[i] = digest_of("crc32c");
        ops[i] = *filter[i]->ops;
        ops[i].result = i == 1 ? no_result : i == 3 ? no_result_either : ops[i].result;
        filter[i]->ops = &ops[i];
        assert_int_equal(leat_pipeline_filter(p, filter[i]), 0);
    }
    assert_int_equal(leat_pipeline_run(p, &report), -EDOM);
    const struct leat_error *error = leat_report_error(report);
    assert_int_equal(error->side, LEAT_SIDE_FILTER);
    assert_int_equal(error->index, 1);
    assert_non_null(strstr(error->text, strerror(EDOM)));
    leat_report_free(report);
    leat_pipeline_free(p);
}

static leat_filter *shared;

static int try_reset(void *user, int code UNUSED)
{
    *(int *)user = leat_filter_digest_reset(shared);
    return 0;
}

static int take_all(void *user UNUSED, const void *bytes UNUSED, size_t n, size_t *ret_n)
{
    *ret_n = n;
    return 0;
}

/* Until the report is made the pipeline runs, and nobody else has the filter. */
static void a_filter_is_busy_to_the_end(void **state UNUSED)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .write = take_all, .finish = try_reset};
    char hex[LEAT_DIGEST_HEX_MAX];
    int r = 0;
    leat_report *report;
    leat_endpoint *sink;
    assert_int_equal(leat_endpoint_from_callbacks(&sink, &callbacks, &r, NULL), 0);
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), sink);
    shared = digest_of("sha256");
    assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(shared)), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(r, -EBUSY);
    assert_int_equal(leat_report_digest(report, "sha256", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(leat_filter_digest_reset(shared), 0);
    leat_report_free(report);
    leat_pipeline_free(p);
    leat_filter_free(shared);
}

static unsigned aborts;

static void count_abort(struct node *node UNUSED, int code UNUSED, uint64_t delivered UNUSED)
{
    aborts++;
}

/* The source is told last. By then the sinks are committed, and no failure of the source changes that. */
static void a_committed_sink_stays_so(void **state UNUSED)
{
    char to[2][8], *text;
    struct gate g = {.n = 3, .go = true, .finish_result = -EDOM};
    struct leat_sink_outcome outcome = LEAT_INIT(struct leat_sink_outcome);
    leat_endpoint *sink[] = {to_bytes(to[0], 8, NULL), to_bytes(to[1], 8, NULL)};
    struct node_ops ops = *sink[0]->node.ops;
    leat_report *report;
    aborts = 0;
    ops.abort = count_abort;
    sink[0]->node.ops = sink[1]->node.ops = &ops;
    leat_pipeline *p = pipeline_of(NULL, gate(&g), sink[0]);
    assert_int_equal(leat_pipeline_sink(p, sink[1], NULL, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -EDOM);
    assert_true(aborts == 0 && g.finishes == 1);
    assert_int_equal(leat_report_error(report)->side, LEAT_SIDE_SOURCE);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(leat_report_sink_at(report, i, &outcome), 0);
        assert_string_equal(outcome.status, "done");
        assert_null(outcome.error);
    }
    assert_int_equal(leat_report_text(report, &text), 0);
    assert_non_null(strstr(text, "source: callback: finish"));
    leat_free(text);
    leat_report_free(report);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_digest_of_a_part),       cmocka_unit_test(the_digest_of_the_others),
        cmocka_unit_test(all_digests_are_there),     cmocka_unit_test(a_filter_is_busy_to_the_end),
        cmocka_unit_test(a_committed_sink_stays_so), cmocka_unit_test(the_first_digest_that_fails_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
