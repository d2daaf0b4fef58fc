/* SPDX-License-Identifier: MIT */
/* The bounded queue before a stage. Items are pushed one or many at a time, and popped by the hand. An item that was
 * popped keeps its place until it is released, so a limit counts the items that wait and the items that are being
 * worked on.
 *
 * One lock and two conditions. A push wakes one reader, and no other reader until that one is awake; that one wakes the
 * next if it leaves items. So a quick producer pays for few wake-ups. A thread that waits is woken by what it waits
 * for, by the end, and by a cancel.
 *
 * A control item is popped alone, after all items before it are released. Nothing more is popped until it is released
 * itself. */
#ifndef STAGES_QUEUE_H
#define STAGES_QUEUE_H

#include "base/fd.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ITEM_CONTROL SIZE_MAX
#define HAND_MAX     64

struct stage_item {
    void *item;
    size_t bytes; /* As the stage's item_size says. ITEM_CONTROL: it is a control item. */
};

/* A hand: the items that a worker popped at once. */
struct hand {
    struct stage_item items[HAND_MAX];
    uint32_t n, wanted; /* wanted: the most items to pop. */
    uint64_t first;     /* The number of the first item, counted from the start of the run. */
    uint64_t bytes;
    bool control;
};

struct item_queue {
    pthread_mutex_t lock;
    pthread_cond_t readable, writable;
    struct stage_item *ring;
    uint64_t mask, head, tail; /* head and tail: the numbers of the next item to pop and to push. */
    uint64_t in_hand, limit, most;
    uint64_t bytes, bytes_limit;
    uint64_t controls; /* How many of the pushed items are control items. */
    uint32_t readers, readers_waiting, writers_waiting;
    uint32_t producers; /* At 0 the queue has ended. */
    bool waking, paused, control_out, closed, cancelled;
    bool taken;          /* The caller takes the items; no worker pops them. */
    bool over;           /* The run has ended. */
    struct fd_flag flag; /* Raised while `taken` and a pop would not wait; otherwise once the run is over. */
};

/* Turns timeout_ms of the interface into a deadline, which may be NO_DEADLINE. -1: do not wait. */
int64_t stage_deadline(int timeout_ms);

/* `readers` 0: the caller takes the items. */
int item_queue_init(struct item_queue *queue, uint64_t limit, uint64_t bytes_limit, uint32_t readers,
                    uint32_t producers);
/* Sets the state that it had after item_queue_init. The queue must be empty. */
void item_queue_reset(struct item_queue *queue, uint32_t producers);
/* The queue must be empty. */
void item_queue_destroy(struct item_queue *queue);

/* Pushes items, the first one first. *ret_n, set in any case, receives how many. The time that the call waited is added
 * to *wait_ns, which may be NULL. Returns 0: all. -EAGAIN or -ETIMEDOUT: no room in time. -EPIPE: the queue is closed
 * or has ended. -ECANCELED. */
int item_queue_push(struct item_queue *queue, const struct stage_item *items, size_t n, size_t *ret_n,
                    int64_t deadline_ns, uint64_t *wait_ns);

/* Releases the items in the hand and fills the hand anew. Returns 0; 1: the end; -EAGAIN, -ETIMEDOUT or -ECANCELED. If
 * it is not 0, the hand is empty. */
int item_queue_pop(struct item_queue *queue, struct hand *hand, int64_t deadline_ns, uint64_t *wait_ns);
void item_queue_release(struct item_queue *queue, uint64_t n, uint64_t bytes);

/* One producer has ended. */
void item_queue_end_producer(struct item_queue *queue);
/* No more items are wanted: each push fails, and each pop returns the end. */
void item_queue_close(struct item_queue *queue);
void item_queue_cancel(struct item_queue *queue);
/* All threads are gone. */
void item_queue_tell_over(struct item_queue *queue);
/* Gives the descriptor of the flag. Returns 0 or a negative errno. */
int item_queue_fd(struct item_queue *queue, int *ret);
void item_queue_pause(struct item_queue *queue, bool paused);
/* Waits while the queue is paused. Returns 0: it is not paused. -EPIPE or -ECANCELED: no push can succeed any more. */
int item_queue_wait_resumed(struct item_queue *queue);
/* Takes out one item that no worker will pop, because the queue is closed or cancelled. True if there was one. */
bool item_queue_drop(struct item_queue *queue, struct stage_item *ret);

#endif
