/* SPDX-License-Identifier: MIT */
/* The filters skip and head: every position of the cut, in pieces and rooms of every size; run after run. */
#include "drive.h"
#include <leat/endpoint.h>
#include <leat/pipeline.h>

#define N 100

static uint8_t input[N];

static void check_skip(leat_filter *filter, uint64_t skip, size_t n, size_t piece, size_t room)
{
    struct bytes out CLEANUP_BYTES = {0};
    struct drive how = {.piece = piece, .room = room, .finish_empty = piece % 2};
    uint64_t before, after;
    size_t left = skip < n ? n - (size_t)skip : 0;
    leat_filter_bytes(filter, &before);
    assert_int_equal(drive(filter, input, n, how, &out, NULL), 0);
    assert_int_equal(out.n, left);
    assert_memory_equal(out.data, input + n - left, left);
    leat_filter_bytes(filter, &after);
    assert_true(after - before == n);
}

static void skip_passes_over_the_first(void **state UNUSED)
{
    static const uint64_t skips[] = {0, 1, 2, 63, 64, N - 1, N, N + 1, UINT64_MAX};
    static const size_t sizes[] = {1, 2, 63, 64, N, DRIVE_RANDOM};
    for (size_t i = 0; i < COUNT(skips); i++) {
        leat_filter *filter;
        assert_int_equal(leat_filter_skip(&filter, skips[i]), 0);
        for (size_t piece = 0; piece < COUNT(sizes); piece++)
            for (size_t room = 0; room < COUNT(sizes); room++)
                for (size_t n = 0; n <= N; n += 25)
                    check_skip(filter, skips[i], n, sizes[piece], sizes[room]);
        leat_filter_free(filter);
    }
}

static void head_grants_so_many(void **state UNUSED)
{
    leat_filter *filter;
    assert_int_equal(leat_filter_head(&filter, 10), 0);
    for (int run = 0; run < 2; run++) {
        int64_t deadline = 1;
        assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
        assert_true(filter->ops->allowance(filter, 7, &deadline) == 7);
        assert_true(filter->ops->allowance(filter, UINT64_MAX, &deadline) == 10); /* asking takes nothing */
        filter_count(filter, 9);
        assert_true(filter->ops->allowance(filter, 7, &deadline) == 1);
        filter_count(filter, 1);
        assert_true(filter->ops->allowance(filter, 7, &deadline) == 0);
        assert_true(deadline == 0);
        filter_count(filter, 1); /* a route that took more: none are left all the same */
        assert_true(filter->ops->allowance(filter, 7, &deadline) == 0);
    }
    leat_filter_free(filter);
}

static int give_for_ever(void *user UNUSED, void *bytes, size_t n, size_t *ret_n)
{
    memset(bytes, 'x', n);
    *ret_n = n;
    return 0;
}

/* The source is endless, so that only the filter can end it. */
static void check_head(uint64_t bytes)
{
    static uint8_t memory[300000];
    leat_pipeline *p;
    leat_endpoint *source, *sink;
    struct leat_endpoint_callbacks endless = LEAT_INIT(struct leat_endpoint_callbacks);
    leat_filter *filter;
    size_t size = 1;
    uint64_t passed;
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    endless.read = give_for_ever;
    assert_int_equal(leat_endpoint_from_callbacks(&source, &endless, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_to_memory(&sink, memory, sizeof(memory), &size), 0);
    assert_int_equal(leat_filter_head(&filter, bytes), 0);
    assert_int_equal(leat_pipeline_source(p, source), 0);
    assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(filter)), 0);
    assert_int_equal(leat_pipeline_sink(p, sink, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_true(size == bytes);
    leat_filter_bytes(filter, &passed);
    assert_true(passed == bytes);
    leat_pipeline_free(p);
    leat_filter_free(filter);
}

static void head_ends_an_endless_source(void **state UNUSED)
{
    static const uint64_t sizes[] = {0, 1, PAGE, PAGE + 1, 65536, 299999};
    for (size_t i = 0; i < COUNT(sizes); i++)
        check_head(sizes[i]);
}

int main(void)
{
    for (size_t i = 0; i < N; i++)
        input[i] = (uint8_t)(i * 7 + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skip_passes_over_the_first),
        cmocka_unit_test(head_grants_so_many),
        cmocka_unit_test(head_ends_an_endless_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
