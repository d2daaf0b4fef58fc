/* SPDX-License-Identifier: MIT */
/* The place of a failure: index and offset are those of the failure that counts. */
#include "unit/flow/scene.h"

#include "base/error.h"
#include "node/filter.h"
#include "unit/flow/pipelines.h"

static int digest_end = -1;

static int get_digest_end(leat_filter *filter UNUSED)
{
    return digest_end;
}

static bool fail_digest(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    *ret_result = -EIO;
    return op->kind != OP_SPLICE || op->fd[1] != digest_end;
}

/* The digest stands behind a rate: the index of the error is that of the digest. */
static void a_kernel_digest_that_fails_is_named(void **state UNUSED)
{
    static const char bytes[100000];
    struct leat_pipeline_options options = {
        .size = sizeof(options), .route = "prefer:splice", .stability = LEAT_SOURCE_STABLE};
    leat_report *report;
    leat_filter *rate, *digest = digest_of("crc32c");
    struct filter_ops ops = *digest->ops;
    unit_needs(has_route("prefer:splice"), "splice");
    put_file("source", bytes, sizeof(bytes));
    assert_true((digest_end = open("/dev/null", O_WRONLY | O_CLOEXEC)) >= 0);
    ops.splice_fd = get_digest_end;
    digest->ops = &ops;
    assert_int_equal(leat_filter_rate(&rate, 1 << 30), 0);
    leat_pipeline *p = pipeline_of(&options, spec("source", LEAT_READ), spec("sink", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(p, rate), 0);
    assert_int_equal(leat_pipeline_filter(p, digest), 0);
    op_interpose(fail_digest, NULL);
    assert_int_equal(leat_pipeline_run(p, &report), -EIO);
    op_interpose(NULL, NULL);
    const struct leat_error *error = leat_report_error(report);
    assert_int_equal(error->side, LEAT_SIDE_FILTER);
    assert_int_equal(error->index, 1);
    assert_non_null(strstr(error->text, "The kernel's digest failed"));
    leat_report_free(report);
    leat_pipeline_free(p);
    close(digest_end);
}

/* A filter has failed, and then the call on the source that was under way fails: the offset stays the filter's. */
static void the_first_failure_keeps_its_place(void **state UNUSED)
{
    leat_endpoint *source = from_bytes("", 0);
    struct hop hop = {.in = &source->node, .taken = 500};
    error_place(&hop.error, 3, 100);
    error_at(&hop.error, -EPERM, LEAT_SIDE_FILTER, "f", "filter", "first");
    hop_fail_source(&hop, "read", -EIO);
    hop_fail_offset(&hop);
    assert_int_equal(hop.error.code, -EPERM);
    assert_int_equal(hop.error.index, 3);
    assert_int_equal(hop.error.offset, 100);
    leat_endpoint_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_digest_that_fails_is_named),
        cmocka_unit_test(the_first_failure_keeps_its_place),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
