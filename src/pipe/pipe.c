/* SPDX-License-Identifier: MIT */
/* What both ends do to the pipe that they share. */
#include "pipe/pipe.h"

void pipe_blame(struct pipe *p, const struct leat_error *error)
{
    pthread_mutex_lock(&p->error_lock);
    if (!p->error.code)
        p->error = *error;
    pthread_mutex_unlock(&p->error_lock);
}

void pipe_blame_reader(struct pipe *p)
{
    struct leat_error error = {.size = sizeof(error)};
    error_at(&error, -EPIPE, LEAT_SIDE_SINK, "reader", "write", "The reader has closed");
    pipe_blame(p, &error);
}

void pipe_wake_reader(struct pipe *p)
{
    park_wake(&p->bytes);
    if (p->is_kernel)
        waker_wake(&p->kernel.reader);
}

void pipe_chunk_released(void *user)
{
    struct pipe *p = user;
    park_wake(&p->room);
    if (atomic_load(&p->held_until_ns) == NEVER)
        pipe_wake_reader(p);
}

/* The clock calls it at the time for which the chain waits. It helps only if a descriptor is polled: a reader inside a
 * call looks by itself, and without a reader the help would seal chunks that are hardly begun. */
static void tick(void *user)
{
    struct pipe *p = user;
    if (atomic_load(&p->eager) && atomic_load(&p->resting) && turn_take_or_wish(&p->write_turn)) {
        writer_help(p);
        writer_give(p);
    }
    park_wake(&p->room);
}

int pipe_start_clock(struct pipe *p)
{
    return clock_start(&p->clock, tick, p);
}

int pipe_prepare_polling(struct pipe *p)
{
    bool paces = false;
    for (size_t i = 0; i < p->filters; i++)
        paces |= p->filter[i]->ops->caps & FILTER_PACES;
    return paces ? pipe_start_clock(p) : 0;
}
