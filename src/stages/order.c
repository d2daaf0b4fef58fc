/* SPDX-License-Identifier: MIT */
#include "stages/order.h"
#include "base/thread.h"
#include <errno.h>

int order_init(struct order *order, uint64_t limit)
{
    uint64_t size = 1;
    while (size < limit)
        size *= 2;
    *order = (struct order){.mask = size - 1};
    order->spans = calloc((size_t)size, sizeof(*order->spans));
    order->parked = calloc((size_t)size, sizeof(*order->parked));
    int r = order->spans && order->parked ? -pthread_mutex_init(&order->lock, NULL) : -ENOMEM;
    if (r == 0 && (r = thread_cond_init(&order->changed)) < 0)
        pthread_mutex_destroy(&order->lock);
    if (r < 0) {
        free(order->spans);
        free(order->parked);
        order->spans = NULL;
    }
    return r;
}

void order_reset(struct order *order)
{
    pthread_mutex_lock(&order->lock);
    order->turn = 0;
    order->cancelled = order->ended = false;
    pthread_mutex_unlock(&order->lock);
}

void order_destroy(struct order *order)
{
    if (!order->spans)
        return;
    pthread_cond_destroy(&order->changed);
    pthread_mutex_destroy(&order->lock);
    free(order->spans);
    free(order->parked);
    order->spans = NULL;
}

void order_cancel(struct order *order)
{
    pthread_mutex_lock(&order->lock);
    order->cancelled = true;
    pthread_cond_broadcast(&order->changed);
    pthread_mutex_unlock(&order->lock);
}

int order_wait(struct order *order, uint64_t first, int64_t deadline_ns)
{
    bool in_time = deadline_ns >= 0;
    pthread_mutex_lock(&order->lock);
    order->waiting++;
    while (order->turn != first && !order->cancelled && in_time)
        in_time = thread_cond_wait(&order->changed, &order->lock, deadline_ns);
    order->waiting--;
    int r = order->cancelled ? -ECANCELED : order->turn == first ? 0 : deadline_ns < 0 ? -EAGAIN : -ETIMEDOUT;
    pthread_mutex_unlock(&order->lock);
    return r;
}

bool order_park(struct order *order, uint64_t first, const struct span *span, const struct stage_item *results)
{
    pthread_mutex_lock(&order->lock);
    bool parked = order->turn != first;
    if (parked) {
        for (uint32_t i = 0; i < span->made; i++)
            order->parked[(first + i) & order->mask] = results[i];
        order->spans[first & order->mask] = *span;
    }
    pthread_mutex_unlock(&order->lock);
    return parked;
}

bool order_leave(struct order *order, uint32_t n, struct span *ret, struct stage_item *results)
{
    pthread_mutex_lock(&order->lock);
    order->turn += n;
    struct span *next = &order->spans[order->turn & order->mask];
    bool more = next->done;
    if (more) {
        *ret = *next;
        next->done = false;
        for (uint32_t i = 0; i < ret->made; i++)
            results[i] = order->parked[(order->turn + i) & order->mask];
    } else if (order->waiting) {
        pthread_cond_broadcast(&order->changed);
    }
    pthread_mutex_unlock(&order->lock);
    return more;
}

bool order_drop(struct order *order, struct stage_item *ret)
{
    for (uint64_t i = 0; i <= order->mask; i++) {
        struct span *span = &order->spans[i];
        if (span->done && span->made > 0) {
            *ret = order->parked[(i + --span->made) & order->mask];
            return true;
        }
        span->done = false;
    }
    return false;
}
