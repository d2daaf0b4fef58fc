/* leat/pool.h: memory that streams, pipes and pipelines share.
 *
 * A *pool* hands out chunks in sizes that are powers of two, and keeps what comes back for the next who needs one, of
 * whatever kind. The process has one, which has no limit and is what NULL stands for wherever a pool may be given; so
 * there is nothing to do here but to look, or to set a limit for some of them together.
 *
 * Each thread has a small cache of its own. What is kept unused is never more than what is in use, or `keep` if that is
 * more: a pool shrinks when a rush is over. A stream gives each chunk back when its bytes were read; a pipe, or a
 * pipeline while it runs, keeps the chunks it has until it ends, and they count as in use.
 *
 * Two limits hold, each by itself: the pool's, and the one that a pipe or a pipeline has of its own. Both of these take
 * the chunks they can't do without when they begin, or are refused with -ENOMEM; then they do with what they have, and
 * never wait for memory that others have. Where a pipe was told a chunk size, or a limit so small, that the pool has no
 * such chunks, they are its own and don't count here.
 *
 * Threads: any, at any time.
 */
#ifndef LEAT_POOL_H
#define LEAT_POOL_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_pool leat_pool;

struct leat_pool_options {
    size_t size;
    uint64_t memory_limit; /* of all chunks together, unused ones included; 0: none */
    uint64_t chunk_min;    /* the smallest chunk, a power of two; 0: 4 KiB */
    /* The largest one that a stream gets; 0: 64 KiB, or chunk_min if that is more. At most 1 GiB. Pipes and pipelines
     * may get larger ones, up to 1 MiB. */
    uint64_t chunk_max;
    uint64_t keep; /* bytes that are kept unused in any case; 0: 1 MiB */
};

struct leat_pool_usage {
    size_t size;
    uint64_t memory_limit; /* 0: none */
    uint64_t in_use;       /* bytes of the chunks that somebody has */
    uint64_t unused;       /* bytes of those that are kept */
    uint64_t most;         /* the most there ever were, of both together */
    uint64_t handed_out;   /* chunks, since it was made */
    uint64_t made;         /* chunks that were allocated for that; the others were there already */
};

/* -EINVAL: sizes that are no powers of two, or a limit below the smallest chunk. */
LEAT_API int leat_pool_new(leat_pool **ret, const struct leat_pool_options *options);

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* it has the name of its struct, as stat(2) has */
#endif
LEAT_API int leat_pool_stats(leat_pool *pool, struct leat_pool_usage *ret);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/* Frees all that is unused now. */
LEAT_API void leat_pool_trim(leat_pool *pool);

/* Gives the pool up: it is gone once all that have it, or chunks of it, are. NULL is allowed. */
LEAT_API void leat_pool_free(leat_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
