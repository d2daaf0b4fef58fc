/* SPDX-License-Identifier: MIT */
/* A thread that takes chunks in order, so that the thread that gives them can go on. If no thread can start, the giver
 * takes each chunk itself, which is only slower. `take` waits for nothing but its own work, so a full queue always gets
 * room. */
#ifndef BUFFER_CONSUMER_H
#define BUFFER_CONSUMER_H

#include "buffer/queue.h"

struct chunk_consumer {
    void (*take)(void *user, const struct chunk *chunk);
    void *user;
    bool threaded;
    pthread_t thread;
    struct chunk_queue queue;
};

/* From now on chunks may be given; there is no thread yet. */
void chunk_consumer_init(struct chunk_consumer *consumer, void (*take)(void *user, const struct chunk *chunk),
                         void *user);
/* Starts the thread, unless it runs. */
void chunk_consumer_start(struct chunk_consumer *consumer);
/* Gives a chunk to `take`. With a thread, the queue keeps a reference; blocks while the queue is full. */
void chunk_consumer_give(struct chunk_consumer *consumer, struct chunk *chunk);
/* Ends the thread after it has taken all chunks, and waits for it. Chunks may still be given afterwards. */
void chunk_consumer_stop(struct chunk_consumer *consumer);

#endif
