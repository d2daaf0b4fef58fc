/* SPDX-License-Identifier: MIT */
/* emscripten: it has no children
 * The option pipe_size: which pipes become larger, and what the report says. */
#include "unit/flow/pipelines.h"
#include <unistd.h>

#define USUAL 65536u

/* From a pipe with three bytes to a pipe, by way of a child. Gives both hops. */
static void run(int64_t pipe_size, struct leat_hop hop[2])
{
    struct leat_pipeline_options options = {.size = sizeof(options), .pipe_size = pipe_size};
    int in[2], out[2];
    char byte[3];
    leat_endpoint *source, *sink;
    leat_filter *child;
    leat_report *report;
    unit_needs(unit_pipes_end(), "pipes with an end");
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(write(in[1], "abc", 3), 3);
    close(in[1]);
    assert_int_equal(leat_endpoint_from_fd(&source, in[0], LEAT_TAKE), 0);
    assert_int_equal(leat_endpoint_from_fd(&sink, out[1], LEAT_TAKE), 0);
    leat_pipeline *p = pipeline_of(&options, source, sink);
    assert_int_equal(leat_filter_exec(&child, "cat"), 0);
    assert_int_equal(leat_pipeline_filter(p, child), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(read(out[0], byte, 3), 3);
    close(out[0]);
    for (size_t i = 0; i < 2; i++) {
        hop[i] = LEAT_INIT(struct leat_hop);
        assert_int_equal(leat_report_hop_at(report, i, &hop[i]), 0);
    }
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void expect(const struct leat_hop hop[2], uint64_t given, uint64_t own)
{
    const uint64_t was[] = {hop[0].from_pipe_was, hop[0].to_pipe_was, hop[1].from_pipe_was, hop[1].to_pipe_was};
    const uint64_t is[] = {hop[0].from_pipe, hop[0].to_pipe, hop[1].from_pipe, hop[1].to_pipe};
    const uint64_t wanted[] = {given, own, own, given};
    for (size_t i = 0; i < 4; i++)
        if (was[i] != USUAL || is[i] != wanted[i])
            fail_msg("pipe %zu: from %llu to %llu, not %llu", i, (unsigned long long)was[i], (unsigned long long)is[i],
                     (unsigned long long)wanted[i]);
}

static void a_program_s_pipes_are_its_own(void **state UNUSED)
{
    struct leat_hop hop[2];
    run(0, hop);
    unit_needs(hop[0].from_pipe_was == USUAL, "pipes of a known size");
    expect(hop, USUAL, LEAT_PIPE_SIZE);
}

static void all_pipes_or_none(void **state UNUSED)
{
    struct leat_hop hop[2];
    run(-1, hop);
    unit_needs(hop[0].from_pipe_was == USUAL, "pipes of a known size");
    expect(hop, USUAL, USUAL);
    run(4 * USUAL - 1, hop);
    expect(hop, 2 * USUAL, 2 * USUAL);
    run(1, hop);
    expect(hop, USUAL, USUAL);
}

static void what_is_no_pipe_has_no_size(void **state UNUSED)
{
    struct leat_hop hop = LEAT_INIT(struct leat_hop);
    char to[4];
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), to_bytes(to, 3, NULL));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_hop_at(report, 0, &hop), 0);
    assert_true(!hop.from_pipe_was && !hop.from_pipe && !hop.to_pipe_was && !hop.to_pipe);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void sizes_that_are_none(void **state UNUSED)
{
    static const int64_t wrong[] = {-2, INT64_MIN};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct leat_pipeline_options options = {.size = sizeof(options), .pipe_size = wrong[i]};
        struct leat_error error = LEAT_INIT(struct leat_error);
        leat_pipeline *p = pipeline_of(&options, spec("null:", LEAT_READ), spec("null:", LEAT_WRITE));
        assert_int_equal(leat_pipeline_check(p, &error), -EINVAL);
        assert_non_null(strstr(error.text, "pipe_size"));
        leat_pipeline_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_s_pipes_are_its_own),
        cmocka_unit_test(all_pipes_or_none),
        cmocka_unit_test(what_is_no_pipe_has_no_size),
        cmocka_unit_test(sizes_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
