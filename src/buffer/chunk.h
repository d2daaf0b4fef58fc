/* SPDX-License-Identifier: MIT */
/* Chunks are reference-counted blocks of user memory. A chunk_pool has chunks of one size, paid from one budget.
 *
 * One thread fills a chunk; from the moment a second reference exists, the chunk is read-only. Any thread may drop a
 * reference. Dropping the last one returns the chunk to its pool and notifies the port of those that wait. The pool
 * takes the size of a chunk from the budget when it makes the chunk, and gives it back when it frees the chunk; so it
 * never makes more than the budget has. The pool allocates chunks itself, or borrows them from a store
 * (chunk_pool_share), which streams and others use as well. The memory of a chunk is page-aligned, unless the chunk is
 * smaller than a page. */
#ifndef BUFFER_CHUNK_H
#define BUFFER_CHUNK_H

#include "base/budget.h"
#include "base/wait.h"
#include <leat/pool.h>
#include <pthread.h>

struct chunk_pool;

struct chunk {
    atomic_uint refs;
    size_t length; /* number of filled bytes */
    bool hole;     /* the chunk stands for a hole of the source: `length` zero bytes, which are not in `data` */
    uint8_t *data; /* the memory; chunk_size of the pool is its capacity */
    struct chunk_pool *pool;
    struct chunk *next;  /* in the pool's free list */
    struct chunk *other; /* the chunk that owns the bytes of `data`, see chunk_stand_for; NULL: this one */
    uint8_t *own;        /* with `other`: the chunk's own memory */
    /* Called when the last reference is dropped: chunk_give_back, unless the owner of the chunk has set another
     * function. */
    void (*release)(struct chunk *chunk);
};

struct chunk_pool {
    pthread_mutex_t lock; /* protects the free list and the counts */
    struct budget *budget;
    size_t chunk_size;
    struct chunk *free_list;
    struct chunk *free_last;
    bool oldest_first;    /* chunk_get gives the chunk that came back first; otherwise the last one, which is still in a
                             core's cache */
    size_t made;          /* chunks that exist */
    uint64_t allocated;   /* chunks that were ever made */
    size_t most;          /* upper limit of `made`, whatever the budget has; 0: only the budget limits it */
    leat_pool *store;     /* the pool that lends the chunks; NULL: this pool allocates them */
    bool out_of_memory;   /* making a chunk failed, and none has come back since */
    struct port *waiting; /* notified on every release; may be NULL */
    /* Called on every release, without the lock; may be NULL. The code that sets it keeps the pool alive until all
     * chunks are back and no thread is in chunk_give_back any more. */
    void (*released)(void *user);
    void *user;
};

/* Initialises a pool. `chunk_size` is rounded up to whole pages. The pool borrows the budget and `waiting`, which may
 * be NULL. Returns 0 or -errno. */
int chunk_pool_init(struct chunk_pool *pool, struct budget *budget, size_t chunk_size, struct port *waiting);
/* Makes the pool borrow its chunks from this store (NULL: the pool of the process), if the store has chunks of this
 * size. Call it before the first chunk is made. */
void chunk_pool_share(struct chunk_pool *pool, leat_pool *store);
/* Makes sure that `n` chunks exist; later, a user that needs no more than these waits only for chunks that others will
 * release. Only the thread that gets chunks may call it. Returns 0. -ENOMEM: memory ran out, or the store's limit is
 * reached. -ENOBUFS: the budget is too small. */
int chunk_pool_prepare(struct chunk_pool *pool, size_t n);
/* Frees the pool. All chunks must be back. */
void chunk_pool_destroy(struct chunk_pool *pool);
/* Gives one reference to an empty chunk, or returns NULL if the budget is spent or memory ran out. Never blocks. */
struct chunk *chunk_get(struct chunk_pool *pool);
/* Does chunk_get give a chunk now, or at least try to make one? After memory ran out it does not try again until a
 * chunk is back. */
bool chunk_pool_has(struct chunk_pool *pool);
/* How many chunks can chunk_get give in a row, as long as memory does not run out? */
size_t chunk_pool_left(struct chunk_pool *pool);
/* Allocates a chunk without a pool. NULL: no memory. */
struct chunk *chunk_new(size_t size);
void chunk_free(struct chunk *chunk);
/* Returns the chunk to its pool, and notifies those that wait. */
void chunk_give_back(struct chunk *chunk);
/* Frees up to `most` chunks that are back. Returns how many. */
size_t chunk_pool_trim(struct chunk_pool *pool, size_t most);
/* Frees the chunks that are back, except `most` of them. */
void chunk_pool_keep(struct chunk_pool *pool, size_t most);
/* Are all chunks back? */
bool chunk_pool_is_whole(struct chunk_pool *pool);
/* Takes one more reference, and returns the chunk. */
struct chunk *chunk_ref(struct chunk *chunk);
/* Makes a chunk of a pool show the n bytes `bytes` of another chunk instead of its own. The chunk must be empty. It
 * holds a reference to the other chunk until it returns to its pool. */
void chunk_stand_for(struct chunk *chunk, struct chunk *other, uint8_t *bytes, size_t n);
/* Drops a reference. `chunk` may be NULL. Returns NULL. */
struct chunk *chunk_unref(struct chunk *chunk);
/* Calls `take` with the bytes of the chunk. If the chunk is a hole, these are zeros, in pieces. Returns 0, or the first
 * result of `take` that is not 0, which ends the calls. */
int chunk_show(const struct chunk *chunk, int (*take)(void *user, const void *bytes, size_t n), void *user);

#endif
