/* SPDX-License-Identifier: MIT */
/* Chunks: paid for, aligned, given back by the last reference from whatever thread, and somebody is told. */
#include "buffer/chunk.h"
#include "unit/unit.h"
#include <pthread.h>
#include <sched.h>

static void the_budget_bounds_the_pool(void **state UNUSED)
{
    struct budget budget;
    struct chunk_pool pool;
    struct chunk *chunk[4];
    budget_init(&budget, 4 * PAGE + 100);
    assert_int_equal(chunk_pool_init(&pool, &budget, PAGE, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        chunk[i] = chunk_get(&pool);
        assert_non_null(chunk[i]);
    }
    assert_null(chunk_get(&pool));
    assert_int_equal(pool.made, 4);
    assert_true(budget_left(&budget) == 100);
    struct chunk *third = chunk[2];
    assert_null(chunk_unref(chunk[2]));
    assert_ptr_equal(chunk_get(&pool), third);
    assert_null(chunk_get(&pool));
    for (size_t i = 0; i < 4; i++)
        chunk_unref(chunk[i]);
    assert_true(budget_left(&budget) == 100); /* they are kept for the next */
    chunk_pool_destroy(&pool);
    assert_true(budget_left(&budget) == 4 * PAGE + 100);
}

static void sizes_are_whole_pages_and_aligned(void **state UNUSED)
{
    static const size_t sizes[] = {1, PAGE - 1, PAGE, PAGE + 1, 65536, 3 * 1024 * 1024 + 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct budget budget;
        struct chunk_pool pool;
        budget_init(&budget, 1 << 24);
        assert_int_equal(chunk_pool_init(&pool, &budget, sizes[i], NULL), 0);
        assert_true(pool.chunk_size >= sizes[i] && pool.chunk_size < sizes[i] + PAGE && pool.chunk_size % PAGE == 0);
        struct chunk *chunk = chunk_get(&pool);
        assert_int_equal((uintptr_t)chunk->data % PAGE, 0);
        memset(chunk->data, 1, pool.chunk_size);
        chunk_unref(chunk);
        chunk_pool_destroy(&pool);
    }
}

static void a_chunk_comes_back_empty(void **state UNUSED)
{
    struct budget budget;
    struct chunk_pool pool;
    budget_init(&budget, PAGE);
    assert_int_equal(chunk_pool_init(&pool, &budget, PAGE, NULL), 0);
    struct chunk *chunk = chunk_get(&pool);
    assert_ptr_equal(chunk_ref(chunk), chunk);
    chunk->length = 5;
    chunk->hole = true;
    chunk_unref(chunk);
    assert_null(chunk_get(&pool)); /* one reference is left */
    chunk_unref(chunk);
    chunk = chunk_get(&pool);
    assert_true(chunk->length == 0 && !chunk->hole && chunk->refs == 1);
    chunk_unref(chunk);
    assert_null(chunk_unref(NULL));
    chunk_pool_destroy(&pool);
}

static void two_pools_share_a_budget(void **state UNUSED)
{
    struct budget budget;
    struct chunk_pool a, b;
    budget_init(&budget, 3 * PAGE);
    assert_int_equal(chunk_pool_init(&a, &budget, PAGE, NULL), 0);
    assert_int_equal(chunk_pool_init(&b, &budget, 2 * PAGE, NULL), 0);
    struct chunk *one = chunk_get(&a), *two = chunk_get(&a);
    assert_null(chunk_get(&b));
    chunk_unref(one);
    chunk_unref(two);
    assert_null(chunk_get(&b)); /* a still has them */
    chunk_pool_destroy(&a);
    one = chunk_get(&b);
    assert_non_null(one);
    chunk_unref(one);
    chunk_pool_destroy(&b);
}

static void the_last_reference_notifies(void **state UNUSED)
{
    struct budget budget;
    struct chunk_pool pool;
    struct port port;
    port_init(&port, -1, 0);
    port.blocked = true;
    budget_init(&budget, PAGE);
    assert_int_equal(chunk_pool_init(&pool, &budget, PAGE, &port), 0);
    struct chunk *chunk = chunk_ref(chunk_get(&pool));
    chunk_unref(chunk);
    assert_false(port_take_notice(&port));
    chunk_unref(chunk);
    assert_true(port_take_notice(&port));
    assert_false(port.blocked);
    chunk_pool_destroy(&pool);
}

/* Each chunk is handed to all threads; each looks at it and lets go. Whoever is last puts it back. */
#define THREADS 4
#define CHUNKS  3
#define ROUNDS  2000

struct crowd {
    struct budget budget;
    struct chunk_pool pool;
    _Atomic(struct chunk *) slot[THREADS];
    atomic_bool over, wrong;
};

struct one {
    struct crowd *crowd;
    size_t index;
};

static void *look_and_let_go(void *user)
{
    struct one *one = user;
    struct crowd *c = one->crowd;
    for (;;) {
        bool over = atomic_load(&c->over); /* then this look is the last: nothing is handed over any more */
        struct chunk *chunk = atomic_exchange(&c->slot[one->index], NULL);
        if (chunk) {
            for (size_t i = 1; i < chunk->length; i++)
                if (chunk->data[i] != chunk->data[0])
                    atomic_store(&c->wrong, true);
            chunk_unref(chunk);
        } else if (over)
            return NULL;
        else
            sched_yield();
    }
}

static struct chunk *wait_for_chunk(struct crowd *c)
{
    struct chunk *chunk;
    while (!(chunk = chunk_get(&c->pool)))
        sched_yield();
    return chunk;
}

static void many_threads_share_a_chunk(void **state UNUSED)
{
    struct crowd c;
    struct one one[THREADS];
    pthread_t thread[THREADS];
    int64_t until = clock_ns() + 300000000;
    memset(&c, 0, sizeof(c));
    budget_init(&c.budget, CHUNKS * PAGE);
    assert_int_equal(chunk_pool_init(&c.pool, &c.budget, PAGE, NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        one[i] = (struct one){&c, i};
        assert_int_equal(pthread_create(&thread[i], NULL, look_and_let_go, &one[i]), 0);
    }
    for (unsigned round = 0; round < ROUNDS && clock_ns() < until; round++) {
        struct chunk *chunk = wait_for_chunk(&c);
        chunk->length = 64;
        memset(chunk->data, (int)(round & 255), chunk->length);
        for (size_t i = 0; i < THREADS; i++) {
            struct chunk *expected = NULL;
            chunk_ref(chunk);
            while (!atomic_compare_exchange_weak(&c.slot[i], &expected, chunk)) {
                expected = NULL;
                sched_yield();
            }
        }
        chunk_unref(chunk);
    }
    atomic_store(&c.over, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_false(c.wrong);
    assert_true(c.pool.made <= CHUNKS);
    chunk_pool_destroy(&c.pool);
    assert_true(c.budget.used == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_bounds_the_pool),  cmocka_unit_test(sizes_are_whole_pages_and_aligned),
        cmocka_unit_test(a_chunk_comes_back_empty),    cmocka_unit_test(two_pools_share_a_budget),
        cmocka_unit_test(the_last_reference_notifies), cmocka_unit_test(many_threads_share_a_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
