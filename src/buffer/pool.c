/* SPDX-License-Identifier: MIT */
#include "buffer/pool.h"
#include "base/error.h"
#include "base/origin.h"
#include <errno.h>

#define CLASSES        31 /* 1 byte to 1 GiB */
#define CACHES         16
#define CACHED_CHUNKS  8     /* of each size, in each cache */
#define CACHED_BYTES   65536 /* larger chunks are not cached */
#define CHUNK_MIN      4096
#define CHUNK_MAX      65536
#define LENT_MAX       (UINT64_C(1) << 20)
#define KEEP_DEFAULT   (UINT64_C(1) << 20)
#define SIZE_OF(class) ((size_t)1 << (class))

struct cache {
    pthread_mutex_t lock;
    struct chunk *list[CLASSES];
    unsigned count[CLASSES];
};

struct leat_pool {
    atomic_size_t refs;
    unsigned origin;
    struct budget budget;       /* pays for all chunks, also unused ones */
    unsigned smallest, largest; /* sizes that streams get, */
    unsigned last;              /* and the largest size of all */
    uint64_t keep;
    _Atomic uint64_t in_use;
    _Atomic uint64_t handed_out;
    struct chunk_pool class[CLASSES];
    struct cache cache[CACHES];
};

/* ---- life ---- */

static unsigned class_of(uint64_t size)
{
    unsigned class = 0;
    while (class < CLASSES && SIZE_OF(class) < size)
        class ++;
    return class;
}

static bool is_size(uint64_t size)
{
    return size && (size & (size - 1)) == 0 && class_of(size) < CLASSES;
}

static void destroy(leat_pool *pool)
{
    leat_pool_trim(pool);
    for (unsigned i = pool->smallest; i <= pool->last; i++)
        chunk_pool_destroy(&pool->class[i]);
    for (unsigned i = 0; i < CACHES; i++)
        pthread_mutex_destroy(&pool->cache[i].lock);
    free(pool);
}

/* Returns what is wrong with the options and what is allowed, or NULL. */
static const char *find_wrong(const struct leat_pool_options *o)
{
    if (!is_size(o->chunk_min))
        return "chunk_min must be a power of two, at most 1073741824 (1 GiB)";
    if (!is_size(o->chunk_max))
        return "chunk_max must be a power of two, at most 1073741824 (1 GiB)";
    if (o->chunk_max < o->chunk_min)
        return "chunk_max must be at least chunk_min, which is 4096 if it is not given";
    if (o->memory_limit && o->memory_limit < o->chunk_min)
        return "memory_limit must be at least chunk_min, which is 4096 if it is not given";
    return NULL;
}

static int make(leat_pool **ret, const struct leat_pool_options *options, struct leat_error *error)
{
    struct leat_pool_options o;
    int r = options_copy(&o, sizeof(o), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "pool", "new", "The options are not those of this version");
    o.chunk_min = o.chunk_min ? o.chunk_min : CHUNK_MIN;
    o.chunk_max = o.chunk_max ? o.chunk_max : MAX(CHUNK_MAX, o.chunk_min);
    const char *wrong = find_wrong(&o);
    if (wrong)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "pool", "new", "%s", wrong);
    leat_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return -ENOMEM;
    atomic_init(&pool->refs, 1);
    pool->origin = origin_here();
    budget_init(&pool->budget, o.memory_limit ? o.memory_limit : UINT64_MAX);
    pool->keep = o.keep ? o.keep : KEEP_DEFAULT;
    pool->smallest = class_of(o.chunk_min);
    pool->largest = class_of(o.chunk_max);
    pool->last = MAX(pool->largest, class_of(LENT_MAX));
    for (unsigned i = pool->smallest; i <= pool->last; i++) {
        chunk_pool_init(&pool->class[i], &pool -> budget, SIZE_OF(i), NULL);
        pool->class[i].chunk_size = SIZE_OF(i); /* a size below a page is not rounded up */
    }
    for (unsigned i = 0; i < CACHES; i++)
        pthread_mutex_init(&pool->cache[i].lock, NULL);
    *ret = pool;
    return 0;
}

int leat_pool_new(leat_pool **ret_pool, const struct leat_pool_options *options, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_pool, options, &error));
}

/* A child process makes a pool of its own, because the locks of its parent's pool may be held for ever. */
leat_pool *pool_default(void)
{
    static _Atomic(leat_pool *) of_process;
    leat_pool *pool = atomic_load(&of_process), *fresh;
    if (pool && origin_is_here(pool->origin))
        return pool;
    if (leat_pool_new(&fresh, NULL, NULL) < 0)
        return NULL;
    if (atomic_compare_exchange_strong(&of_process, &pool, fresh))
        return fresh;
    destroy(fresh);
    return pool;
}

leat_pool *pool_ref(leat_pool *pool)
{
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

void pool_unref(leat_pool *pool)
{
    if (origin_is_here(pool->origin) && atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) == 1)
        destroy(pool);
}

bool pool_is_here(const leat_pool *pool)
{
    return origin_is_here(pool->origin);
}

void leat_pool_free(leat_pool *pool)
{
    if (pool)
        pool_unref(pool);
}

size_t pool_chunk_min(const leat_pool *pool)
{
    return SIZE_OF(pool->smallest);
}

size_t pool_chunk_max(const leat_pool *pool)
{
    return SIZE_OF(pool->largest);
}

/* ---- caches ---- */

static struct cache *my_cache(leat_pool *pool)
{
    static atomic_uint threads;
    static _Thread_local unsigned number; /* 0: the thread has no number yet */
    if (!number)
        number = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % CACHES;
    return &pool->cache[number - 1];
}

static struct chunk *take_cached(struct cache *cache, unsigned class)
{
    pthread_mutex_lock(&cache->lock);
    struct chunk *chunk = cache->list[class];
    if (chunk) {
        cache->list[class] = chunk->next;
        cache->count[class]--;
    }
    pthread_mutex_unlock(&cache->lock);
    return chunk;
}

static bool put_cached(struct cache *cache, unsigned class, struct chunk *chunk)
{
    if (SIZE_OF(class) > CACHED_BYTES)
        return false;
    pthread_mutex_lock(&cache->lock);
    bool room = cache->count[class] < CACHED_CHUNKS;
    if (room) {
        chunk->next = cache->list[class];
        cache->list[class] = chunk;
        cache->count[class]++;
    }
    pthread_mutex_unlock(&cache->lock);
    return room;
}

static void empty_caches(leat_pool *pool)
{
    for (unsigned i = 0; i < CACHES; i++)
        for (unsigned class = pool->smallest; class <= pool->last; class ++)
            for (struct chunk *chunk; (chunk = take_cached(&pool->cache[i], class));)
                chunk_give_back(chunk);
}

/* ---- chunks ---- */

static uint64_t unused(leat_pool *pool)
{
    uint64_t all = atomic_load(&pool->budget.used), used = atomic_load(&pool->in_use);
    return all > used ? all - used : 0;
}

/* Puts away a chunk that is no longer in use. */
static void put(leat_pool *pool, unsigned class, struct chunk *chunk)
{
    uint64_t used = atomic_fetch_sub(&pool->in_use, SIZE_OF(class)) - SIZE_OF(class);
    if (unused(pool) > MAX(pool->keep, used)) {
        chunk_give_back(chunk);
        chunk_pool_trim(&pool->class[class], 2);
    } else if (!put_cached(my_cache(pool), class, chunk))
        chunk_give_back(chunk);
}

static void release(struct chunk *chunk)
{
    leat_pool *pool = (leat_pool *)(void *)((char *)chunk->pool->budget - offsetof(leat_pool, budget));
    if (!origin_is_here(pool->origin))
        return;
    put(pool, (unsigned)(chunk->pool - pool->class), chunk);
    pool_unref(pool);
}

static struct chunk *find(leat_pool *pool, unsigned class)
{
    struct chunk *chunk = take_cached(my_cache(pool), class);
    if (chunk) {
        atomic_store_explicit(&chunk->refs, 1, memory_order_relaxed);
        return chunk;
    }
    chunk = chunk_get(&pool->class[class]);
    if (!chunk && unused(pool)) { /* frees unused chunks of other threads and sizes */
        leat_pool_trim(pool);
        chunk = chunk_get(&pool->class[class]);
    }
    return chunk;
}

static struct chunk *get(leat_pool *pool, unsigned class)
{
    struct chunk *chunk = find(pool, class);
    if (chunk) {
        atomic_fetch_add(&pool->in_use, SIZE_OF(class));
        atomic_fetch_add_explicit(&pool->handed_out, 1, memory_order_relaxed);
    }
    return chunk;
}

static unsigned class_within(const leat_pool *pool, size_t size)
{
    return MIN(MAX(class_of(size), pool->smallest), pool->largest);
}

struct chunk *pool_get(leat_pool *pool, size_t least, size_t wish, size_t *ret_size)
{
    unsigned class = class_within(pool, wish), last = class_within(pool, least);
    struct chunk *chunk = get(pool, class);
    while (!chunk && class > last)
        chunk = get(pool, --class);
    if (!chunk)
        return NULL;
    chunk->release = release;
    pool_ref(pool);
    *ret_size = SIZE_OF(class);
    return chunk;
}

/* ---- lending ---- */

bool pool_lends(const leat_pool *pool, size_t size)
{
    return is_size(size) && class_of(size) >= pool->smallest && class_of(size) <= pool->last;
}

struct chunk *pool_lend(leat_pool *pool, size_t size)
{
    return get(pool, class_of(size));
}

void pool_take_back(leat_pool *pool, struct chunk *chunk, size_t size)
{
    if (!origin_is_here(pool->origin))
        return;
    chunk->pool = &pool->class[class_of(size)];
    put(pool, class_of(size), chunk);
}

size_t pool_size_within(size_t most)
{
    size_t size = 1;
    while (size <= most / 2 && size < SIZE_OF(CLASSES - 1))
        size *= 2;
    return size;
}

/* ---- the whole pool ---- */

void leat_pool_trim(leat_pool *pool)
{
    empty_caches(pool);
    for (unsigned i = pool->smallest; i <= pool->last; i++)
        chunk_pool_trim(&pool->class[i], SIZE_MAX);
}

static uint64_t allocated(leat_pool *pool)
{
    uint64_t n = 0;
    for (unsigned i = pool->smallest; i <= pool->last; i++) {
        pthread_mutex_lock(&pool->class[i].lock);
        n += pool->class[i].allocated;
        pthread_mutex_unlock(&pool->class[i].lock);
    }
    return n;
}

int leat_pool_stats(leat_pool *pool, struct leat_pool_usage *ret_usage)
{
    struct leat_pool_usage s = {
        .memory_limit = pool->budget.limit == UINT64_MAX ? 0 : pool->budget.limit,
        .in_use = atomic_load(&pool->in_use),
        .unused = unused(pool),
        .most = atomic_load(&pool->budget.peak),
        .handed_out = atomic_load(&pool->handed_out),
        .made = allocated(pool),
    };
    return return_sized(ret_usage, &s, sizeof(s));
}
