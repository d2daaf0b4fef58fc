/* SPDX-License-Identifier: MIT */
/* One pool for streams, pipes and pipelines: what one of them is through with serves the next, the pool's limit holds
 * for all together and each one's own limit besides, and whoever has begun never waits for memory that others have. */
#include "unit/unit.h"
#include <leat/leat.h>
#include <pthread.h>

static leat_pool *pool_of(uint64_t limit, uint64_t keep)
{
    struct leat_pool_options options = {.size = sizeof(options), .memory_limit = limit, .keep = keep};
    leat_pool *pool;
    assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
    return pool;
}

static struct leat_pool_usage stats_of(leat_pool *pool)
{
    struct leat_pool_usage stats = LEAT_INIT(struct leat_pool_usage);
    assert_int_equal(leat_pool_stats(pool, &stats), 0);
    return stats;
}

/* ---- users of a pool ---- */

static void through_a_stream(leat_pool *pool, size_t n)
{
    leat_stream *stream;
    struct leat_view view;
    uint8_t *bytes = calloc(1, n);
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, bytes, n), 0);
    assert_int_equal(leat_stream_take(stream, n, &view), 0);
    leat_view_release(&view);
    leat_stream_free(stream);
    free(bytes);
}

static int open_pipe(leat_pool *pool, uint64_t limit, uint64_t chunk, leat_writer **w, leat_reader **r)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.pool = pool;
    options.memory_limit = limit;
    options.chunk_size = chunk;
    return leat_pipe_open(w, r, &options, NULL);
}

struct transfer {
    leat_writer *w;
    size_t n;
};

static void *write_numbers(void *user)
{
    struct transfer *t = user;
    for (uint32_t i = 0; i < t->n; i++)
        if (leat_writer_write(t->w, &i, sizeof(i), NULL, -1) < 0)
            return user;
    leat_writer_close(t->w);
    return NULL;
}

static void numbers_pass(leat_writer *w, leat_reader *r)
{
    struct transfer t = {.w = w, .n = 100000};
    pthread_t thread;
    void *result;
    uint32_t number;
    size_t done;
    assert_int_equal(pthread_create(&thread, NULL, write_numbers, &t), 0);
    for (uint32_t i = 0; i < t.n; i++) {
        assert_int_equal(leat_reader_read_full(r, &number, sizeof(number), &done, -1), 0);
        assert_int_equal(number, i);
    }
    pthread_join(thread, &result);
    assert_null(result);
    leat_reader_close(r);
}

/* 3 MiB from memory to memory. */
static int run_pipeline(leat_pool *pool, uint64_t limit)
{
    static uint8_t from[3 << 20], to[sizeof(from)];
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline;
    leat_endpoint *source, *sink;
    size_t n = 0;
    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (uint8_t)(i * 31 + (i >> 8));
    memset(to, 0, sizeof(to));
    options.pool = pool;
    options.memory_limit = limit;
    assert_int_equal(leat_pipeline_new(&pipeline, &options, NULL), 0);
    assert_int_equal(leat_endpoint_from_memory(&source, from, sizeof(from)), 0);
    assert_int_equal(leat_endpoint_to_memory(&sink, to, sizeof(to), &n), 0);
    assert_int_equal(leat_pipeline_source(pipeline, source), 0);
    assert_int_equal(leat_pipeline_sink(pipeline, sink, NULL, NULL), 0);
    int r = leat_pipeline_run(pipeline, NULL);
    if (r == 0) {
        assert_int_equal(n, sizeof(from));
        assert_memory_equal(from, to, sizeof(from));
    }
    leat_pipeline_free(pipeline);
    return r;
}

/* ---- what they share ---- */

static void what_one_is_through_with_serves_the_next(void **state UNUSED)
{
    leat_pool *pool = pool_of(0, 16 << 20);
    leat_writer *w;
    leat_reader *r;
    through_a_stream(pool, 1 << 20);
    uint64_t made = stats_of(pool).made;
    assert_int_equal(stats_of(pool).in_use, 0);
    assert_int_equal(open_pipe(pool, 1 << 20, 0, &w, &r), 0);
    numbers_pass(w, r);
    assert_true(stats_of(pool).made == made); /* of 64 KiB, as a stream's are in the end */
    assert_int_equal(stats_of(pool).in_use, 0);
    assert_int_equal(run_pipeline(pool, 256 << 10), 0); /* a quarter of the limit each */
    assert_true(stats_of(pool).made == made);
    assert_int_equal(run_pipeline(pool, 0), 0); /* large ones */
    made = stats_of(pool).made;
    assert_int_equal(run_pipeline(pool, 0), 0);
    assert_true(stats_of(pool).made == made);
    assert_int_equal(stats_of(pool).in_use, 0);
    leat_pool_free(pool);
}

static void an_open_pipe_counts_as_in_use(void **state UNUSED)
{
    leat_pool *pool = pool_of(0, 0);
    leat_writer *w;
    leat_reader *r;
    assert_int_equal(open_pipe(pool, 65536, 4096, &w, &r), 0);
    leat_pool_free(pool); /* the pipe keeps it */
    for (unsigned i = 0; i < 16; i++) {
        uint8_t bytes[4096] = {0};
        assert_int_equal(leat_writer_write(w, bytes, sizeof(bytes), NULL, 0), 0);
        assert_int_equal(stats_of(pool).in_use, 4096 * (i + 1));
    }
    assert_int_equal(leat_writer_write(w, "x", 1, NULL, 0), -EAGAIN); /* its own limit */
    leat_writer_close(w);
    leat_reader_close(r);
}

/* Only of sizes that the pool has: others are as they were asked for. */
static void other_sizes_are_no_business_of_the_pool_s(void **state UNUSED)
{
    leat_pool *pool = pool_of(4096, 0);
    leat_writer *w;
    leat_reader *r;
    assert_int_equal(open_pipe(pool, 100000, 5000, &w, &r), 0);
    numbers_pass(w, r);
    assert_int_equal(open_pipe(pool, 7, 0, &w, &r), 0);
    numbers_pass(w, r);
    assert_int_equal(stats_of(pool).most, 0);
    leat_pool_free(pool);
}

/* ---- a limit ---- */

/* One chunk is what it can't do without, and with that it goes on for ever. */
static void a_pipe_does_with_what_the_pool_has_left(void **state UNUSED)
{
    leat_pool *pool = pool_of(3 * 4096, 0);
    leat_stream *stream;
    leat_writer *w, *w2;
    leat_reader *r, *r2;
    uint8_t bytes[2 * 4096] = {0};
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, bytes, sizeof(bytes)), 0);
    assert_int_equal(open_pipe(pool, 16 * 4096, 4096, &w, &r), 0);
    assert_int_equal(open_pipe(pool, 16 * 4096, 4096, &w2, &r2), -ENOMEM);
    assert_int_equal(leat_stream_append(stream, bytes, 1), -ENOMEM);
    numbers_pass(w, r);
    assert_int_equal(stats_of(pool).most, 3 * 4096);
    assert_int_equal(leat_stream_append(stream, bytes, 4096), 0); /* the pipe has given it back */
    leat_stream_free(stream);
    assert_int_equal(open_pipe(pool, 16 * 4096, 4096, &w, &r), 0); /* and now there are three */
    size_t done;
    uint8_t more[4 * 4096] = {0};
    assert_int_equal(leat_writer_write(w, more, sizeof(more), &done, 0), -EAGAIN);
    assert_int_equal(done, 3 * 4096);
    leat_writer_fail(w, -EIO);
    leat_writer_close(w);
    leat_reader_close(r);
    leat_pool_free(pool);
}

static void a_pipeline_does_with_what_the_pool_has_left(void **state UNUSED)
{
    static const uint64_t limits[] = {4096, 3 * 4096, 100000, 1 << 20};
    for (size_t i = 0; i < COUNT(limits); i++) {
        leat_pool *pool = pool_of(limits[i], 0);
        assert_int_equal(run_pipeline(pool, 0), 0);
        assert_true(stats_of(pool).most <= limits[i]);
        assert_int_equal(stats_of(pool).in_use, 0);
        leat_pool_free(pool);
    }
}

static void a_pipeline_without_memory_is_refused(void **state UNUSED)
{
    leat_pool *pool = pool_of(4096, 0);
    leat_stream *stream;
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, "x", 1), 0);
    assert_int_equal(run_pipeline(pool, 0), -ENOMEM);
    leat_stream_free(stream);
    assert_int_equal(run_pipeline(pool, 0), 0);
    leat_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_is_through_with_serves_the_next),
        cmocka_unit_test(an_open_pipe_counts_as_in_use),
        cmocka_unit_test(other_sizes_are_no_business_of_the_pool_s),
        cmocka_unit_test(a_pipe_does_with_what_the_pool_has_left),
        cmocka_unit_test(a_pipeline_does_with_what_the_pool_has_left),
        cmocka_unit_test(a_pipeline_without_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
