/* SPDX-License-Identifier: MIT */
/* The calls of the direct route: the next read or write of a slot, and what its result means. */
#include "route/direct.h"
#include <errno.h>

uint64_t direct_to_boundary(const struct direct_route *s, uint64_t at)
{
    return s->align - (s->base + at) % s->align;
}

static enum verdict launch(struct direct_route *s, struct direct_slot *slot, enum direct_side side, struct op **ret_op)
{
    slot->side = side;
    slot->busy = true;
    s->busy++;
    *ret_op = &slot->op;
    return VERDICT_OP;
}

enum verdict direct_read_op(struct hop *hop, struct direct_slot *slot, struct op **ret_op)
{
    struct direct_route *s = hop->state;
    uint64_t at = slot->at + slot->got, length = slot->want - slot->got;
    bool aligned = direct_to_boundary(s, at) == s->align && slot->got % s->align == 0;
    slot->past_cache = s->past_cache[SOURCE] && aligned;
    if (slot->past_cache)
        length = (length + s->align - 1) / s->align * s->align; /* the chunk has room for it */
    else if (s->past_cache[SOURCE])
        length = MIN(length, direct_to_boundary(s, at));
    slot->op = (struct op){.kind = OP_READ,
                           .fd = {slot->past_cache ? s->fd[SOURCE] : hop->in->fd, -1},
                           .offset = {hop->in->position + (int64_t)at, -1},
                           .bytes = slot->chunk->data + slot->got,
                           .length = (size_t)length,
                           .flags = OP_ASYNC | node_op_flags(hop->in)};
    return launch(s, slot, SOURCE, ret_op);
}

enum verdict direct_write_op(struct hop *hop, struct direct_slot *slot, struct op **ret_op)
{
    struct direct_route *s = hop->state;
    struct node *out = hop->branch[0].node;
    uint64_t at = slot->at + slot->put, length = slot->got - slot->put;
    bool aligned = direct_to_boundary(s, at) == s->align && slot->put % s->align == 0;
    slot->past_cache = s->past_cache[SINK] && aligned && length >= s->align;
    if (slot->past_cache)
        length = length / s->align * s->align;
    else if (s->past_cache[SINK])
        length = MIN(length, direct_to_boundary(s, at));
    slot->op = (struct op){.kind = OP_WRITE,
                           .fd = {-1, slot->past_cache ? s->fd[SINK] : out->fd},
                           .offset = {-1, out->position < 0 ? -1 : out->position + (int64_t)at},
                           .bytes = slot->chunk->data + slot->put,
                           .length = node_write_limit(out, (size_t)length),
                           .flags = (direct_is_storage(out) ? OP_ASYNC : 0) | node_op_flags(out),
                           .call = out->call,
                           .user = out->call_user};
    return launch(s, slot, SINK, ret_op);
}

/* ---- what comes back ---- */

/* Does the side refuse O_DIRECT, although the descriptor was opened? Then the side uses the cache from now on. If that
 * is so for both sides and nothing was taken, the route is refused. */
static bool refuses(struct hop *hop, const struct direct_slot *slot, ssize_t result)
{
    struct direct_route *s = hop->state;
    if (!slot->past_cache || (result != -EINVAL && result != -EOPNOTSUPP))
        return false;
    s->past_cache[slot->side] = false;
    if (!s->past_cache[SOURCE] && !s->past_cache[SINK] && s->took == 0) {
        s->refused = true;
        hop_set_reason(hop, "%s says %s with O_DIRECT", op_name(slot->op.kind), leat_errno_name((int)result));
    }
    return true;
}

/* True: nothing moved, and the slot makes the call again. Calls with O_DIRECT ask for OP_DONTCACHE as well, because a
 * file system may serve O_DIRECT through the cache. Several calls in flight may return that it is not supported. */
static bool asks_again(struct hop *hop, const struct direct_slot *slot, struct node *node, ssize_t result)
{
    if (!(slot->op.flags & OP_ASYNC))
        return node_must_retry(node, result);
    if (result == -EOPNOTSUPP && (slot->op.flags & OP_DONTCACHE)) {
        node_must_retry_cached(node, result);
        return true;
    }
    return result == -EAGAIN || refuses(hop, slot, result);
}

void direct_record_read(struct hop *hop, struct direct_slot *slot, ssize_t result)
{
    if (asks_again(hop, slot, hop->in, result))
        return;
    if (result > 0)
        slot->got += MIN((uint64_t)result, slot->want - slot->got);
    else {
        slot->ends = true;
        slot->error = (int)result;
    }
    if (slot->ends || slot->got == slot->want)
        slot->state = SLOT_READ;
}

void direct_record_write(struct hop *hop, struct direct_slot *slot, ssize_t result)
{
    if (asks_again(hop, slot, hop->branch[0].node, result))
        return;
    if (result > 0)
        slot->put += (uint64_t)result;
    else
        slot->error = result < 0 ? (int)result : -EIO;
}
