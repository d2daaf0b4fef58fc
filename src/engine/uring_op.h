/* An op as an entry of a ring. */
#ifndef ENGINE_URING_OP_H
#define ENGINE_URING_OP_H

#include "base/op.h"
#include <liburing.h>

/* Whether it gets an entry: what may sleep, or with `all` whatever has one. The others are called. */
bool uring_takes(const struct op *op, bool all);

void uring_fill(struct io_uring_sqe *sqe, const struct op *op);

/* What a plain call would have said; -EINTR: to be repeated, if nobody cancelled it. */
ssize_t uring_result(struct op *op, ssize_t result);

#endif
