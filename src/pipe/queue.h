/* SPDX-License-Identifier: MIT */
/* The memory backend: a bounded queue of chunks between one thread that writes and one thread that reads, without a
 * lock.
 *
 * A slot holds a chunk and the number of bytes that the reader may see. The writer appends to the last chunk and shows
 * the new length with one store. It need not do so for each write: a few bytes that are not shown save a transfer of
 * the cache line. The pool is the bound: a chunk comes back when the reader has passed it, so there are never more
 * slots in use than chunks. Slot number i is at index i % capacity. The reader leaves a slot when the slot is
 * QUEUE_CLOSED and all of it was read. It does not wait for the next slot, because with a single chunk there is
 * none. */
#ifndef PIPE_QUEUE_H
#define PIPE_QUEUE_H

#include "buffer/chunk.h"

#define QUEUE_CLOSED ((uint64_t)1 << 63) /* In `filled`: nothing is added to this chunk any more. */

struct pipe_slot {
    _Atomic uint64_t filled;
    struct chunk *chunk;
};

#define APART 64 /* Bytes of a cache line: what one side writes is not in the line that the other side looks at. */

struct queue {
    struct pipe_slot *slot;
    size_t capacity;

    /* The reader looks at it again and again; the writer changes it once a chunk. */
    uint8_t apart[APART];
    _Atomic uint64_t tail; /* How many slots were begun. */

    /* The writer's. */
    uint8_t apart_as_well[APART];
    struct chunk *growing; /* The chunk of the last slot, while the writer may add to it. */
    size_t length;         /* Bytes in `growing`. */
    size_t shown;          /* Bytes of them that the reader sees. */

    /* The reader's. */
    uint8_t apart_too[APART];
    uint64_t head;
    size_t at;
};

/* Prepares for at most `chunks` chunks. Returns 0 or -ENOMEM. */
int queue_init(struct queue *queue, size_t chunks);
/* Gives all chunks back and frees the slots. */
void queue_destroy(struct queue *queue);

/* Gives room for at least `want` bytes, or for a whole chunk if `want` is larger: in the last chunk, else in a new one
 * of the pool. Returns NULL if the pool has none. `*ret_n` receives the size of the room. */
uint8_t *queue_room(struct queue *queue, struct chunk_pool *pool, size_t want, size_t *ret_n);
/* Adds the first n bytes of that room. A chunk that is full is shown. */
void queue_grow(struct queue *queue, const struct chunk_pool *pool, size_t n);
/* Shows the last chunk; nothing is added to it any more. */
void queue_close(struct queue *queue);
/* How many bytes are filled and not shown. */
static inline size_t queue_hidden_bytes(const struct queue *queue)
{
    return queue->growing ? queue->length - queue->shown : 0;
}
/* Shows the reader all bytes that are filled. */
void queue_show(struct queue *queue);
/* Appends a whole chunk and shows it. Takes the reference. */
void queue_push(struct queue *queue, struct chunk *chunk);

/* Gives the unread bytes that lie in one piece; borrowed until queue_drop. Returns NULL if there are none. */
const uint8_t *queue_look(struct queue *queue, size_t *ret_n);
/* Would queue_look find bytes, or give a chunk back? */
bool queue_has(struct queue *queue);
/* Does the chunk end n bytes behind the first unread byte? */
bool queue_ends_at(struct queue *queue, size_t n);
/* Drops n of the bytes that queue_look showed. */
void queue_drop(struct queue *queue, size_t n);

#endif
