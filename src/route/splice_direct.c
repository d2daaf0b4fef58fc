/* SPDX-License-Identifier: MIT */
/* The splice route if one side is a pipe and there is one branch: splices from the source to the sink. */
#include "route/splice.h"
#include <errno.h>
#include <poll.h>

#define STEP_MAX (1024 * 1024) /* bytes of one call */

enum verdict splice_direct_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    struct branch *branch = &hop->branch[0];
    if (s->over || branch->failed || hop->error.code)
        return VERDICT_END;
    if (hop->in->port.blocked)
        wait_add(ret_wait, &hop->in->port);
    if (branch->node->port.blocked)
        wait_add(ret_wait, &branch->node->port);
    if (ret_wait->n)
        return VERDICT_WAIT;
    size_t allowed = hop_allowance(hop, STEP_MAX, ret_wait);
    if (allowed == 0)
        return ret_wait->deadline_ns ? VERDICT_WAIT : VERDICT_END;
    return splice_op(s, DOING_DIRECT,
                     (struct op){.kind = OP_SPLICE,
                                 .fd = {hop->in->fd, branch->node->fd},
                                 .offset = {hop_in_offset(hop), hop_out_offset(branch)},
                                 .length = allowed},
                     ret_op);
}

static void block(struct node *node)
{
    node->port.blocked = node->wait != NODE_WAIT_NEVER;
}

/* Is the source a pipe that is empty and has no writer left? While the sink is a full pipe, a splice says EAGAIN and
 * not that the source has ended. */
static bool has_ended(const struct node *in)
{
    struct pollfd source = {.fd = in->fd, .events = POLLIN};
    return in->kind == NODE_PIPE && poll(&source, 1, 0) == 1 && (source.revents & (POLLIN | POLLHUP)) == POLLHUP;
}

/* EAGAIN does not say which side would block. The route waits for the side that was not ready last time. If the call
 * then fails again, it waits for the other side. So in a steady stream each wait costs one poll, and each further call
 * follows a poll that found a side ready. */
static void wait_for_a_side(struct hop *hop)
{
    struct splice_route *s = hop->state;
    struct node *out = hop->branch[0].node;
    if (s->asked)
        s->sink_waits = !s->sink_waits;
    s->asked = true;
    if (hop->in->wait != NODE_WAIT_NEVER && (!s->sink_waits || out->wait == NODE_WAIT_NEVER))
        block(hop->in);
    else if (has_ended(hop->in))
        s->over = true;
    else
        block(out);
}

/* After a partial splice between a pipe and a file, the pipe is empty, or full. */
static void wait_after_short(struct hop *hop)
{
    struct node *out = hop->branch[0].node;
    if (hop->in->wait == NODE_WAIT_NEVER)
        block(out);
    else if (out->wait == NODE_WAIT_NEVER)
        block(hop->in);
}

/* Unless only one side can fail with this error, the call does not say which side failed. Then the route steps down,
 * and a read or a write of the chunk route shows it. */
void splice_record_direct(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    struct branch *branch = &hop->branch[0];
    if (result > 0) {
        hop_record_taken(hop, (uint64_t)result);
        hop_record_delivered(hop, branch, (uint64_t)result);
        s->asked = false;
        if ((size_t)result < s->op.length)
            wait_after_short(hop);
    } else if (result == 0)
        s->over = true;
    else if (result == -EAGAIN)
        wait_for_a_side(hop);
    else if (hop_is_sink_error(result))
        hop_fail_branch(hop, branch, op_name(OP_SPLICE), (int)result);
    else if (!splice_fail_broken_side(hop, branch, result))
        splice_refuse(hop, result);
}
