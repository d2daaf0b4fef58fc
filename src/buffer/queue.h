/* A bounded queue of chunks between two threads. It knows no descriptor. One lock, two conditions; whoever waits is
 * woken by what it waits for and by the end. */
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

int chunk_queue_init(struct chunk_queue *queue, size_t capacity);
/* Drops what is left in it. */
void chunk_queue_destroy(struct chunk_queue *queue);
/* Takes the reference. Blocks while full. -EPIPE, and the reference is dropped, after the end was announced. */
int chunk_queue_push(struct chunk_queue *queue, struct chunk *chunk);
/* Gives a reference. Blocks while empty; NULL is the end. */
struct chunk *chunk_queue_pop(struct chunk_queue *queue);
/* No more will be pushed: pop gives what is left, then NULL. */
void chunk_queue_end(struct chunk_queue *queue);

#endif
