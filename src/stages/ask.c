/* SPDX-License-Identifier: MIT */
/* A stage whose function asks for its items itself (leat_work_next). The items of a hand are the function's one by one;
 * all of them keep their places in the queue until the function asks for an item behind the hand. */
#include "base/thread.h"
#include "stages/stages.h"
#include <errno.h>

/* Begins the next hand. What the function has emitted leaves first, so no result waits for an item. A control item is a
 * hand of its own, without an item for the function. */
static int begin_hand(struct worker *w, int64_t deadline_ns)
{
    struct stage *stage = w->stage;
    uint64_t wait_ns = 0;
    int r = worker_flush(w, deadline_ns);
    worker_end_hand(w, w->hand.n);
    if (r == 0) {
        w->at = 0;
        r = item_queue_pop(&stage->in, &w->hand, deadline_ns, &wait_ns);
    }
    if (wait_ns)
        count(&w->counts.wait_in_ns, wait_ns);
    worker_begin_hand(w);
    if (r == 0 && w->hand.control)
        worker_handle_control(w, deadline_ns);
    return r == 1 ? LEAT_STAGES_END : r == -ECANCELED ? stages_end_code(stage->stages) : r;
}

static int next(leat_work *work, void **ret_item, int64_t deadline_ns)
{
    struct worker *w = (struct worker *)work;
    while (w->at == w->hand.n) {
        int r = begin_hand(w, deadline_ns);
        if (r != 0)
            return r;
    }
    count(&w->counts.done, 1);
    w->asked = w->hand.first + w->at;
    *ret_item = w->hand.items[w->at++].item;
    return 0;
}

void worker_call_all(struct worker *w)
{
    struct stage *stage = w->stage;
    w->work.next = next;
    w->work.current = w; /* No item is it, so none counts as emitted. */
    worker_begin_hand(w);
    int r = stage->with.function_all(&w->work, stage->with.user);
    worker_flush(w, NO_DEADLINE);
    worker_end_hand(w, 0);
    r = r == LEAT_STAGE_END ? 0 : error_of_answer(r);
    if (r < 0 && w->gone == 0)
        stages_fail(stage->stages, r, stage, "function", w->asked, NULL);
    worker_drop_rest(w);
    stages_close(stage->stages, stage->index);
}
