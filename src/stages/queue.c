/* SPDX-License-Identifier: MIT */
#include "stages/queue.h"
#include "base/spin.h"
#include "base/thread.h"
#include <errno.h>

int64_t stage_deadline(int timeout_ms)
{
    if (timeout_ms == 0)
        return -1;
    return timeout_ms < 0 ? NO_DEADLINE : clock_ns() + (int64_t)timeout_ms * 1000000;
}

#define LOCK_LOOKS 100

/* The lock is held for some 20 ns, except when the ring grows. Sleeping for it would take far longer. */
static void queue_lock(struct item_queue *queue)
{
    struct spin_budget budget = {LOCK_LOOKS, INT64_MAX};
    while (spin_again(&budget))
        if (pthread_mutex_trylock(&queue->lock) == 0)
            return;
    pthread_mutex_lock(&queue->lock);
}

#define RING_FIRST 1024 /* Slots at first. A limit may be any number, and costs nothing until so many items wait. */

int item_queue_init(struct item_queue *queue, uint64_t limit, uint64_t bytes_limit, uint32_t readers,
                    uint32_t producers)
{
    uint64_t size = 1;
    while (size < MIN(limit, RING_FIRST))
        size *= 2;
    *queue = (struct item_queue){.mask = size - 1,
                                 .limit = limit,
                                 .bytes_limit = bytes_limit,
                                 .readers = MAX(readers, 1),
                                 .producers = producers,
                                 .taken = readers == 0,
                                 .flag = FD_FLAG_NONE};
    queue->ring = calloc((size_t)size, sizeof(*queue->ring));
    if (!queue->ring)
        return -ENOMEM;
    int r = -pthread_mutex_init(&queue->lock, NULL);
    if (r < 0)
        goto err0;
    if ((r = thread_cond_init(&queue->readable)) < 0)
        goto err1;
    if ((r = thread_cond_init(&queue->writable)) < 0)
        goto err2;
    return 0;
err2:
    pthread_cond_destroy(&queue->readable);
err1:
    pthread_mutex_destroy(&queue->lock);
err0:
    free(queue->ring);
    queue->ring = NULL;
    return r;
}

/* Needs the lock. Called after each change of what it looks at, before the lock is given up or waited with. */
static void settle_flag(struct item_queue *queue)
{
    bool ready = queue->over;
    if (queue->flag.fd[0] < 0)
        return;
    if (queue->taken)
        ready = queue->cancelled || queue->closed || queue->head != queue->tail || queue->producers == 0;
    fd_flag_set(&queue->flag, ready);
}

static void unlock_changed(struct item_queue *queue)
{
    settle_flag(queue);
    pthread_mutex_unlock(&queue->lock);
}

int item_queue_fd(struct item_queue *queue, int *ret)
{
    queue_lock(queue);
    int r = fd_flag_open(&queue->flag);
    if (r == 0)
        *ret = queue->flag.fd[0];
    unlock_changed(queue);
    return r;
}

void item_queue_reset(struct item_queue *queue, uint32_t producers)
{
    queue_lock(queue);
    queue->head = queue->tail = queue->in_hand = queue->most = queue->bytes = queue->controls = 0;
    queue->producers = producers;
    queue->paused = queue->control_out = queue->closed = queue->cancelled = queue->over = false;
    unlock_changed(queue);
}

void item_queue_destroy(struct item_queue *queue)
{
    if (!queue->ring)
        return;
    fd_flag_close(&queue->flag);
    pthread_cond_destroy(&queue->writable);
    pthread_cond_destroy(&queue->readable);
    pthread_mutex_destroy(&queue->lock);
    free(queue->ring);
    queue->ring = NULL;
}

static uint64_t charged(const struct item_queue *queue)
{
    return queue->tail - queue->head + queue->in_hand;
}

static bool fits(const struct item_queue *queue, const struct stage_item *item)
{
    if (charged(queue) >= queue->limit)
        return false;
    if (queue->bytes_limit == 0 || item->bytes == ITEM_CONTROL || queue->bytes == 0)
        return true;
    return item->bytes <= queue->bytes_limit && queue->bytes <= queue->bytes_limit - item->bytes;
}

/* Needs the lock. The ring grows as needed and never shrinks. If there is no memory for a larger ring, the queue is
 * full. */
static bool has_slot(struct item_queue *queue)
{
    if (queue->tail - queue->head <= queue->mask)
        return true;
    uint64_t mask = queue->mask * 2 + 1;
    struct stage_item *ring = mask < SIZE_MAX / sizeof(*ring) ? malloc((size_t)(mask + 1) * sizeof(*ring)) : NULL;
    if (!ring)
        return false;
    for (uint64_t i = queue->head; i < queue->tail; i++)
        ring[i & mask] = queue->ring[i & queue->mask];
    free(queue->ring);
    queue->ring = ring;
    queue->mask = mask;
    return true;
}

static void wake_reader(struct item_queue *queue)
{
    if (queue->readers_waiting && !queue->waking) {
        queue->waking = true;
        pthread_cond_signal(&queue->readable);
    }
}

/* If bytes count, only the writers know whose items would fit, so all are woken. A source, too, waits here for the end
 * of a pause. */
static void wake_writer(struct item_queue *queue)
{
    if (queue->writers_waiting && (queue->bytes_limit || queue->paused))
        pthread_cond_broadcast(&queue->writable);
    else if (queue->writers_waiting)
        pthread_cond_signal(&queue->writable);
}

/* Needs the lock. Waits, and adds the time. False: the deadline has come. */
static bool wait_on(struct item_queue *queue, pthread_cond_t *cond, uint32_t *waiting, int64_t deadline_ns,
                    uint64_t *wait_ns)
{
    if (deadline_ns < 0)
        return false;
    int64_t began = clock_ns();
    ++*waiting;
    bool in_time = thread_cond_wait(cond, &queue->lock, deadline_ns);
    --*waiting;
    if (wait_ns)
        *wait_ns += (uint64_t)(clock_ns() - began);
    return in_time;
}

int item_queue_push(struct item_queue *queue, const struct stage_item *items, size_t n, size_t *ret_n,
                    int64_t deadline_ns, uint64_t *wait_ns)
{
    size_t done = 0;
    bool in_time = true;
    int r = 0;
    queue_lock(queue);
    while (done < n) {
        if (queue->cancelled)
            r = -ECANCELED;
        else if (queue->closed || queue->producers == 0)
            r = -EPIPE;
        if (r < 0)
            break;
        for (; done < n && fits(queue, &items[done]) && has_slot(queue); done++) {
            queue->ring[queue->tail++ & queue->mask] = items[done];
            queue->controls += items[done].bytes == ITEM_CONTROL;
            queue->bytes += items[done].bytes == ITEM_CONTROL ? 0 : items[done].bytes;
        }
        queue->most = MAX(queue->most, charged(queue));
        wake_reader(queue);
        settle_flag(queue); /* it may wait now */
        if (done == n)
            break;
        if (!in_time) {
            r = deadline_ns < 0 ? -EAGAIN : -ETIMEDOUT;
            break;
        }
        in_time = wait_on(queue, &queue->writable, &queue->writers_waiting, deadline_ns, wait_ns);
    }
    if (queue->writers_waiting && charged(queue) < queue->limit)
        wake_writer(queue);
    pthread_mutex_unlock(&queue->lock);
    *ret_n = done;
    return r;
}

/* Needs the lock. If many items are released at once, writers are woken only when half of the room is free, so that
 * they do not wake for each item. */
static void release(struct item_queue *queue, uint64_t n, uint64_t bytes)
{
    if (n == 0)
        return;
    queue->in_hand -= n;
    queue->bytes -= bytes;
    if (queue->writers_waiting && (n == 1 || queue->bytes_limit || charged(queue) <= queue->limit / 2))
        wake_writer(queue);
    if (queue->control_out && queue->in_hand == 0) {
        queue->control_out = false;
        pthread_cond_broadcast(&queue->readable);
    } else if (queue->in_hand == 0 && queue->readers_waiting && queue->head != queue->tail) {
        pthread_cond_broadcast(&queue->readable); /* A control item has waited for this. */
    }
}

void item_queue_release(struct item_queue *queue, uint64_t n, uint64_t bytes)
{
    queue_lock(queue);
    release(queue, n, bytes);
    pthread_mutex_unlock(&queue->lock);
}

/* Needs the lock. Fills the hand with items that may be popped now. It takes only a fair share, so that each worker
 * gets some. */
static bool fill(struct item_queue *queue, struct hand *hand)
{
    uint64_t waiting = queue->tail - queue->head;
    if (waiting == 0 || queue->paused || queue->control_out)
        return false;
    hand->first = queue->head;
    uint64_t share = MIN((waiting + queue->readers - 1) / queue->readers, hand->wanted);
    while (hand->n < share) {
        struct stage_item *item = &queue->ring[queue->head & queue->mask];
        if (item->bytes == ITEM_CONTROL) {
            if (hand->n > 0 || queue->in_hand > 0)
                break;
            hand->control = queue->control_out = true;
            hand->items[hand->n++] = *item;
            queue->head++;
            break;
        }
        hand->bytes += item->bytes;
        hand->items[hand->n++] = *item;
        queue->head++;
    }
    queue->in_hand += hand->n;
    return hand->n > 0;
}

int item_queue_pop(struct item_queue *queue, struct hand *hand, int64_t deadline_ns, uint64_t *wait_ns)
{
    bool in_time = true;
    int r = 0;
    queue_lock(queue);
    release(queue, hand->n, hand->bytes);
    hand->n = 0;
    hand->bytes = 0;
    hand->control = false;
    for (;;) {
        if (queue->cancelled)
            r = -ECANCELED;
        else if (queue->closed || (queue->head == queue->tail && queue->producers == 0))
            r = 1;
        if (r != 0 || fill(queue, hand))
            break;
        if (!in_time) {
            r = deadline_ns < 0 ? -EAGAIN : -ETIMEDOUT;
            break;
        }
        in_time = wait_on(queue, &queue->readable, &queue->readers_waiting, deadline_ns, wait_ns);
        queue->waking = false;
    }
    if (queue->head != queue->tail)
        wake_reader(queue);
    unlock_changed(queue);
    return r;
}

static void wake_all(struct item_queue *queue)
{
    pthread_cond_broadcast(&queue->readable);
    pthread_cond_broadcast(&queue->writable);
}

void item_queue_end_producer(struct item_queue *queue)
{
    queue_lock(queue);
    if (queue->producers > 0 && --queue->producers == 0)
        wake_all(queue);
    unlock_changed(queue);
}

void item_queue_close(struct item_queue *queue)
{
    queue_lock(queue);
    queue->closed = true;
    wake_all(queue);
    unlock_changed(queue);
}

void item_queue_cancel(struct item_queue *queue)
{
    queue_lock(queue);
    queue->cancelled = true;
    wake_all(queue);
    unlock_changed(queue);
}

void item_queue_tell_over(struct item_queue *queue)
{
    queue_lock(queue);
    queue->over = true;
    unlock_changed(queue);
}

void item_queue_pause(struct item_queue *queue, bool paused)
{
    queue_lock(queue);
    queue->paused = paused;
    wake_all(queue);
    pthread_mutex_unlock(&queue->lock);
}

int item_queue_wait_resumed(struct item_queue *queue)
{
    int r = 0;
    queue_lock(queue);
    for (;;) {
        if (queue->cancelled)
            r = -ECANCELED;
        else if (queue->closed || queue->producers == 0)
            r = -EPIPE;
        if (r < 0 || !queue->paused)
            break;
        wait_on(queue, &queue->writable, &queue->writers_waiting, NO_DEADLINE, NULL);
    }
    pthread_mutex_unlock(&queue->lock);
    return r;
}

bool item_queue_drop(struct item_queue *queue, struct stage_item *ret)
{
    queue_lock(queue);
    bool some = queue->head != queue->tail;
    if (some) {
        *ret = queue->ring[queue->head++ & queue->mask];
        queue->bytes -= ret->bytes == ITEM_CONTROL ? 0 : ret->bytes;
    }
    unlock_changed(queue);
    return some;
}
