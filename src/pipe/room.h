/* SPDX-License-Identifier: MIT */
/* What a writer needs before it can go on (`want`), and waiting for it: a chunk and room in the limit, room in the
 * kernel's pipe, or the time that a filter asks for. All functions need the write turn. */
#ifndef PIPE_ROOM_H
#define PIPE_ROOM_H

#include "pipe/pipe.h"

/* How many bytes the limit leaves. UINT64_MAX if bytes are not counted. If the result is smaller than `wanted`, it is
 * exact; otherwise there may be more room. */
uint64_t room_bytes(struct pipe *p, uint64_t wanted);

/* Is there what the last -EAGAIN needed, or another answer (the end, a failure, a reader that has closed)? A
 * park_ready. */
bool room_is_ready(void *user);

/* Waits for what the last -EAGAIN needed. Returns 0: try again. -EAGAIN or -ETIMEDOUT: the time is up; -ECANCELED;
 * -EPIPE. */
int room_wait(struct pipe *p, const struct pipe_limit *limit);

#endif
