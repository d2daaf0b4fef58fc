/* SPDX-License-Identifier: MIT */
/* Keeps the results of several workers in the order of the items of their queue. Each hand knows the numbers of its
 * items. The worker whose hand is next has the turn and pushes its results; the others park theirs and go on. Results
 * are parked in the places of the items that they were made of, and these places are released only when the results
 * have left. So the window needs no limit of its own. */
#ifndef STAGES_ORDER_H
#define STAGES_ORDER_H

#include "stages/queue.h"

struct span {
    uint32_t n, made; /* n items, and `made` results, which are never more than the items. */
    uint64_t bytes;
    bool done, last;
};

struct order {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t turn; /* The number of the first item whose results have not left. */
    uint32_t waiting;
    uint64_t mask;
    struct span *spans; /* Indexed by the number of their first item. */
    struct stage_item *parked;
    bool cancelled;
    bool ended; /* No later result is wanted. Only the worker that has the turn uses it. */
};

int order_init(struct order *order, uint64_t limit);
void order_destroy(struct order *order);
/* Sets the state that it had after order_init. */
void order_reset(struct order *order);
void order_cancel(struct order *order);

/* Waits until the results of all items before this one have left. Returns 0, -EAGAIN, -ETIMEDOUT or -ECANCELED. */
int order_wait(struct order *order, uint64_t first, int64_t deadline_ns);

/* Parks these results, unless their hand has the turn. True: they are parked. */
bool order_park(struct order *order, uint64_t first, const struct span *span, const struct stage_item *results);

/* Says that the results of the hand with the turn have left, and passes the turn on. True: the next hand is parked.
 * Then it is copied to `ret` and `results`, and the caller pushes it and calls again. `results` has room for
 * HAND_MAX. */
bool order_leave(struct order *order, uint32_t n, struct span *ret, struct stage_item *results);

/* Takes out one parked result; true if there was one. For the time when all threads have ended. */
bool order_drop(struct order *order, struct stage_item *ret);

#endif
