/* SPDX-License-Identifier: MIT */
#include "buffer/consumer.h"
#include "base/thread.h"

/* The most chunks that wait. The budget of their pool limits their memory; this limits only the array. */
#define QUEUE_CHUNKS 64

static void *consume(void *user)
{
    struct chunk_consumer *consumer = user;
    struct chunk *chunk;
    while ((chunk = chunk_queue_pop(&consumer->queue))) {
        consumer->take(consumer->user, chunk);
        chunk_unref(chunk);
    }
    return NULL;
}

void chunk_consumer_init(struct chunk_consumer *consumer, void (*take)(void *user, const struct chunk *chunk),
                         void *user)
{
    consumer->take = take;
    consumer->user = user;
    consumer->threaded = false;
}

void chunk_consumer_start(struct chunk_consumer *consumer)
{
    if (consumer->threaded || chunk_queue_init(&consumer->queue, QUEUE_CHUNKS) < 0)
        return;
    consumer->threaded = thread_create(&consumer->thread, consume, consumer) == 0;
    if (!consumer->threaded)
        chunk_queue_destroy(&consumer->queue);
}

void chunk_consumer_give(struct chunk_consumer *consumer, struct chunk *chunk)
{
    if (consumer->threaded)
        chunk_queue_push(&consumer->queue, chunk_ref(chunk));
    else
        consumer->take(consumer->user, chunk);
}

void chunk_consumer_stop(struct chunk_consumer *consumer)
{
    if (!consumer->threaded)
        return;
    chunk_queue_end(&consumer->queue);
    pthread_join(consumer->thread, NULL);
    chunk_queue_destroy(&consumer->queue);
    consumer->threaded = false;
}
