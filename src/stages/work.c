/* SPDX-License-Identifier: MIT */
/* One call of a stage's function, and what the function may ask of it. */
#include "stages/stages.h"
#include <errno.h>

/* Turns the answer of a function of many that was given one item into that of a function of one. */
static int answer_of_one(leat_work *work, int r, bool *last)
{
    size_t done = work->done;
    work->done = 0;
    if (r == LEAT_STAGE_DONE)
        return r;
    work->gave |= done > 0;
    if (done > 1)
        return -EPROTO;
    if (r == LEAT_STAGE_END && done == 0) {
        *last = true;
        return LEAT_STAGE_SKIP;
    }
    return r;
}

int stage_call(const struct leat_stage *with, leat_work *work, void *item, bool *last)
{
    if (with->function)
        return with->function(work, item, with->user);
    work->done = 0;
    return answer_of_one(work, with->function_many(work, &item, 1, &work->done, with->user), last);
}

static int emit(leat_work *work, void *item, int64_t deadline_ns)
{
    if (work->n >= work->room)
        return work->emit(work, item, deadline_ns);
    work->gave |= item == work->current;
    work->made[work->n++] = item;
    return 0;
}

int leat_work_emit(leat_work *work, void *item, int timeout_ms)
{
    return emit(work, item, stage_deadline(timeout_ms));
}

int leat_work_emit_many(leat_work *work, void *const *items, size_t n, size_t *ret_n, int timeout_ms)
{
    int64_t deadline_ns = stage_deadline(timeout_ms);
    int code = 0;
    size_t i = 0;
    for (; i < n; i++) {
        int r = emit(work, items[i], deadline_ns);
        if (r == -EAGAIN || r == -ETIMEDOUT) {
            code = r;
            break;
        }
        code = code ? code : r;
    }
    if (ret_n)
        *ret_n = i;
    return code;
}

int leat_work_next(leat_work *work, void **ret_item, int timeout_ms)
{
    return work->next ? work->next(work, ret_item, stage_deadline(timeout_ms)) : -EINVAL;
}

void *leat_work_state(const leat_work *work)
{
    return work->state;
}

uint32_t leat_work_attempt(const leat_work *work)
{
    return work->attempt;
}
