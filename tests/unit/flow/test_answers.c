/* SPDX-License-Identifier: MIT */
/* What functions of the caller's answer: a negative errno is the run's result as it is, and any other number that they
 * are not meant to answer is -EPROTO. The report can be told in either case. */
#include "unit/flow/pipelines.h"
#include <limits.h>

static const struct {
    int answer, result;
} answers[] = {
    {-EIO, -EIO},           {-1, -1},           {-4095, -4095},
    {-4096, -EPROTO},       {-100000, -EPROTO}, {INT_MIN, -EPROTO},
    {INT_MIN + 1, -EPROTO}, {INT_MAX, -EPROTO}, {100, -EPROTO},
};

static void expect_told(leat_pipeline *p, int result, enum leat_side side)
{
    leat_report *report = NULL;
    char *text;
    assert_int_equal(leat_pipeline_run(p, &report), result);
    assert_int_equal(leat_report_error(report)->code, result);
    assert_int_equal(leat_report_error(report)->side, side);
    assert_non_null(leat_errno_name(leat_report_error(report)->code));
    assert_int_equal(leat_report_json(report, &text), 0);
    free(text);
    assert_int_equal(leat_report_text(report, &text), 0);
    free(text);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* The answer of whichever function it is for; the others do well. */
struct functions {
    int read, write, finish;
};

static int answer_read(void *user, void *bytes UNUSED, size_t n UNUSED, size_t *ret_n)
{
    *ret_n = 0;
    return ((struct functions *)user)->read;
}

static int answer_write(void *user, const void *bytes UNUSED, size_t n, size_t *ret_n)
{
    *ret_n = n;
    return ((struct functions *)user)->write;
}

static int answer_finish(void *user, int code)
{
    return code ? code : ((struct functions *)user)->finish;
}

static leat_endpoint *answering(struct functions *functions)
{
    struct leat_endpoint_callbacks callbacks = {
        .size = sizeof(callbacks), .read = answer_read, .write = answer_write, .finish = answer_finish};
    leat_endpoint *endpoint;
    assert_int_equal(leat_endpoint_from_callbacks(&endpoint, &callbacks, functions, NULL), 0);
    return endpoint;
}

static void answers_of_endpoints(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        int answer = answers[i].answer, result = answers[i].result;
        expect_told(pipeline_of(NULL, answering(&(struct functions){.read = answer}), spec("null:", LEAT_WRITE)),
                    result, LEAT_SIDE_SOURCE);
        expect_told(pipeline_of(NULL, from_bytes("abc", 3), answering(&(struct functions){.write = answer})), result,
                    LEAT_SIDE_SINK);
        expect_told(pipeline_of(NULL, from_bytes("abc", 3), answering(&(struct functions){.finish = answer})), result,
                    LEAT_SIDE_SINK);
    }
}

/* The answer of whichever hook it is for; the others do well. */
struct hooks {
    int start, observe, transform;
};

static int start(void *user)
{
    return ((struct hooks *)user)->start;
}

static int observe(void *user, const void *bytes UNUSED, size_t n UNUSED)
{
    return ((struct hooks *)user)->observe;
}

static int transform(void *user, const void *in UNUSED, size_t *in_n UNUSED, void *out UNUSED, size_t *out_n,
                     enum leat_filter_mode mode UNUSED)
{
    *out_n = 0;
    return ((struct hooks *)user)->transform;
}

static void expect_filter(struct hooks hooks, bool observes, int result)
{
    struct leat_filter_ops ops = {.size = sizeof(ops),
                                  .name = "ours",
                                  .start = start,
                                  .observe = observes ? observe : NULL,
                                  .transform = observes ? NULL : transform};
    leat_filter *filter;
    assert_int_equal(leat_filter_custom(&filter, &ops, &hooks, NULL), 0);
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(p, filter), 0);
    expect_told(p, result, LEAT_SIDE_FILTER);
}

static void answers_of_filters(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        expect_filter((struct hooks){.start = answers[i].answer}, true, answers[i].result);
        expect_filter((struct hooks){.observe = answers[i].answer}, true, answers[i].result);
        expect_filter((struct hooks){.start = answers[i].answer}, false, answers[i].result);
        expect_filter((struct hooks){.transform = answers[i].answer}, false, answers[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_of_endpoints), cmocka_unit_test(answers_of_filters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
