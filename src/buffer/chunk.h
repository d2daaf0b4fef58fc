/* Chunks: reference-counted blocks of user memory, and the pool of those that have one size and one payer.
 *
 * A chunk is filled by one thread and read-only from the moment a second reference exists. Any thread may drop a
 * reference; the last one puts the chunk back into its pool and notifies whoever waits for one. The pool pays from a
 * budget when it makes a chunk, and pays back when it is freed; it never makes more than the budget has. What it makes
 * them of is memory of its own, or a store (chunk_pool_share), which streams and others use as well. The memory of a
 * chunk is page-aligned, unless it is smaller than a page. */
#ifndef BUFFER_CHUNK_H
#define BUFFER_CHUNK_H

#include "base/budget.h"
#include "base/wait.h"
#include <leat/pool.h>
#include <pthread.h>

struct chunk_pool;

struct chunk {
    atomic_uint refs;
    size_t length; /* bytes that are filled */
    bool hole;     /* all of them are zero and were never there: a hole of the source */
    uint8_t *data; /* capacity of the pool's chunk_size */
    struct chunk_pool *pool;
    struct chunk *next;  /* in the pool's free list */
    struct chunk *other; /* whose bytes `data` are, chunk_stand_for; NULL: its own */
    uint8_t *own;        /* then: what `data` was */
    /* What the last reference does. chunk_give_back, unless whoever got the chunk has set something else. */
    void (*release)(struct chunk *chunk);
};

struct chunk_pool {
    pthread_mutex_t lock; /* free list and counts */
    struct budget *budget;
    size_t chunk_size;
    struct chunk *free_list;
    struct chunk *free_last;
    bool oldest_first;    /* what came back first is given first; else what came back last, which one core has near */
    size_t made;          /* chunks that exist */
    uint64_t allocated;   /* and that were ever made */
    size_t most;          /* it never makes more, whatever the budget has; 0: the budget decides */
    leat_pool *store;     /* where chunks are borrowed from; NULL: each is allocated */
    bool out_of_memory;   /* no more could be made, and none has come back since */
    struct port *waiting; /* notified on every release; may be NULL */
    /* Called on every release, without the lock; may be NULL. Whoever sets it keeps the pool until all chunks are back
     * and no thread is in here any more. */
    void (*released)(void *user);
    void *user;
};

/* `chunk_size` is rounded up to whole pages. The pool borrows the budget. */
int chunk_pool_init(struct chunk_pool *pool, struct budget *budget, size_t chunk_size, struct port *waiting);
/* From now on chunks come out of this store, NULL: that of the process, if it has chunks of this size. Before the first
 * one is made. */
void chunk_pool_share(struct chunk_pool *pool, leat_pool *store);
/* `n` chunks could be had at once: whoever gets no more than these only waits for chunks that are on their way.
 * -ENOMEM: memory, or the store, has not so much; -ENOBUFS: the budget has not. */
int chunk_pool_prepare(struct chunk_pool *pool, size_t n);
/* All chunks must be back. */
void chunk_pool_destroy(struct chunk_pool *pool);
/* One reference to an empty chunk, or NULL if the budget is spent (or memory is). Never blocks. */
struct chunk *chunk_get(struct chunk_pool *pool);
/* Would chunk_get give one now, or at least try to? What memory refused is not tried again until a chunk is back. */
bool chunk_pool_has(struct chunk_pool *pool);
/* A chunk without a pool. NULL: no memory. */
struct chunk *chunk_new(size_t size);
void chunk_free(struct chunk *chunk);
/* Puts it back into its pool. */
void chunk_give_back(struct chunk *chunk);
/* Frees up to `most` chunks that are back. Gives how many. */
size_t chunk_pool_trim(struct chunk_pool *pool, size_t most);
/* Is every chunk back? */
bool chunk_pool_is_whole(struct chunk_pool *pool);
struct chunk *chunk_ref(struct chunk *chunk);
/* The chunk, which is empty and its pool's, shows bytes of another one instead of its own, and keeps that until it is
 * given back. */
void chunk_stand_for(struct chunk *chunk, struct chunk *other, uint8_t *bytes, size_t n);
/* NULL is allowed; returns NULL. */
struct chunk *chunk_unref(struct chunk *chunk);
/* Gives its bytes to `take`; those of a hole as zeros, in pieces. 0, or the answer of `take` that was not 0, which
 * stops it. */
int chunk_show(const struct chunk *chunk, int (*take)(void *user, const void *bytes, size_t n), void *user);

#endif
