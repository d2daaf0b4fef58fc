/* SPDX-License-Identifier: MIT */
/* An op as an entry of a ring. */
#ifndef ENGINE_URING_OP_H
#define ENGINE_URING_OP_H

#include "base/op.h"
#include <liburing.h>

/* Does the op become an entry of the ring? With `all` each op that has an entry does; otherwise only those that may
 * sleep. A read or write that may sleep and uses the descriptor's position never does. For the ops that do not the
 * engine makes a plain call. */
bool uring_takes(const struct op *op, bool all);

void uring_fill(struct io_uring_sqe *sqe, const struct op *op);

/* Returns the result that a plain call would have had. -EINTR: submit the op again, unless it was cancelled. */
ssize_t uring_result(struct op *op, ssize_t result);

#endif
