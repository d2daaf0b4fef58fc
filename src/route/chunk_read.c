/* SPDX-License-Identifier: MIT */
/* How the chunk route fills its ring: the next read, and what came of it. Residues of the routes before come first; a
 * hole is not read. */
#include "route/chunk.h"
#include <errno.h>

#define HOLE_MAX (1024 * 1024) /* bytes of a hole in one chunk, if a filter or an existing file needs the zeros */

static enum verdict read_op(struct hop *hop, enum chunk_step doing, void *bytes, size_t n, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    struct node *in = hop->in;
    s->doing = doing;
    s->op = (struct op){.kind = OP_READ,
                        .fd = {in->fd, -1},
                        .offset = {hop_in_offset(hop), -1},
                        .bytes = bytes,
                        .length = n,
                        .flags = node_op_flags(in),
                        .call = in->call,
                        .user = in->call_user};
    if (doing == DOING_RESIDUE) {
        s->op.fd[0] = hop->residue.fd[0];
        s->op.offset[0] = -1;
        s->op.flags = OP_NONBLOCK;
        s->op.call = NULL;
    }
    *ret_op = &s->op;
    return VERDICT_OP;
}

static enum verdict next_bytes(struct hop *hop, size_t n, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    if (!s->gives)
        return read_op(hop, DOING_READ, s->filling->data, n, ret_op);
    read_op(hop, DOING_TAKE, &s->taken, n, ret_op);
    s->op.call = hop->in->take;
    return VERDICT_OP;
}

static size_t hole_limit(const struct hop *hop, uint64_t n)
{
    return (size_t)MIN(n, hop_needs_bytes(hop) || !hop_all_fresh(hop) ? HOLE_MAX : SIZE_MAX / 2);
}

/* A hole uses a chunk as its place in the ring; the memory of the chunk stays untouched. */
static void append_hole(struct hop *hop, size_t n)
{
    struct chunk_route *s = hop->state;
    struct chunk *chunk = s->filling;
    s->filling = NULL;
    chunk->hole = true;
    chunk->length = n;
    hop_record_taken(hop, chunk->length);
    chunk_append(hop, chunk);
}

static bool wants_no_more(const struct hop *hop)
{
    return !hop->skip && (hop->taken >= hop->end || hop_is_cut(hop));
}

/* Gets the memory for the next bytes from the sink. OP: the route has it. Else the result is that of chunk_read_next,
 * and for WAIT *ret_wait may have the sink already, which then has bytes to take. */
static enum verdict borrow(struct hop *hop, struct wait_set *ret_wait)
{
    struct chunk_route *s = hop->state;
    struct node *sink = hop->branch[0].node;
    if (wants_no_more(hop))
        return VERDICT_END;
    if (s->cursor[0].chunk)
        return VERDICT_WAIT;
    ssize_t r = sink->port.blocked ? -EAGAIN : sink->lend(sink->call_user, &s->filling, SIZE_MAX / 2);
    if (r == -EAGAIN) {
        wait_add(ret_wait, &sink->port);
        return VERDICT_WAIT;
    }
    if (r < 0) {
        hop_fail_branch(hop, &hop->branch[0], op_name(OP_WRITE), (int)r);
        return VERDICT_END;
    }
    s->room = (size_t)r;
    return VERDICT_OP;
}

enum verdict chunk_read_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct chunk_route *s = hop->state;
    uint64_t n;
    if (hop->source_ended && (!hop->residue.bytes || hop->error.code))
        return VERDICT_END;
    if (hop->in->port.blocked && !hop->residue.bytes) {
        if (wants_no_more(hop)) /* no filter and no limit asks for another byte: do not wait for one */
            return VERDICT_END;
        wait_add(ret_wait, &hop->in->port);
        return VERDICT_WAIT;
    }
    if (s->borrows && !s->filling) {
        enum verdict verdict = borrow(hop, ret_wait);
        if (verdict != VERDICT_OP)
            return verdict;
    }
    if (!chunk_has_place(s) || (!s->gives && !s->filling && !(s->filling = chunk_get(&s->pool)))) {
        enum verdict verdict = chunk_spill(hop, ret_op);
        if (verdict != VERDICT_END)
            return verdict;
        if (chunk_drop_laggards(hop))
            return VERDICT_STEP_DOWN;
        s->released.blocked = true;
        wait_add(ret_wait, &s->released);
        return VERDICT_WAIT;
    }
    if (hop->residue.bytes)
        return read_op(hop, DOING_RESIDUE, s->filling->data, MIN(s->pool.chunk_size, hop->residue.bytes), ret_op);
    if (hop->skip)
        return next_bytes(hop, (size_t)MIN(s->room, hop->skip), ret_op);
    if (hop->taken >= hop->end)
        return VERDICT_END;
    if (hop_until_size(hop) == 0)
        return hop_is_cut(hop) ? VERDICT_END : read_op(hop, DOING_PROBE, &s->probe, 1, ret_op);
    bool hole = hop_extent(hop, &n) == 1;
    size_t allowed = hop_allowance(hop, hole ? hole_limit(hop, n) : MIN(s->room, n), ret_wait);
    if (allowed == 0)
        return ret_wait->deadline_ns ? VERDICT_WAIT : VERDICT_END;
    if (hole) {
        append_hole(hop, allowed);
        return VERDICT_STEP_DOWN;
    }
    return next_bytes(hop, allowed, ret_op);
}

static void record_skipped(struct hop *hop, size_t n)
{
    hop->skip -= n;
    hop_record_taken(hop, n);
    hop->end = hop->end == UINT64_MAX ? hop->end : hop->end + n;
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed) /* for failed branches hop_record_taken has counted it */
            hop->branch[i].discarded += n;
}

void chunk_record_read(struct hop *hop, ssize_t result)
{
    struct chunk_route *s = hop->state;
    struct chunk *chunk = s->gives ? s->taken : s->filling;
    if (node_must_retry(hop->in, result))
        return;
    if (result < 0)
        hop_fail_source(hop, op_name(OP_READ), (int)result);
    else if (result == 0) {
        if (hop->skip)
            hop_fail_offset(hop);
        hop_note_early_end(hop);
        hop->source_ended = true;
    } else if (hop->skip) {
        record_skipped(hop, (size_t)result);
        if (s->gives)
            chunk_unref(chunk);
    } else {
        s->filling = NULL;
        if (chunk->length != (size_t)result) /* a thread of the source may read that of a chunk that it gave */
            chunk->length = (size_t)result;
        hop_record_taken(hop, chunk->length);
        chunk_append(hop, chunk);
    }
}

/* The previous route has recorded these bytes as taken, but no filter has observed them. */
void chunk_record_read_residue(struct hop *hop, ssize_t result)
{
    struct chunk_route *s = hop->state;
    if (result == -EAGAIN)
        return;
    if (result <= 0) {
        hop_fail_source(hop, op_name(OP_READ), result < 0 ? (int)result : -EIO);
        return; /* the residue stays held */
    }
    struct chunk *chunk = s->filling;
    s->filling = NULL;
    chunk->length = (size_t)result;
    hop->residue.bytes -= (size_t)result;
    chunk_append(hop, chunk);
    if (!hop->residue.bytes)
        residue_drop(hop, &hop->residue);
}

void chunk_record_probe(struct hop *hop, ssize_t result)
{
    if (result > 0)
        hop_note_growth(hop);
    else if (result == 0)
        hop->source_ended = true;
    else if (result != -EAGAIN && !node_must_retry_cached(hop->in, result))
        hop_fail_source(hop, op_name(OP_READ), (int)result);
}
