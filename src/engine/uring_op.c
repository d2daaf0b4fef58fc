/* SPDX-License-Identifier: MIT */
#include "engine/uring_op.h"
#include <errno.h>
#include <fcntl.h>

#ifndef RWF_DONTCACHE /* not in every linux/fs.h */
#define RWF_DONTCACHE 0x80
#endif

#define LENGTH_MAX 0x7ffff000u /* the kernel's limit for one call */

/* Internal codes of the kernel for an interrupted call (ERESTARTSYS and the like), which a cancel can bring out. */
#define RESTART_FIRST 512
#define RESTART_LAST  516

static bool never_sleeps(const struct op *op)
{
    return op->flags & (OP_NOWAIT | OP_NONBLOCK);
}

/* Has the op a position of its own, or does it need none? If the op uses the descriptor's position, which other
 * processes may share, a plain call moves that position under a lock, and the ring moves it without one: two writers
 * would overwrite each other. Descriptors whose ops must not sleep have no position. */
static bool has_place(const struct op *op)
{
    return op->offset[op->kind == OP_WRITE] >= 0 || (op->flags & OP_SOCKET) || never_sleeps(op);
}

bool uring_takes(const struct op *op, bool all)
{
    switch (op->kind) {
    case OP_READ:
    case OP_WRITE:
        return !op->call && has_place(op) && (all || !never_sleeps(op));
    case OP_SPLICE:
    case OP_TEE:
        return all || !never_sleeps(op);
    case OP_FSYNC:
        return true;
    default:
        return false;
    }
}

/* In a ring, an op on a descriptor with O_NONBLOCK may wait in the kernel instead of failing with -EAGAIN. So each op
 * that must not sleep says so itself. */
static void fill_move(struct io_uring_sqe *sqe, const struct op *op)
{
    bool writes = op->kind == OP_WRITE;
    int message = never_sleeps(op) ? MSG_DONTWAIT : 0;
    unsigned n = (unsigned)MIN(op->length, LENGTH_MAX);
    if (op->flags & OP_SOCKET) {
        if (writes)
            io_uring_prep_send(sqe, op->fd[1], op->bytes, n, message | MSG_NOSIGNAL);
        else
            io_uring_prep_recv(sqe, op->fd[0], op->bytes, n, message);
        return;
    }
    if (writes)
        io_uring_prep_write(sqe, op->fd[1], op->bytes, n, (uint64_t)op->offset[1]);
    else
        io_uring_prep_read(sqe, op->fd[0], op->bytes, n, (uint64_t)op->offset[0]);
    sqe->rw_flags = (never_sleeps(op) ? RWF_NOWAIT : 0) | (op->flags & OP_DONTCACHE ? RWF_DONTCACHE : 0);
}

void uring_fill(struct io_uring_sqe *sqe, const struct op *op)
{
    unsigned n = (unsigned)MIN(op->length, LENGTH_MAX);
    unsigned nowait = op->flags & OP_NOWAIT ? SPLICE_F_NONBLOCK : 0;
    switch (op->kind) {
    case OP_SPLICE:
        io_uring_prep_splice(sqe, op->fd[0], op->offset[0], op->fd[1], op->offset[1], n,
                             SPLICE_F_MOVE | nowait | (op->flags & OP_MORE ? SPLICE_F_MORE : 0));
        break;
    case OP_TEE:
        io_uring_prep_tee(sqe, op->fd[0], op->fd[1], n, nowait);
        break;
    case OP_FSYNC:
        io_uring_prep_fsync(sqe, op->fd[1], 0);
        break;
    default:
        fill_move(sqe, op);
    }
}

ssize_t uring_result(struct op *op, ssize_t result)
{
    if (result <= -RESTART_FIRST && result >= -RESTART_LAST)
        return -EINTR;
    bool moves = op->kind == OP_READ || op->kind == OP_WRITE;
    bool asked = moves && (never_sleeps(op) || (op->flags & OP_DONTCACHE)) && !(op->flags & OP_SOCKET);
    if (!asked || (result != -EOPNOTSUPP && result != -EINVAL))
        return result;
    return op->flags & OP_NONBLOCK ? op_perform(op) : -EOPNOTSUPP;
}
