/* SPDX-License-Identifier: MIT */
/* The queue: bounded, in order, and its end wakes whoever waits on either side. */
#include "buffer/queue.h"
#include "unit/unit.h"
#include <pthread.h>

struct queue_test {
    struct budget budget;
    struct chunk_pool pool;
    struct chunk_queue queue;
};

static void begin(struct queue_test *t, size_t capacity, size_t chunks)
{
    memset(t, 0, sizeof(*t));
    budget_init(&t->budget, chunks * PAGE);
    assert_int_equal(chunk_pool_init(&t->pool, &t->budget, PAGE, NULL), 0);
    assert_int_equal(chunk_queue_init(&t->queue, capacity), 0);
}

/* Fails if a reference was lost. */
static void end(struct queue_test *t)
{
    chunk_queue_destroy(&t->queue);
    chunk_pool_destroy(&t->pool);
    assert_true(t->budget.used == 0);
}

static struct chunk *numbered(struct queue_test *t, size_t number)
{
    struct chunk *chunk = chunk_get(&t->pool);
    assert_non_null(chunk);
    chunk->length = number;
    return chunk;
}

static void first_in_first_out(void **state UNUSED)
{
    struct queue_test t;
    begin(&t, 3, 3);
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < 2 + round % 2; i++)
            assert_int_equal(chunk_queue_push(&t.queue, numbered(&t, i)), 0);
        for (size_t i = 0; i < 2 + round % 2; i++) {
            struct chunk *chunk = chunk_queue_pop(&t.queue);
            assert_int_equal(chunk->length, i);
            chunk_unref(chunk);
        }
    }
    end(&t);
}

static void after_the_end_what_is_left_and_no_more(void **state UNUSED)
{
    struct queue_test t;
    begin(&t, 3, 3);
    chunk_queue_push(&t.queue, numbered(&t, 1));
    chunk_queue_push(&t.queue, numbered(&t, 2));
    chunk_queue_end(&t.queue);
    chunk_queue_end(&t.queue);
    assert_int_equal(chunk_queue_push(&t.queue, numbered(&t, 3)), -EPIPE);
    for (size_t i = 1; i <= 2; i++) {
        struct chunk *chunk = chunk_queue_pop(&t.queue);
        assert_int_equal(chunk->length, i);
        chunk_unref(chunk);
    }
    assert_null(chunk_queue_pop(&t.queue));
    assert_null(chunk_queue_pop(&t.queue));
    end(&t);
}

static void what_is_left_is_dropped(void **state UNUSED)
{
    struct queue_test t;
    begin(&t, 4, 4);
    struct chunk *kept = numbered(&t, 0);
    chunk_queue_push(&t.queue, chunk_ref(kept));
    chunk_queue_push(&t.queue, numbered(&t, 1));
    chunk_queue_destroy(&t.queue);
    assert_int_equal(kept->refs, 1);
    chunk_unref(kept);
    assert_int_equal(chunk_queue_init(&t.queue, 1), 0);
    end(&t);
}

static void *push_one_more(void *user)
{
    struct queue_test *t = user;
    struct chunk *chunk = chunk_get(&t->pool);
    return chunk_queue_push(&t->queue, chunk) == -EPIPE ? NULL : t;
}

static void *pop_one(void *user)
{
    struct queue_test *t = user;
    struct chunk *chunk = chunk_queue_pop(&t->queue);
    chunk_unref(chunk);
    return chunk;
}

static void the_end_wakes_a_producer_that_waits(void **state UNUSED)
{
    struct queue_test t;
    pthread_t thread;
    void *result;
    begin(&t, 1, 2);
    chunk_queue_push(&t.queue, numbered(&t, 0));
    assert_int_equal(pthread_create(&thread, NULL, push_one_more, &t), 0);
    usleep(10000); /* most likely it waits by now; if not, the result is the same */
    chunk_queue_end(&t.queue);
    pthread_join(thread, &result);
    assert_null(result);
    end(&t);
}

static void the_end_wakes_all_consumers_that_wait(void **state UNUSED)
{
    struct queue_test t;
    pthread_t thread[3];
    void *result;
    begin(&t, 1, 1);
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, pop_one, &t), 0);
    usleep(10000);
    chunk_queue_end(&t.queue);
    for (size_t i = 0; i < COUNT(thread); i++) {
        pthread_join(thread[i], &result);
        assert_null(result);
    }
    end(&t);
}

/* ---- several on each side ---- */

#define SIDE     3
#define EACH     2000
#define CAPACITY 4

struct crowd {
    struct queue_test t;
    _Atomic size_t sum, count;
};

static void *produce(void *user)
{
    struct crowd *c = user;
    for (size_t i = 1; i <= EACH; i++) {
        struct chunk *chunk = chunk_get(&c->t.pool);
        chunk->length = i;
        chunk_queue_push(&c->t.queue, chunk);
    }
    return NULL;
}

static void *consume(void *user)
{
    struct crowd *c = user;
    struct chunk *chunk;
    while ((chunk = chunk_queue_pop(&c->t.queue))) {
        atomic_fetch_add(&c->sum, chunk->length);
        atomic_fetch_add(&c->count, 1);
        chunk_unref(chunk);
    }
    return NULL;
}

static void each_chunk_arrives_once(void **state UNUSED)
{
    struct crowd c;
    pthread_t producer[SIDE], consumer[SIDE];
    memset(&c, 0, sizeof(c));
    begin(&c.t, CAPACITY, CAPACITY + 2 * SIDE); /* no more than these can be on their way */
    for (size_t i = 0; i < SIDE; i++) {
        assert_int_equal(pthread_create(&producer[i], NULL, produce, &c), 0);
        assert_int_equal(pthread_create(&consumer[i], NULL, consume, &c), 0);
    }
    for (size_t i = 0; i < SIDE; i++)
        pthread_join(producer[i], NULL);
    chunk_queue_end(&c.t.queue);
    for (size_t i = 0; i < SIDE; i++)
        pthread_join(consumer[i], NULL);
    assert_int_equal(c.count, SIDE * EACH);
    assert_int_equal(c.sum, (size_t)SIDE * EACH * (EACH + 1) / 2);
    assert_true(c.t.pool.made <= CAPACITY + 2 * SIDE);
    end(&c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(after_the_end_what_is_left_and_no_more),
        cmocka_unit_test(what_is_left_is_dropped),
        cmocka_unit_test(the_end_wakes_a_producer_that_waits),
        cmocka_unit_test(the_end_wakes_all_consumers_that_wait),
        cmocka_unit_test(each_chunk_arrives_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
