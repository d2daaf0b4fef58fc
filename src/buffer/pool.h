/* The public pool: a chunk_pool for each size, which all pay from one budget, and small caches in front of them. It is
 * also the store that other chunk_pools borrow from, those of pipes and of routes, which have budgets of their own.
 *
 * Who owns what: the pool has one reference of its maker's, one of each stream, and one of each chunk that is out, so
 * that a view may outlive everything else. A borrowed chunk belongs to the borrower's chunk_pool, which has a reference
 * to the store. A thread's cache is one of CACHES, by a number that each thread gets once; two threads that share a
 * number share a cache, so it has a lock, which nobody else wants as a rule. Locks are never nested, but that a
 * borrower has its own meanwhile.
 *
 * A chunk that comes back goes into the cache of its thread while that has room, else to its chunk_pool. If there then
 * is more unused than in use (and than `keep`), two are freed instead of it: so little is left when all have come back.
 */
#ifndef BUFFER_POOL_H
#define BUFFER_POOL_H

#include "buffer/chunk.h"
#include <leat/pool.h>

/* The pool of the process; made by the first call, and never freed. NULL: no memory. */
leat_pool *pool_default(void);

leat_pool *pool_ref(leat_pool *pool);
void pool_unref(leat_pool *pool);
/* Was it made by this process? */
bool pool_is_here(const leat_pool *pool);

/* Does it have chunks of exactly this size? */
bool pool_lends(const leat_pool *pool, size_t size);
/* One of them, for a chunk_pool to call its own. NULL: the limit is reached, or memory is. */
struct chunk *pool_lend(leat_pool *pool, size_t size);
/* One that was lent. */
void pool_take_back(leat_pool *pool, struct chunk *chunk, size_t size);
/* The largest size of chunks, of whatever pool, that is no larger than this. */
size_t pool_size_within(size_t most);

/* What a stream gets. */
size_t pool_chunk_min(const leat_pool *pool);
size_t pool_chunk_max(const leat_pool *pool);

/* One reference to an empty chunk of `wish` bytes, or where that is too much now of at least `least`; both are rounded
 * to sizes that the pool has. *ret_size is what it has. NULL: the limit is reached, or memory is. */
struct chunk *pool_get(leat_pool *pool, size_t least, size_t wish, size_t *ret_size);

#endif
