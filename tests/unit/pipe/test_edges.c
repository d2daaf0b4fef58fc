/* timeout: 60
 * Where two things happen at once, and numbers that are too large. */
#include "unit/pipe/pipes.h"

/* ---- numbers ---- */

static void a_limit_beyond_all_memory_is_refused(void **state UNUSED)
{
    static const uint64_t limits[] = {UINT64_MAX, UINT64_MAX - 14, (uint64_t)1 << 63};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
        leat_writer *w;
        leat_reader *r;
        options.backend = LEAT_PIPE_QUEUE;
        options.memory_limit = limits[i];
        assert_int_equal(leat_pipe_open(&w, &r, &options), -ENOMEM);
        options.chunk_size = limits[i];
        assert_int_equal(leat_pipe_open(&w, &r, &options), -ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_beyond_all_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
