/* SPDX-License-Identifier: MIT */
/* How filters come into the chain, when the pipe is opened or later. */
#include "pipe/chain.h"

static int start(leat_filter *filter, struct leat_error *error)
{
    const struct filter_ops *ops = filter->ops;
    struct leat_error of_finish = {.size = sizeof(of_finish)};
    if (ops->caps & FILTER_JOINS)
        return error_at(error, -EOPNOTSUPP, LEAT_SIDE_FILTER, ops->name, "open",
                        "The filter '%s' is a process of its own and can't sit in a pipe; put it into a pipeline",
                        ops->name);
    if (atomic_exchange(&filter->busy, true))
        return error_at(error, -EBUSY, LEAT_SIDE_FILTER, ops->name, "open",
                        "The filter '%s' is in use elsewhere, or twice in this pipe", ops->name);
    int r = ops->start ? ops->start(filter, 0, error) : 0;
    if (r == 0)
        return 0;
    if (ops->finish)
        ops->finish(filter, r, &of_finish);
    atomic_store(&filter->busy, false);
    return error_at(error, r, LEAT_SIDE_FILTER, ops->name, "open", "The filter '%s' can't start", ops->name);
}

/* The filter is in its place before it counts: the other side reads `filters` without the write turn. */
int chain_add(struct pipe *p, leat_filter *filter, struct leat_error *error)
{
    int r = start(filter, error);
    if (r < 0)
        return r;
    struct pipe_place *last = &p->place[p->places - 1];
    queue_close(&p->queue);
    p->filter[p->filters] = filter;
    if (filter->ops->caps & FILTER_TRANSFORMS) {
        last->transform = filter;
        last[1].first = last[1].end = p->filters + 1;
        p->places++;
    } else
        last->end++;
    p->started++;
    p->filters++;
    return 0;
}
