/* What a writer needs before it can go on, and waiting for it: a chunk and room in the limit, room in the kernel's
 * pipe, or the time that a filter asks for (`want`). All is the writer's: it has the write turn. */
#ifndef PIPE_ROOM_H
#define PIPE_ROOM_H

#include "pipe/pipe.h"

/* How many bytes the limit leaves; as many as anybody could want where bytes are not counted. Exact if there are less
 * than `wanted`, else there may be more. */
uint64_t room_bytes(struct pipe *p, uint64_t wanted);

/* Is there what was wanted last, or an answer? A park_ready. */
bool room_is_ready(void *user);

/* After -EAGAIN: 0 when it is worth while to try again; else why it is not. */
int room_wait(struct pipe *p, const struct pipe_limit *limit);

#endif
