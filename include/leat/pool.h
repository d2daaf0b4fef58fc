/* SPDX-License-Identifier: MIT */
/** @file leat/pool.h
 * Pools: memory that streams, pipes and pipelines share.
 *
 * A *pool* hands out chunks in sizes that are powers of two. It keeps a chunk that comes back for the next user of that
 * size, whether that is a stream, a pipe or a pipeline. The process has one pool, which has no limit. It is used
 * wherever a pool may be given and NULL is given. So a program needs this header only to look at a pool, or to set a
 * limit for several users together.
 *
 * Unused memory
 * -------------
 *   - There are 16 small caches of chunks. Each thread uses one of them, and two threads may use the same one.
 *   - The pool never keeps more unused memory than there is in use, or than `keep` if that is more. So the pool shrinks
 *     after a peak.
 *   - A stream gives each chunk back when its bytes were read. A pipe keeps its chunks until it ends, and so does a
 *     pipeline while it runs. These chunks count as in use.
 *
 * Limits
 * ------
 *   - The limit of the pool, and the limit that a pipe or a pipeline has of its own, hold independently.
 *   - A pipe or a pipeline takes the chunks that it can't do without when it begins. If it can't get them, it is
 *     refused with -ENOMEM. Afterwards it works with the chunks that it has, and never waits for memory that others
 *     have.
 *   - If a pipe has a chunk size that the pool does not have, or a limit so small that the pool has no such chunks, the
 *     chunks are the pipe's own, and do not count in the pool.
 *
 * Blocking: the functions do not block.
 *
 * Threads: any thread, at any time.
 */
#ifndef LEAT_POOL_H
#define LEAT_POOL_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A pool. */
typedef struct leat_pool leat_pool;

/** Options of a pool. Sizes are in bytes. */
struct leat_pool_options {
    size_t size;           /**< sizeof(struct leat_pool_options); LEAT_INIT sets it. */
    uint64_t memory_limit; /**< The limit of all chunks together, unused ones included; 0: no limit. */
    uint64_t chunk_min;    /**< The smallest chunk, a power of two; 0: 4 KiB. */
    /**
     * The largest chunk that a stream gets, a power of two, at most 1 GiB; 0: 64 KiB, or chunk_min if that is more.
     * Pipes and pipelines may get larger chunks, up to 1 MiB.
     */
    uint64_t chunk_max;
    uint64_t keep; /**< So much memory may be kept unused in any case; 0: 1 MiB. */
};

/** Numbers about a pool. Sizes are in bytes. */
struct leat_pool_usage {
    size_t size;           /**< sizeof(struct leat_pool_usage); the caller sets it. */
    uint64_t memory_limit; /**< The limit; 0: no limit. */
    uint64_t in_use;       /**< The size of the chunks that are in use. */
    uint64_t unused;       /**< The size of the chunks that are kept unused. */
    uint64_t most;         /**< The highest value so far of both together. */
    uint64_t handed_out;   /**< How many chunks were handed out since the pool was made. */
    uint64_t made;         /**< How many chunks were allocated for that. The others were there already. */
};

/**
 * Makes a pool.
 *
 * @param ret_pool   The pool; give it up with leat_pool_free.
 * @param options    The options; NULL: the defaults.
 * @param ret_error  NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                   what is allowed.
 *
 * @return 0; -EINVAL: a size is no power of two or is too large, chunk_max is less than chunk_min, or the limit is
 *         below the smallest chunk; -ENOMEM.
 */
LEAT_API int leat_pool_new(leat_pool **ret_pool, const struct leat_pool_options *options, struct leat_error *ret_error);

/**
 * Gives numbers about the pool.
 *
 * @param ret_usage  The numbers; the caller sets `size`.
 *
 * @return 0; -EINVAL: `size` is not right.
 */
LEAT_API int leat_pool_stats(leat_pool *pool, struct leat_pool_usage *ret_usage);

/** Frees all memory that is unused now. */
LEAT_API void leat_pool_trim(leat_pool *pool);

/**
 * Gives the pool up. NULL is allowed.
 *
 * The memory of the pool is freed when the last object that uses the pool, and the last chunk of it, is gone.
 */
LEAT_API void leat_pool_free(leat_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
