/* SPDX-License-Identifier: MIT */
#include "pipe/room.h"

static bool is_over(void *user)
{
    struct pipe *p = user;
    return writer_is_interrupted(p) || pipe_is_broken(p);
}

/* The reader's count is read only if the value that was seen last leaves too little room. */
uint64_t room_bytes(struct pipe *p, uint64_t wanted)
{
    if (!pipe_counts_bytes(p))
        return UINT64_MAX;
    uint64_t pushed = atomic_load_explicit(&p->pushed, memory_order_relaxed);
    if (p->limit - (pushed - p->taken_seen) < wanted)
        p->taken_seen = atomic_load_explicit(&p->taken, memory_order_acquire);
    return p->limit - (pushed - p->taken_seen);
}

static bool has_bytes(struct pipe *p, uint64_t wanted)
{
    if (!pipe_counts_bytes(p))
        return true;
    /* Sequentially consistent, as for a listener: see count_taken() in reader.c. */
    p->taken_seen = atomic_load(&p->taken);
    return room_bytes(p, 0) >= wanted;
}

static bool has_answer(struct pipe *p)
{
    return is_over(p) || pipe_has_ended(p) || (p->is_kernel && kernel_can_reclaim(&p->kernel));
}

static bool has_chunk(struct pipe *p)
{
    return p->queue.growing || chunk_pool_has(&p->pool);
}

/* Is there a chunk, and room in the limit, or another answer? */
static bool has_needed_room(void *user)
{
    struct pipe *p = user;
    return has_answer(p) || (has_chunk(p) && has_bytes(p, MAX(p->needed, 1)));
}

static bool has_much_room(void *user)
{
    struct pipe *p = user;
    return has_answer(p) || (has_chunk(p) && has_bytes(p, p->chunk_size));
}

bool room_is_ready(void *user)
{
    struct pipe *p = user;
    switch (p->want) {
    case WANT_CHUNK:
        return has_needed_room(p);
    case WANT_PIPE:
        return is_over(p) || kernel_has_room(&p->kernel);
    case WANT_TIME:
        return is_over(p) || p->pace_ns <= clock_ns();
    }
    return true;
}

/* A reader of a few bytes at a time is probably about to take many. Following it closely costs both sides more than it
 * brings. */
#define PATIENCE_NS 50000

static void wait_for_chunk(struct pipe *p, int64_t deadline_ns)
{
    int64_t until = pipe_counts_bytes(p) ? clock_ns() + PATIENCE_NS : deadline_ns;
    if (until >= deadline_ns || !park_wait(&p->room, has_much_room, p, until))
        park_wait(&p->room, has_needed_room, p, deadline_ns);
}

static void wait_for(struct pipe *p, int64_t deadline_ns)
{
    switch (p->want) {
    case WANT_CHUNK:
        wait_for_chunk(p, deadline_ns);
        return;
    case WANT_PIPE:
        kernel_wait(&p->kernel, false, is_over, p, deadline_ns);
        return;
    case WANT_TIME:
        park_wait(&p->room, is_over, p, MIN(deadline_ns, p->pace_ns));
        return;
    }
}

int room_wait(struct pipe *p, const struct pipe_limit *limit)
{
    int64_t began = clock_ns();
    if (began >= limit->deadline_ns)
        return limit_code(limit);
    wait_for(p, limit->deadline_ns);
    counter_add(&p->writer_blocked_ns, (uint64_t)(clock_ns() - began));
    return writer_is_interrupted(p) ? -ECANCELED : pipe_is_broken(p) ? -EPIPE : 0;
}
