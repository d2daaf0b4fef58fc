/* What several workers make of the items of one queue leaves in the order of these items. Each hand has the numbers of
 * its items; who has the turn pushes, others park what they made and go on. It is parked in the places of the items it
 * was made of, which are not released until then: so a window needs no limit of its own. */
#ifndef STAGES_ORDER_H
#define STAGES_ORDER_H

#include "stages/queue.h"

struct span {
    uint32_t n, made; /* items, and results, which are no more than items */
    uint64_t bytes;
    bool done, last;
};

struct order {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t turn; /* the number of the first item whose results have not left */
    uint32_t waiting;
    uint64_t mask;
    struct span *spans; /* by the number of their first item */
    struct stage_item *parked;
    bool cancelled;
    bool ended; /* nothing that comes later is wanted; for whoever has the turn */
};

int order_init(struct order *order, uint64_t limit);
void order_destroy(struct order *order);
/* As it was at first. */
void order_reset(struct order *order);
void order_cancel(struct order *order);

/* Waits until everything before this item has left. -ECANCELED. */
int order_wait(struct order *order, uint64_t first);

/* Parks these results, if it is not their turn. True when they are parked. */
bool order_park(struct order *order, uint64_t first, const struct span *span, const struct stage_item *results);

/* The hand with the turn has left: the next one has it. If that is parked, it is given out, to be pushed and left in
 * turn; `results` has room for HAND_MAX. */
bool order_leave(struct order *order, uint32_t n, struct span *ret, struct stage_item *results);

/* One that is still parked when all threads are gone. */
bool order_drop(struct order *order, struct stage_item *ret);

#endif
