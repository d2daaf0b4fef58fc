/* SPDX-License-Identifier: MIT */
/* The offload route: the kernel, or a file server, moves the bytes by one call. That is copy_file_range(2) from file to
 * file, and sendfile(2) from a file to /dev/null or to a non-blocking socket that leat opened. */
#include "route/hop.h"
#include <errno.h>

#define STEP_LOCAL   (1024 * 1024)      /* a call on a file cannot be cancelled, so it is short */
#define STEP_NETWORK (64 * 1024 * 1024) /* the server copies: each call costs one round trip */

struct offload_route {
    struct op op;
    bool refused;
    bool over; /* the call returned 0: the end, or a file of procfs. A read confirms it: see ladder.c */
};

static const char *unfit(const struct hop *hop, char reason[REASON_MAX] UNUSED)
{
    if (hop_needs_bytes(hop))
        return "a filter must see the bytes";
    if (hop->branches != 1)
        return "it serves one sink";
    const struct node *out = hop->branch[0].node;
    if (hop->in->kind != NODE_FILE)
        return "the source is not a regular file";
    bool own_socket = out->kind == NODE_SOCKET && out->wait == NODE_WAIT_OWN;
    if (out->kind != NODE_FILE && out->kind != NODE_NULL && !own_socket)
        return "sendfile might sleep on this kind of sink";
    if (out->append)
        return "the sink is opened for appending";
    if (hop->sparse == LEAT_SPARSE_ALWAYS)
        return "zeros have to be looked for";
    if (hop_must_punch(hop))
        return "holes have to be punched into the existing file";
    if (hop->sparse == LEAT_SPARSE_NEVER && out->kind == NODE_FILE)
        return "a file system may keep holes, or share blocks, when it copies by itself";
    return NULL;
}

static uint64_t minimum(const struct hop *hop UNUSED)
{
    return 0;
}

static int start(struct hop *hop)
{
    hop->state = calloc(1, sizeof(struct offload_route));
    return hop->state ? 0 : -ENOMEM;
}

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct offload_route *s = hop->state;
    struct branch *branch = &hop->branch[0];
    uint64_t n;
    if (s->refused)
        return VERDICT_STEP_DOWN;
    if (s->over || branch->failed)
        return VERDICT_END;
    if (branch->node->port.blocked) {
        wait_add(ret_wait, &branch->node->port);
        return VERDICT_WAIT;
    }
    while (hop_skip_holes(hop))
        ;
    hop_extent(hop, &n);
    size_t allowed = hop_allowance(hop, MIN(n, hop->in->network ? STEP_NETWORK : STEP_LOCAL), ret_wait);
    if (allowed == 0)
        return ret_wait->deadline_ns ? VERDICT_WAIT : VERDICT_END;
    s->op = (struct op){.kind = branch->node->kind == NODE_FILE ? OP_COPY_RANGE : OP_SENDFILE,
                        .fd = {hop->in->fd, branch->node->fd},
                        .offset = {hop_in_offset(hop), hop_out_offset(branch)},
                        .length = allowed};
    *ret_op = &s->op;
    return VERDICT_OP;
}

/* Unless only one side can fail with this error, the call does not say which side failed. Then the route steps down,
 * and a read or a write of the chunk route shows it. */
static void done(struct hop *hop, struct op *op, ssize_t result)
{
    struct offload_route *s = hop->state;
    struct branch *branch = &hop->branch[0];
    if (result > 0) {
        hop_record_taken(hop, (uint64_t)result);
        hop_record_delivered(hop, branch, (uint64_t)result);
    } else if (result == 0)
        s->over = true;
    else if (result == -EAGAIN && branch->node->wait == NODE_WAIT_OWN)
        branch->node->port.blocked = true;
    else if (hop_is_sink_error(result) || hop_find_broken_side(hop, branch, result) == LEAT_SIDE_SINK)
        hop_fail_branch(hop, branch, op_name(op->kind), (int)result);
    else {
        s->refused = true;
        hop_set_reason(hop, "%s says %s", op_name(op->kind), leat_errno_name((int)result));
    }
}

const struct route route_offload = {
    .name = "offload",
    .id = ROUTE_OFFLOAD,
    .compared = true,
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
};
