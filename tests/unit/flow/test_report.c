/* What a report says about a run that failed. */
#include "pipelines.h"

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
    assert_int_equal(leat_pipeline_sink(p, spec("null:", LEAT_WRITE), NULL), 0);
    assert_int_equal(leat_pipeline_filter(p, digest_of("sha256")), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    assert_int_equal(leat_report_digest(report, "sha256", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee");
    leat_report_free(report);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_digest_of_a_part),
        cmocka_unit_test(the_digest_of_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
