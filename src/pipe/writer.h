/* SPDX-License-Identifier: MIT */
/* What all calls of the writer's end share. They are in writer.c, writer_filter.c and writer_end.c. */
#ifndef PIPE_WRITER_H
#define PIPE_WRITER_H

#include "pipe/room.h"

/* Takes the write turn. Returns 0, or why the call can't have it: -EAGAIN, -ETIMEDOUT or -ECANCELED. */
int writer_take_turn(struct pipe *p, const struct pipe_limit *limit);

/* Returns 0 if the stream takes bytes; -EPIPE: it has ended; -EBUSY: there is a reservation. Needs the write turn. */
int writer_refusal(struct pipe *p);

/* Ends a call that may have left bytes in the chain, and gives the write turn. A reader that waits gets the bytes now;
 * a reader that comes later helps itself. */
void writer_give_after_call(struct pipe *p, const struct pipe_limit *limit);

#endif
