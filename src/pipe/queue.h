/* The backend in memory: a bounded queue of chunks between one thread that writes and one that reads, without a lock.
 *
 * A slot holds a chunk and says how much of it is filled; the writer appends to the last one and shows the new length,
 * which is all that it takes to hand bytes over. It need not do so each time: a few bytes that are not shown cost no
 * cache line its way to the reader. The bound is the pool's: a chunk comes back when the reader has passed it, so there
 * are never more slots in use than chunks. Slot number i stands at i % capacity. The reader leaves a slot when it is
 * QUEUE_CLOSED and all of it was read, not when the next one is there: with a single chunk there is none. */
#ifndef PIPE_QUEUE_H
#define PIPE_QUEUE_H

#include "buffer/chunk.h"

#define QUEUE_CLOSED ((uint64_t)1 << 63) /* in `filled`: nothing will be added to this chunk */

struct pipe_slot {
    _Atomic uint64_t filled;
    struct chunk *chunk;
};

#define APART                                                                                                          \
    64 /* bytes, as large as a cache line: what one side writes is not in the line that the other one looks at */

struct queue {
    struct pipe_slot *slot;
    size_t capacity;

    /* What the reader looks at again and again, and the writer changes once a chunk. */
    uint8_t apart[APART];
    _Atomic uint64_t tail; /* slots that were begun */

    /* The writer's. */
    uint8_t apart_as_well[APART];
    struct chunk *growing; /* the chunk of the last slot, while it may grow */
    size_t length;         /* of it */
    size_t shown;          /* of that, to the reader */

    /* The reader's. */
    uint8_t apart_too[APART];
    uint64_t head;
    size_t at;
};

/* For at most so many chunks. -ENOMEM. */
int queue_init(struct queue *queue, size_t chunks);
/* Gives all chunks back. */
void queue_destroy(struct queue *queue);

/* Room in the last chunk, for at least `want` bytes; else takes a new one from the pool. NULL: there is none. */
uint8_t *queue_room(struct queue *queue, struct chunk_pool *pool, size_t want, size_t *ret_n);
/* n bytes of that room are filled. A chunk that is full is shown. */
void queue_grow(struct queue *queue, const struct chunk_pool *pool, size_t n);
/* Nothing is added to the last chunk any more. */
void queue_close(struct queue *queue);
/* Bytes that are filled and not shown. */
static inline size_t queue_hides(const struct queue *queue)
{
    return queue->growing ? queue->length - queue->shown : 0;
}
/* All that is filled is the reader's. */
void queue_show(struct queue *queue);
/* A whole chunk. Takes the reference. */
void queue_push(struct queue *queue, struct chunk *chunk);

/* What is there in one piece; NULL: nothing. */
const uint8_t *queue_look(struct queue *queue, size_t *ret_n);
/* Would a look find something, or have a chunk to give back? */
bool queue_has(struct queue *queue);
/* Is it the end of a chunk, n bytes further on? */
bool queue_ends_at(struct queue *queue, size_t n);
/* n of these bytes are done with. */
void queue_drop(struct queue *queue, size_t n);

#endif
