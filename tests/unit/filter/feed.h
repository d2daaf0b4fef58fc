/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of the digest filter: a pattern, and feeding it in odd pieces as a route would. */
#ifndef TESTS_FILTER_FEED_H
#define TESTS_FILTER_FEED_H

#include "node/filter.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FEED_CHUNK 16384u

struct feed {
    struct budget budget;
    struct chunk_pool pool;
};

static inline uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8));
}

/* The memory budget is small, so that the feeder waits for a filter that lags. */
static inline void feed_init(struct feed *feed)
{
    budget_init(&feed->budget, 8 * FEED_CHUNK);
    assert_int_equal(chunk_pool_init(&feed->pool, &feed->budget, FEED_CHUNK, NULL), 0);
}

/* Fails if a filter kept a chunk. */
static inline void feed_destroy(struct feed *feed)
{
    chunk_pool_destroy(&feed->pool);
    assert_true(budget_left(&feed->budget) == 8 * FEED_CHUNK);
}

static inline struct chunk *feed_get(struct feed *feed)
{
    struct chunk *chunk;
    while (!(chunk = chunk_get(&feed->pool)))
        sched_yield();
    return chunk;
}

static inline void feed_bytes(struct feed *feed, leat_filter *filter, const uint8_t *bytes, size_t n)
{
    static const size_t pieces[] = {1, 3, 64, 4095, 4096, 4097, 10007, FEED_CHUNK};
    for (size_t i = 0, part; n > 0; i++, bytes += part, n -= part) {
        struct chunk *chunk = feed_get(feed);
        part = MIN(n, pieces[i % COUNT(pieces)]);
        memcpy(chunk->data, bytes, part);
        chunk->length = part;
        filter->ops->observe(filter, chunk, NULL);
        chunk_unref(chunk);
    }
}

/* Feeds a hole: the bytes are zeros, whatever the chunk's memory has. */
static inline void feed_hole(struct feed *feed, leat_filter *filter, size_t n)
{
    struct chunk *chunk = feed_get(feed);
    memset(chunk->data, 0xa5, FEED_CHUNK);
    chunk->length = n;
    chunk->hole = true;
    filter->ops->observe(filter, chunk, NULL);
    chunk_unref(chunk);
}

/* Calls start, feeds the bytes and calls finish. */
static inline void feed_all(leat_filter *filter, const uint8_t *bytes, size_t n)
{
    struct feed feed;
    struct leat_error error = LEAT_INIT(struct leat_error);
    feed_init(&feed);
    assert_int_equal(filter->ops->start(filter, n, &error), 0);
    feed_bytes(&feed, filter, bytes, n);
    assert_int_equal(filter->ops->finish(filter, 0, &error), 0);
    feed_destroy(&feed);
}

#endif
