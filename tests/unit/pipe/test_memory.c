/* SPDX-License-Identifier: MIT */
/* emscripten: its library has one piece for all that allocates, so none of it can be replaced
 * Memory that is refused: a pipe that could be opened goes on with the chunks that it has, and waits for them. */
#include "unit/pipe/backends.h"

static atomic_uint asked;   /* how often a chunk was to be allocated */
static atomic_uint granted; /* so many more are */

/* Chunks alone are allocated so. */
int posix_memalign(void **ret, size_t alignment, size_t n)
{
    atomic_fetch_add(&asked, 1);
    if (atomic_load(&granted) == 0)
        return ENOMEM;
    atomic_fetch_sub(&granted, 1);
    *ret = aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment);
    return *ret ? 0 : ENOMEM;
}

static struct ends open_doubling(struct doubler *d, unsigned chunks)
{
    leat_filter *filter = doubler(d);
    atomic_store(&granted, chunks);
    struct ends e = open_with(backend, 65536, 0, &filter, 1);
    atomic_store(&asked, 0);
    return e;
}

/* Two chunks are what a filter that changes bytes can't do without. Who waits for a third one sleeps. */
static void a_pipe_goes_on_with_the_chunks_that_it_has(void **state UNUSED)
{
    static uint8_t much[200000], back[2 * sizeof(much)];
    struct doubler d = {0};
    struct ends e = open_doubling(&d, 2);
    struct call w = {.w = e.w, .bytes = much, .n = sizeof(much), .timeout_ms = -1};
    fill_pattern(much, 0, sizeof(much));
    start(&w, do_write);
    for (size_t got = 0, done; got < sizeof(back) - 70000; got += done) {
        if (got == 0)
            let_it_block();
        assert_int_equal(leat_reader_read_full(e.r, back, 5000, &done, -1), 0);
        assert_int_equal(done, 5000);
        for (size_t i = 0; i < done; i++)
            assert_int_equal(back[i], pattern((got + i) / 2));
    }
    leat_reader_close(e.r);
    wait_for(&w);
    leat_writer_close(e.w);
    assert_true(atomic_load(&asked) < 10000);
}

static void a_pipe_that_never_gets_them_is_refused(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    struct doubler d = {0};
    leat_filter *filter = doubler(&d);
    struct ends e;
    int descriptors = unit_descriptors();
    options.backend = backend;
    options.filters = &filter;
    options.filter_count = 1;
    atomic_store(&granted, 1);
    assert_int_equal(leat_pipe_open(&e.w, &e.r, &options, &error), -ENOMEM);
    assert_string_equal(error.text, "Out of memory");
    assert_int_equal(unit_descriptors(), descriptors);
    assert_true(d.frees == 1 && d.started == 0);
}

#define TEST_BOTH(f) cmocka_unit_test_setup(f, on_queue), cmocka_unit_test_setup(f, on_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(a_pipe_goes_on_with_the_chunks_that_it_has),
        TEST_BOTH(a_pipe_that_never_gets_them_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
