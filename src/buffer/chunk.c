/* SPDX-License-Identifier: MIT */
#include "buffer/pool.h"
#include <errno.h>

#define CACHE_LINE 64

static size_t round_to_pages(size_t n)
{
    return (n + PAGE - 1) / PAGE * PAGE;
}

/* ---- life ---- */

int chunk_pool_init(struct chunk_pool *pool, struct budget *budget, size_t chunk_size, struct port *waiting)
{
    *pool = (struct chunk_pool){.budget = budget, .chunk_size = round_to_pages(chunk_size), .waiting = waiting};
    return -pthread_mutex_init(&pool->lock, NULL);
}

void chunk_pool_share(struct chunk_pool *pool, leat_pool *store)
{
    if (!store)
        store = pool_default();
    if (store && pool_lends(store, pool->chunk_size))
        pool->store = pool_ref(store);
}

void chunk_pool_destroy(struct chunk_pool *pool)
{
    chunk_pool_trim(pool, SIZE_MAX);
    if (pool->store)
        pool_unref(pool->store);
    pthread_mutex_destroy(&pool->lock);
}

/* ---- making chunks ---- */

/* The budget does not pay for the struct of a chunk: it has less than 100 bytes, and the memory of a chunk has pages.
 */
struct chunk *chunk_new(size_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    void *data = NULL;
    if (!chunk || posix_memalign(&data, size < PAGE ? CACHE_LINE : PAGE, size) != 0) {
        free(chunk);
        return NULL;
    }
    chunk->data = data;
    return chunk;
}

void chunk_free(struct chunk *chunk)
{
    free(chunk->data);
    free(chunk);
}

static struct chunk *make(struct chunk_pool *pool)
{
    if ((pool->most && pool->made >= pool->most) || !budget_take(pool->budget, pool->chunk_size))
        return NULL;
    struct chunk *chunk = pool->store ? pool_lend(pool->store, pool->chunk_size) : chunk_new(pool->chunk_size);
    if (!chunk) {
        budget_give(pool->budget, pool->chunk_size);
        pool->out_of_memory = true;
        return NULL;
    }
    chunk->pool = pool;
    return chunk;
}

/* The caller holds the lock. */
static void free_one(struct chunk_pool *pool, struct chunk *chunk)
{
    if (pool->store)
        pool_take_back(pool->store, chunk, pool->chunk_size);
    else
        chunk_free(chunk);
    pool->made--;
    budget_give(pool->budget, pool->chunk_size);
}

size_t chunk_pool_trim(struct chunk_pool *pool, size_t most)
{
    size_t n = 0;
    pthread_mutex_lock(&pool->lock);
    for (; pool->free_list && n < most; n++) {
        struct chunk *chunk = pool->free_list;
        pool->free_list = chunk->next;
        free_one(pool, chunk);
    }
    pthread_mutex_unlock(&pool->lock);
    return n;
}

void chunk_pool_keep(struct chunk_pool *pool, size_t most)
{
    pthread_mutex_lock(&pool->lock);
    struct chunk **at = &pool->free_list;
    for (; *at && most; most--) {
        pool->free_last = *at;
        at = &(*at)->next;
    }
    for (struct chunk *chunk = *at, *next; chunk; chunk = next) {
        next = chunk->next;
        free_one(pool, chunk);
    }
    *at = NULL;
    pthread_mutex_unlock(&pool->lock);
}

int chunk_pool_prepare(struct chunk_pool *pool, size_t n)
{
    struct chunk *got = NULL, *chunk = NULL;
    while (pool->made < n && (chunk = chunk_get(pool))) {
        chunk->next = got;
        got = chunk;
    }
    int r = pool->made >= n ? 0 : pool->out_of_memory ? -ENOMEM : -ENOBUFS;
    while ((chunk = got)) {
        got = chunk->next;
        chunk_unref(chunk);
    }
    return r;
}

/* ---- chunks ---- */

struct chunk *chunk_get(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct chunk *chunk = pool->free_list;
    if (chunk)
        pool->free_list = chunk->next;
    else if ((chunk = make(pool))) {
        pool->made++;
        pool->allocated++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (chunk) {
        atomic_store_explicit(&chunk->refs, 1, memory_order_relaxed);
        chunk->length = 0;
        chunk->hole = false;
        chunk->next = NULL;
        chunk->release = chunk_give_back;
    }
    return chunk;
}

bool chunk_pool_has(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool may_make = !pool->out_of_memory && (!pool->most || pool->made < pool->most);
    bool has = pool->free_list || (may_make && budget_left(pool->budget) >= pool->chunk_size);
    pthread_mutex_unlock(&pool->lock);
    return has;
}

/* The caller holds the lock. */
static size_t count_back(const struct chunk_pool *pool)
{
    size_t n = 0;
    for (const struct chunk *chunk = pool->free_list; chunk; chunk = chunk->next)
        n++;
    return n;
}

size_t chunk_pool_left(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t n = (size_t)(budget_left(pool->budget) / pool->chunk_size);
    if (pool->most)
        n = MIN(n, pool->most - pool->made);
    n += count_back(pool);
    pthread_mutex_unlock(&pool->lock);
    return n;
}

bool chunk_pool_is_whole(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool whole = count_back(pool) == pool->made;
    pthread_mutex_unlock(&pool->lock);
    return whole;
}

struct chunk *chunk_ref(struct chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
    return chunk;
}

static void put_back(struct chunk_pool *pool, struct chunk *chunk)
{
    bool behind = pool->oldest_first && pool->free_list;
    chunk->next = behind ? NULL : pool->free_list;
    if (behind)
        pool->free_last->next = chunk;
    else
        pool->free_list = chunk;
    if (!chunk->next)
        pool->free_last = chunk;
}

void chunk_give_back(struct chunk *chunk)
{
    struct chunk_pool *pool = chunk->pool;
    pthread_mutex_lock(&pool->lock);
    put_back(pool, chunk);
    pool->out_of_memory = false;
    if (pool->waiting)
        port_notify(pool->waiting);
    void (*released)(void *) = pool->released;
    void *user = pool->user;
    pthread_mutex_unlock(&pool->lock);
    if (released)
        released(user);
}

static void stand_no_more(struct chunk *chunk)
{
    chunk->data = chunk->own;
    chunk->other = chunk_unref(chunk->other);
    chunk_give_back(chunk);
}

void chunk_stand_for(struct chunk *chunk, struct chunk *other, uint8_t *bytes, size_t n)
{
    chunk->other = chunk_ref(other);
    chunk->own = chunk->data;
    chunk->data = bytes;
    chunk->length = n;
    chunk->release = stand_no_more;
}

struct chunk *chunk_unref(struct chunk *chunk)
{
    if (chunk && atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) == 1)
        chunk->release(chunk);
    return NULL;
}

int chunk_show(const struct chunk *chunk, int (*take)(void *user, const void *bytes, size_t n), void *user)
{
    static const uint8_t zeros[64 * 1024];
    if (!chunk->hole)
        return take(user, chunk->data, chunk->length);
    int r = 0;
    for (size_t part, left = chunk->length; left > 0 && r == 0; left -= part) {
        part = MIN(left, sizeof(zeros));
        r = take(user, zeros, part);
    }
    return r;
}
