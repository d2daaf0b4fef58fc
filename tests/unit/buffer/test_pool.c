/* SPDX-License-Identifier: MIT */
/* Pools: sizes, a limit that holds, caches that hide nothing from who needs it, and memory that is given back when a
 * rush is over. */
#include "buffer/pool.h"
#include "unit/unit.h"
#include <sched.h>

static leat_pool *pool_of(uint64_t limit, uint64_t least, uint64_t most, uint64_t keep)
{
    struct leat_pool_options options = {
        .size = sizeof(options), .memory_limit = limit, .chunk_min = least, .chunk_max = most, .keep = keep};
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

static void sizes_are_powers_of_two_within_bounds(void **state UNUSED)
{
    static const struct {
        uint64_t chunk_min, chunk_max, memory_limit;
        const char *text;
    } wrong[] = {
        {3, 4, 0, "chunk_min must be a power of two"},
        {UINT64_C(1) << 31, UINT64_C(1) << 31, 0, "chunk_min must be a power of two, at most 1073741824"},
        {4, 6, 0, "chunk_max must be a power of two"},
        {4, UINT64_C(1) << 31, 0, "chunk_max must be a power of two, at most 1073741824"},
        {8, 4, 0, "chunk_max must be at least chunk_min"},
        {0, 2048, 0, "chunk_max must be at least chunk_min, which is 4096"},
        {64, 64, 63, "memory_limit must be at least chunk_min"},
    };
    static const size_t right[][2] = {{0, 16}, {1, 16}, {16, 16}, {17, 32}, {100, 128}, {256, 256}, {1000, 256}};
    leat_pool *pool = NULL;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct leat_pool_options o = {.size = sizeof(o),
                                      .chunk_min = wrong[i].chunk_min,
                                      .chunk_max = wrong[i].chunk_max,
                                      .memory_limit = wrong[i].memory_limit};
        assert_int_equal(leat_pool_new(&pool, &o, &error), -EINVAL);
        assert_non_null(strstr(error.text, wrong[i].text));
    }
    pool = pool_of(0, 16, 256, 0);
    for (size_t i = 0; i < COUNT(right); i++) {
        size_t size;
        struct chunk *chunk = pool_get(pool, 1, right[i][0], &size);
        assert_int_equal(size, right[i][1]);
        memset(chunk->data, 1, size);
        chunk_unref(chunk);
    }
    leat_pool_free(pool);
    leat_pool_free(NULL);
}

static void the_limit_holds_and_smaller_ones_are_taken_instead(void **state UNUSED)
{
    leat_pool *pool = pool_of(112, 16, 64, 0);
    struct chunk *chunk[3];
    size_t size;
    chunk[0] = pool_get(pool, 16, 64, &size);
    assert_int_equal(size, 64);
    chunk[1] = pool_get(pool, 16, 64, &size);
    assert_int_equal(size, 32);
    assert_null(pool_get(pool, 64, 64, &size));
    chunk[2] = pool_get(pool, 16, 64, &size);
    assert_int_equal(size, 16);
    assert_null(pool_get(pool, 1, 1, &size));
    struct leat_pool_usage stats = stats_of(pool);
    assert_true(stats.in_use == 112 && stats.unused == 0 && stats.memory_limit == 112 && stats.most == 112);
    for (size_t i = 0; i < COUNT(chunk); i++)
        chunk_unref(chunk[i]);
    /* What lies in a cache as a chunk of another size is no reason to refuse. */
    chunk[0] = pool_get(pool, 64, 64, &size);
    assert_int_equal(size, 64);
    chunk_unref(chunk[0]);
    leat_pool_free(pool);
}

static void *keep_some(void *user)
{
    struct chunk *chunk[4];
    size_t size;
    for (size_t i = 0; i < COUNT(chunk); i++)
        chunk[i] = pool_get(user, 64, 64, &size);
    for (size_t i = 0; i < COUNT(chunk); i++)
        chunk_unref(chunk[i]);
    return NULL;
}

static void what_another_thread_keeps_is_found(void **state UNUSED)
{
    leat_pool *pool = pool_of(256, 64, 64, 0);
    struct chunk *chunk[4];
    pthread_t thread;
    size_t size;
    assert_int_equal(pthread_create(&thread, NULL, keep_some, pool), 0);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < COUNT(chunk); i++)
        assert_non_null(chunk[i] = pool_get(pool, 64, 64, &size));
    for (size_t i = 0; i < COUNT(chunk); i++)
        chunk_unref(chunk[i]);
    leat_pool_free(pool);
}

static void after_a_rush_it_is_small_again(void **state UNUSED)
{
    enum {
        RUSH = 1000,
    };
    leat_pool *pool = pool_of(0, 4096, 4096, 16384);
    struct chunk *chunk[RUSH];
    size_t size;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < RUSH; i++)
            chunk[i] = pool_get(pool, 4096, 4096, &size);
        for (size_t i = 0; i < RUSH; i++)
            chunk_unref(chunk[i]);
        struct leat_pool_usage stats = stats_of(pool);
        assert_int_equal(stats.in_use, 0);
        assert_in_range(stats.unused, 4096, 65536);
        assert_int_equal(stats.most, RUSH * 4096);
    }
    leat_pool_trim(pool);
    assert_int_equal(stats_of(pool).unused, 0);
    leat_pool_free(pool);
}

static void a_steady_load_makes_nothing_new(void **state UNUSED)
{
    leat_pool *pool = pool_of(0, 4096, 4096, 0);
    struct chunk *chunk[6];
    size_t size;
    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < COUNT(chunk); i++)
            chunk[i] = pool_get(pool, 4096, 4096, &size);
        for (size_t i = 0; i < COUNT(chunk); i++)
            chunk_unref(chunk[i]);
    }
    assert_int_equal(stats_of(pool).handed_out, 6000);
    assert_int_equal(stats_of(pool).made, 6);
    leat_pool_free(pool);
}

static void chunks_outlive_the_pools_owner(void **state UNUSED)
{
    leat_pool *pool = pool_of(0, 64, 64, 0);
    size_t size;
    struct chunk *chunk = pool_get(pool, 64, 64, &size);
    leat_pool_free(pool);
    memset(chunk->data, 1, size);
    chunk_unref(chunk); /* and now it is gone */
}

#define THREADS 4

static void *hand_over(void *user)
{
    static _Atomic(struct chunk *) shelf[8];
    leat_pool *pool = user;
    size_t size;
    for (unsigned i = 0; i < 20000; i++) {
        struct chunk *chunk = pool_get(pool, 64, 64u << i % 3, &size);
        if (chunk)
            memset(chunk->data, (int)i, size);
        chunk_unref(atomic_exchange(&shelf[i % COUNT(shelf)], chunk)); /* somebody else's, most likely */
    }
    for (size_t i = 0; i < COUNT(shelf); i++)
        chunk_unref(atomic_exchange(&shelf[i], NULL));
    return NULL;
}

static void chunks_pass_from_thread_to_thread(void **state UNUSED)
{
    leat_pool *pool = pool_of(2048, 64, 256, 0);
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hand_over, pool), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    struct leat_pool_usage stats = stats_of(pool);
    assert_int_equal(stats.in_use, 0);
    assert_true(stats.most <= 2048);
    leat_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_two_within_bounds),
        cmocka_unit_test(the_limit_holds_and_smaller_ones_are_taken_instead),
        cmocka_unit_test(what_another_thread_keeps_is_found),
        cmocka_unit_test(after_a_rush_it_is_small_again),
        cmocka_unit_test(a_steady_load_makes_nothing_new),
        cmocka_unit_test(chunks_outlive_the_pools_owner),
        cmocka_unit_test(chunks_pass_from_thread_to_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
