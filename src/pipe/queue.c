/* SPDX-License-Identifier: MIT */
#include "pipe/queue.h"
#include <errno.h>

/* A slot is begun with a chunk that has come back from the reader, so the slot that this chunk was in before is
 * free. */
int queue_init(struct queue *queue, size_t chunks)
{
    *queue = (struct queue){.capacity = chunks};
    queue->slot = calloc(queue->capacity, sizeof(struct pipe_slot));
    return queue->slot ? 0 : -ENOMEM;
}

void queue_destroy(struct queue *queue)
{
    for (; queue->slot && queue->head < atomic_load(&queue->tail); queue->head++)
        chunk_unref(queue->slot[queue->head % queue->capacity].chunk);
    free(queue->slot);
    queue->slot = NULL;
}

static void begin(struct queue *queue, struct chunk *chunk, uint64_t filled)
{
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    struct pipe_slot *slot = &queue->slot[tail % queue->capacity];
    slot->chunk = chunk;
    atomic_store_explicit(&slot->filled, filled, memory_order_relaxed);
    atomic_store(&queue->tail, tail + 1);
}

static struct pipe_slot *last(struct queue *queue)
{
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    return &queue->slot[(tail - 1) % queue->capacity];
}

void queue_close(struct queue *queue)
{
    if (queue->growing)
        atomic_store(&last(queue)->filled, queue->length | QUEUE_CLOSED);
    queue->growing = NULL;
}

uint8_t *queue_room(struct queue *queue, struct chunk_pool *pool, size_t want, size_t *ret_n)
{
    size_t most = pool->chunk_size;
    if (!queue->growing || most - queue->length < MIN(want, most)) {
        queue_close(queue);
        struct chunk *chunk = chunk_get(pool);
        if (!chunk)
            return NULL;
        begin(queue, chunk, 0);
        queue->growing = chunk;
        queue->length = queue->shown = 0;
    }
    *ret_n = most - queue->length;
    return queue->growing->data + queue->length;
}

void queue_grow(struct queue *queue, const struct chunk_pool *pool, size_t n)
{
    queue->length += n;
    if (queue->length == pool->chunk_size)
        queue_close(queue);
}

void queue_show(struct queue *queue)
{
    if (!queue_hidden_bytes(queue))
        return;
    queue->shown = queue->length;
    atomic_store(&last(queue)->filled, queue->length);
}

void queue_push(struct queue *queue, struct chunk *chunk)
{
    queue_close(queue);
    begin(queue, chunk, chunk->length | QUEUE_CLOSED);
}

const uint8_t *queue_look(struct queue *queue, size_t *ret_n)
{
    while (queue->head < atomic_load(&queue->tail)) {
        struct pipe_slot *slot = &queue->slot[queue->head % queue->capacity];
        uint64_t filled = atomic_load(&slot->filled), length = filled & ~QUEUE_CLOSED;
        if (length > queue->at) {
            *ret_n = (size_t)(length - queue->at);
            return slot->chunk->data + queue->at;
        }
        if (!(filled & QUEUE_CLOSED))
            return NULL;
        queue->head++;
        queue->at = 0;
        chunk_unref(slot->chunk);
    }
    return NULL;
}

bool queue_has(struct queue *queue)
{
    uint64_t tail = atomic_load(&queue->tail);
    return queue->head < tail && atomic_load(&queue->slot[queue->head % queue->capacity].filled) != queue->at;
}

bool queue_ends_at(struct queue *queue, size_t n)
{
    return atomic_load(&queue->slot[queue->head % queue->capacity].filled) == ((queue->at + n) | QUEUE_CLOSED);
}

/* A chunk that was read to its end goes back at once, because a writer may wait for just this chunk. */
void queue_drop(struct queue *queue, size_t n)
{
    struct pipe_slot *slot = &queue->slot[queue->head % queue->capacity];
    queue->at += n;
    if (atomic_load(&slot->filled) == (queue->at | QUEUE_CLOSED)) {
        struct chunk *chunk = slot->chunk;
        queue->head++;
        queue->at = 0;
        chunk_unref(chunk);
    }
}
