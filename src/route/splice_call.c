/* SPDX-License-Identifier: MIT */
/* What the two ways of the splice route use: its calls, their failures, and the private pipes. */
#include "base/fd.h"
#include "route/splice.h"
#include <errno.h>

enum verdict splice_op(struct splice_route *s, enum splice_step doing, struct op op, struct op **ret_op)
{
    s->doing = doing;
    s->op = op;
    s->op.flags |= OP_NOWAIT;
    *ret_op = &s->op;
    return VERDICT_OP;
}

void splice_refuse(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    s->refused = true;
    hop_set_reason(hop, "%s says %s", op_name(s->op.kind), result ? leat_errno_name((int)result) : "0");
}

bool splice_fail_broken_side(struct hop *hop, struct branch *branch, ssize_t result)
{
    enum leat_side side = hop_find_broken_side(hop, branch, result);
    if (side == LEAT_SIDE_SOURCE)
        hop_fail_source(hop, op_name(OP_SPLICE), (int)result);
    else if (side == LEAT_SIDE_SINK)
        hop_fail_branch(hop, branch, op_name(OP_SPLICE), (int)result);
    return side != LEAT_SIDE_NONE;
}

int splice_open_stage(struct hop *hop, struct splice_stage *stage, size_t size)
{
    stage->pipe = residue_none();
    if (!budget_take(hop->budget, size))
        return -ENOBUFS;
    int r = fd_pipe_of_size(stage->pipe.fd, size, &stage->size);
    if (r < 0) {
        budget_give(hop->budget, size);
        return r;
    }
    stage->pipe.paid = size;
    return 0;
}
