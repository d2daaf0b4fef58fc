/* SPDX-License-Identifier: MIT */
/* The end of what a writer writes: flush, finish, fail and close. */
#include "base/origin.h"
#include "pipe/chain.h"
#include "pipe/writer.h"

int leat_writer_flush(leat_writer *writer, int timeout_ms)
{
    struct pipe *p = writer->pipe;
    struct pipe_limit limit = limit_of(timeout_ms);
    int r = writer_take_turn(p, &limit);
    if (r < 0)
        return r;
    r = writer_refusal(p);
    while (r == 0 && (r = chain_pass(p, LEAT_FILTER_FLUSH)) == -EAGAIN)
        r = room_wait(p, &limit);
    writer_give_after_call(p, &limit);
    return r;
}

/* Begins the end, and works it off. If the time is up, the end goes on: the reader works it off, and so does each
 * further call. */
int leat_writer_finish(leat_writer *writer, int timeout_ms)
{
    struct pipe *p = writer->pipe;
    struct pipe_limit limit = limit_of(timeout_ms);
    int r = writer_take_turn(p, &limit);
    if (r < 0)
        return r;
    if (p->ending == ENDING_NOT)
        chain_end(p, ENDING_WELL, 0, 0);
    p->reserved = 0;
    while (r == 0 && (r = chain_work_off_end(p)) == -EAGAIN)
        r = room_wait(p, &limit);
    if (r == -EPIPE)
        chain_drop(p);
    if (r == 0 && (atomic_load(&p->end) < 0 || (p->abandoned && !p->sated)))
        r = -EPIPE;
    writer_give_after_call(p, &limit);
    return r;
}

/* Wakes calls of the writer that wait, so that they see that they are to return. */
static void interrupt(struct pipe *p)
{
    park_wake(&p->room);
    if (p->is_kernel)
        waker_wake(&p->kernel.writer);
}

/* Needs the write turn. What has room goes out. */
static void end_badly(struct pipe *p, const struct leat_error *error)
{
    pipe_blame(p, error);
    p->reserved = 0;
    chain_end(p, ENDING_BADLY, p->ending_at, error->code);
    chain_work_off_end(p);
}

int leat_writer_fail(leat_writer *writer, int code)
{
    struct pipe *p = writer->pipe;
    struct leat_error error = {.size = sizeof(error)};
    char text[100];
    if (code >= 0)
        return -EINVAL;
    atomic_fetch_add(&p->failing, 1);
    interrupt(p);
    int r = turn_take(&p->write_turn, NEVER);
    if (r < 0)
        return r; /* The writer is being closed and must not be touched any more. */
    atomic_fetch_sub(&p->failing, 1);
    if (!pipe_has_ended(p) && !p->sated && p->ending != ENDING_BADLY) {
        error_at(&error, code, LEAT_SIDE_SOURCE, "writer", "fail", "The writer failed: %s",
                 error_text(code, text, sizeof(text)));
        end_badly(p, &error);
    }
    writer_give_after_call(p, &(struct pipe_limit){0});
    return 0;
}

/* A writer that is closed before its end is a failure for the reader, unless the end has begun well and can be worked
 * off without waiting. If other processes have the descriptors, they may go on, and the close is not the end of the
 * stream. */
static void cut_off(struct pipe *p)
{
    struct leat_error error = {.size = sizeof(error)};
    if (p->ending == ENDING_NOT && p->is_kernel && kernel_is_lent(&p->kernel))
        chain_end(p, ENDING_WELL, 0, 0);
    if (p->ending == ENDING_WELL)
        chain_work_off_end(p);
    if (!pipe_has_ended(p) && p->ending != ENDING_BADLY) {
        error_at(&error, -ECANCELED, LEAT_SIDE_SOURCE, "writer", "close",
                 "The writer was closed before the stream was finished");
        end_badly(p, &error);
    }
}

/* The close waits for no room. If a failure left bytes in the chain for want of room, they are dropped, because no call
 * could move them on any more. */
void leat_writer_close(leat_writer *writer)
{
    if (!writer)
        return;
    struct pipe *p = writer->pipe;
    if (!origin_is_here(p->origin)) { /* In a child of fork: what is in the chain is for the parent to write. */
        kernel_end(&p->kernel);
        return;
    }
    turn_shut(&p->write_turn);
    interrupt(p);
    turn_close(&p->write_turn);
    cut_off(p);
    chain_drop(p);
    pipe_unref(p);
}
