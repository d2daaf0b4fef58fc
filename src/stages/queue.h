/* The bounded queue before a stage: pushed one or many, popped by the hand. An item that was popped keeps its place
 * until it is released, so that a limit counts what waits and what is being worked on.
 *
 * One lock and two conditions. Who pushes wakes one reader, and not another one until that one is awake, which then
 * passes the word on if it left something; so a quick producer pays for few wake-ups. Whoever waits is woken by what it
 * waits for, by the end, and by a cancel.
 *
 * A control item is popped alone, when everything before it is released, and nothing is popped until it is. */
#ifndef STAGES_QUEUE_H
#define STAGES_QUEUE_H

#include "base/base.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ITEM_CONTROL SIZE_MAX
#define HAND_MAX     64

struct stage_item {
    void *item;
    size_t bytes; /* by the stage's item_size; ITEM_CONTROL: it is a control item */
};

/* What a worker took at once. */
struct hand {
    struct stage_item items[HAND_MAX];
    uint32_t n, wanted; /* wanted: the most to be popped */
    uint64_t first;     /* the number of the first one, counted from the start */
    uint64_t bytes;
    bool control;
};

struct item_queue {
    pthread_mutex_t lock;
    pthread_cond_t readable, writable;
    struct stage_item *ring;
    uint64_t mask, head, tail; /* numbers of the next one to pop and to push */
    uint64_t in_hand, limit, most;
    uint64_t bytes, bytes_limit;
    uint64_t controls; /* of those pushed */
    uint32_t readers, readers_waiting, writers_waiting;
    uint32_t producers; /* at 0 it has ended */
    bool waking, paused, control_out, closed, cancelled;
};

/* Until it is signalled, or until deadline_ns (0: none): then false. */
bool stage_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns);
/* timeout_ms of the interface as a deadline; 0 for "waits", -1 for "does not". */
int64_t stage_deadline(int timeout_ms);

int item_queue_init(struct item_queue *queue, uint64_t limit, uint64_t bytes_limit, uint32_t readers,
                    uint32_t producers);
/* As it was at first; it is empty. */
void item_queue_reset(struct item_queue *queue, uint32_t producers);
/* It is empty. */
void item_queue_destroy(struct item_queue *queue);

/* Pushes from the front; *ret_n, set in any case, says how many. -EAGAIN, -ETIMEDOUT: no room; -EPIPE: closed or ended;
 * -ECANCELED. *wait_ns grows by the time that it waited. */
int item_queue_push(struct item_queue *queue, const struct stage_item *items, size_t n, size_t *ret_n,
                    int64_t deadline_ns, uint64_t *wait_ns);

/* Releases what is in the hand, and fills it anew. 1 at the end, -EAGAIN, -ETIMEDOUT, -ECANCELED: it is empty. */
int item_queue_pop(struct item_queue *queue, struct hand *hand, int64_t deadline_ns, uint64_t *wait_ns);
void item_queue_release(struct item_queue *queue, uint64_t n, uint64_t bytes);

/* One of those who push has ended. */
void item_queue_produced(struct item_queue *queue);
/* No more is wanted: pushes fail, pops meet the end. */
void item_queue_close(struct item_queue *queue);
void item_queue_cancel(struct item_queue *queue);
void item_queue_pause(struct item_queue *queue, bool paused);
/* 0 when it is not paused (any more), or why nobody will push here any more. */
int item_queue_resumed(struct item_queue *queue);
/* Takes one out that nobody else will: of a queue that is closed or cancelled. */
bool item_queue_drop(struct item_queue *queue, struct stage_item *ret);

#endif
