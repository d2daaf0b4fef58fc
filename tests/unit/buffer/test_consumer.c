/* SPDX-License-Identifier: MIT */
/* A thread that takes chunks: all of them, in order, and none is left at the stop. */
#include "buffer/consumer.h"
#include "unit/unit.h"

struct taken {
    struct budget budget;
    struct chunk_pool pool;
    struct chunk_consumer consumer;
    size_t n;
    bool disordered;
    pthread_t thread;
};

static void take(void *user, const struct chunk *chunk)
{
    struct taken *t = user;
    t->disordered |= chunk->length != t->n % 50;
    t->thread = pthread_self();
    t->n++;
}

static void give(struct taken *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct chunk *chunk;
        while (!(chunk = chunk_get(&t->pool))) /* all lie in the queue */
            usleep(100);
        chunk->length = i % 50;
        chunk_consumer_give(&t->consumer, chunk);
        chunk_unref(chunk);
    }
}

static void begin(struct taken *t)
{
    memset(t, 0, sizeof(*t));
    budget_init(&t->budget, 100 * PAGE);
    assert_int_equal(chunk_pool_init(&t->pool, &t->budget, PAGE, NULL), 0);
    chunk_consumer_init(&t->consumer, take, t);
}

static void end(struct taken *t, size_t n)
{
    chunk_consumer_stop(&t->consumer);
    assert_int_equal(t->n, n);
    assert_false(t->disordered);
    assert_true(chunk_pool_is_whole(&t->pool));
    chunk_pool_destroy(&t->pool);
}

static void a_thread_takes_all_in_order(void **state UNUSED)
{
    struct taken t;
    begin(&t);
    for (int round = 1; round <= 2; round++) { /* it may be started again */
        chunk_consumer_start(&t.consumer);
        chunk_consumer_start(&t.consumer);
        give(&t, 1000);
        chunk_consumer_stop(&t.consumer);
        assert_int_equal(t.n, round * 1000);
        assert_false(pthread_equal(t.thread, pthread_self()));
    }
    end(&t, 2000);
}

static void without_a_thread_the_giver_takes(void **state UNUSED)
{
    struct taken t;
    begin(&t);
    give(&t, 3);
    assert_int_equal(t.n, 3);
    assert_true(pthread_equal(t.thread, pthread_self()));
    end(&t, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_takes_all_in_order),
        cmocka_unit_test(without_a_thread_the_giver_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
