/* SPDX-License-Identifier: MIT */
/* The public pool: one chunk_pool for each size, all paid from one budget, with small caches in front of them. It is
 * also the store that lends chunks to other chunk_pools, those of pipes and routes, which have budgets of their own.
 *
 * Ownership: the creator of the pool has one reference, and so has each stream and each chunk that is in use; so a view
 * may outlive everything else. A lent chunk belongs to the chunk_pool that borrowed it, and that chunk_pool has a
 * reference to the store. Each thread gets a number once, which selects one of CACHES caches. Two threads with the same
 * number share a cache, so each cache has a lock, which is hardly ever contended. A thread holds at most one of these
 * locks; only a chunk_pool that borrows holds its own lock meanwhile.
 *
 * A chunk that comes back goes to the cache of its thread, or to its chunk_pool if the cache is full. If more memory is
 * then unused than in use, and more than `keep`, two chunks are freed instead. So little memory is left once all chunks
 * are back. */
#ifndef BUFFER_POOL_H
#define BUFFER_POOL_H

#include "buffer/chunk.h"
#include <leat/pool.h>

/* Returns the pool of the process. The first call makes it; it is never freed. NULL: no memory. */
leat_pool *pool_default(void);

/* Take and drop a reference. In a child process pool_unref leaves the pool of the parent alone. */
leat_pool *pool_ref(leat_pool *pool);
void pool_unref(leat_pool *pool);
/* Did this process make the pool? */
bool pool_is_here(const leat_pool *pool);

/* Does the pool have chunks of exactly this size? */
bool pool_lends(const leat_pool *pool, size_t size);
/* Lends a chunk of this size to a chunk_pool, which treats it as its own. NULL: the limit is reached or memory ran out.
 */
struct chunk *pool_lend(leat_pool *pool, size_t size);
/* Takes back a chunk that was lent. */
void pool_take_back(leat_pool *pool, struct chunk *chunk, size_t size);
/* Returns the largest chunk size of any pool that is not larger than `most`. */
size_t pool_size_within(size_t most);

/* Return the smallest and the largest chunk that a stream gets. */
size_t pool_chunk_min(const leat_pool *pool);
size_t pool_chunk_max(const leat_pool *pool);

/* Gives one reference to an empty chunk of `wish` bytes or, if there is not enough memory now, of a smaller size down
 * to `least`. Both are rounded to sizes that the pool has. *ret_size is the size of the chunk. NULL: the limit is
 * reached or memory ran out. */
struct chunk *pool_get(leat_pool *pool, size_t least, size_t wish, size_t *ret_size);

#endif
