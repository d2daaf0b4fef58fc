/* SPDX-License-Identifier: MIT */
#include "buffer/queue.h"
#include "base/thread.h"
#include <errno.h>

int chunk_queue_init(struct chunk_queue *queue, size_t capacity)
{
    *queue = (struct chunk_queue){.capacity = capacity};
    queue->ring = calloc(capacity, sizeof(struct chunk *));
    if (!queue->ring)
        return -ENOMEM;
    int r = thread_cond_init(&queue->not_empty);
    if (r == 0 && (r = thread_cond_init(&queue->not_full)) < 0)
        pthread_cond_destroy(&queue->not_empty);
    if (r < 0) {
        free(queue->ring);
        return r;
    }
    pthread_mutex_init(&queue->lock, NULL);
    return 0;
}

void chunk_queue_destroy(struct chunk_queue *queue)
{
    for (; queue->count; queue->count--, queue->head = (queue->head + 1) % queue->capacity)
        chunk_unref(queue->ring[queue->head]);
    free(queue->ring);
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
}

int chunk_queue_push(struct chunk_queue *queue, struct chunk *chunk)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->capacity && !queue->ended)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    bool ended = queue->ended;
    if (!ended) {
        queue->ring[(queue->head + queue->count++) % queue->capacity] = chunk;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->lock);
    if (ended)
        chunk_unref(chunk);
    return ended ? -EPIPE : 0;
}

struct chunk *chunk_queue_pop(struct chunk_queue *queue)
{
    struct chunk *chunk = NULL;
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->ended)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    if (queue->count) {
        chunk = queue->ring[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->lock);
    return chunk;
}

void chunk_queue_end(struct chunk_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
}
