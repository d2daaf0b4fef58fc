/* SPDX-License-Identifier: MIT */
/* A bounded queue of chunks between two threads, without a descriptor. It has one lock and two conditions. A thread
 * that waits is woken by the change that it waits for, and by the end. */
#ifndef BUFFER_QUEUE_H
#define BUFFER_QUEUE_H

#include "buffer/chunk.h"

struct chunk_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    struct chunk **ring;
    size_t capacity, head, count;
    bool ended;
};

/* Initialises a queue for `capacity` chunks. Returns 0 or -errno; then nothing is left. */
int chunk_queue_init(struct chunk_queue *queue, size_t capacity);
/* Drops the chunks that are left in the queue. */
void chunk_queue_destroy(struct chunk_queue *queue);
/* Adds a chunk; takes the reference. Blocks while the queue is full. Returns 0. -EPIPE: the queue has ended; the
 * reference is dropped. */
int chunk_queue_push(struct chunk_queue *queue, struct chunk *chunk);
/* Removes a chunk; gives the reference. Blocks while the queue is empty. NULL: the queue has ended and is empty. */
struct chunk *chunk_queue_pop(struct chunk_queue *queue);
/* Ends the queue: push fails from now on; pop gives the chunks that are left, then NULL. */
void chunk_queue_end(struct chunk_queue *queue);

#endif
