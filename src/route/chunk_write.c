/* SPDX-License-Identifier: MIT */
/* The writes of the chunk route: what each branch gets next, and what the result of the write means. */
#include "route/chunk.h"
#include "route/zeros.h"
#include <errno.h>

static void pass_hole(struct hop *hop, struct branch *branch, size_t n)
{
    hop_record_delivered(hop, branch, n);
    branch->node->holes = true;
    chunk_cursor(hop, branch)->at += n;
}

/* Moves the cursor to a chunk that has bytes left to write. False: the ring has none for this branch now. */
static bool at_chunk(struct hop *hop, struct branch *branch)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = chunk_cursor(hop, branch);
    if (c->chunk && c->at == c->chunk->length)
        c->chunk = chunk_unref(c->chunk);
    if (!c->chunk) {
        if (branch->spill.held || c->next == s->tail)
            return false;
        c->chunk = chunk_ref(s->ring[c->next++ % s->capacity]);
        c->at = c->spilled = 0;
        chunk_retire(hop);
    }
    return true;
}

/* Returns true if the branch gets a hole of *ret_n bytes next, false if it gets *ret_n bytes. A new file leaves a hole
 * out; an existing file gets it punched. */
static bool is_hole(const struct hop *hop, const struct branch *branch, const struct cursor *c, size_t *ret_n)
{
    const struct node *node = branch->node;
    *ret_n = c->chunk->length - c->at;
    if (!node->fresh && !node->punches)
        return false;
    if (c->chunk->hole || hop->sparse != LEAT_SPARSE_ALWAYS)
        return c->chunk->hole;
    const uint8_t *bytes = c->chunk->data + c->at;
    size_t n = *ret_n, hole = zeros_run(branch->delivered, bytes, n);
    *ret_n = hole ? hole : zeros_next(branch->delivered, bytes, n);
    return hole > 0;
}

enum next_part {
    NEXT_NOTHING, /* the ring has no chunk for this branch now */
    NEXT_BYTES,
    NEXT_HOLE, /* to punch into an existing file */
};

/* Skips the holes of a new file. */
static enum next_part next_part(struct hop *hop, struct branch *branch, size_t *ret_n)
{
    while (at_chunk(hop, branch)) {
        if (!is_hole(hop, branch, chunk_cursor(hop, branch), ret_n))
            return NEXT_BYTES;
        if (!branch->node->fresh)
            return NEXT_HOLE;
        pass_hole(hop, branch, *ret_n);
    }
    return NEXT_NOTHING;
}

static enum verdict write_from(struct hop *hop, struct branch *branch, uint8_t *bytes, size_t n, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    struct node *node = branch->node;
    s->busy = branch;
    s->op = (struct op){.kind = OP_WRITE,
                        .fd = {-1, node->fd},
                        .offset = {-1, hop_out_offset(branch)},
                        .bytes = bytes,
                        .length = node_write_limit(node, n),
                        .flags = node_op_flags(node),
                        .call = node->call,
                        .user = node->call_user};
    *ret_op = &s->op;
    return VERDICT_OP;
}

static enum verdict punch(struct hop *hop, struct branch *branch, size_t n, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    s->busy = branch;
    s->op = (struct op){
        .kind = OP_PUNCH, .fd = {-1, branch->node->fd}, .offset = {-1, hop_out_offset(branch)}, .length = n};
    *ret_op = &s->op;
    return VERDICT_OP;
}

/* Names the next call for the residue in the branch's own pipe, which is read into a chunk and written from there,
 * before all other bytes. */
static enum verdict write_residue(struct hop *hop, struct branch *branch, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = chunk_cursor(hop, branch);
    if (!c->scratch && !(c->scratch = chunk_get(&s->pool))) {
        s->released.blocked = true;
        return VERDICT_WAIT;
    }
    if (c->at < c->scratch->length) {
        s->doing = DOING_WRITE;
        return write_from(hop, branch, c->scratch->data + c->at, c->scratch->length - c->at, ret_op);
    }
    s->busy = branch;
    s->doing = DOING_BRANCH_RESIDUE;
    s->op = (struct op){.kind = OP_READ,
                        .fd = {branch->residue.fd[0], -1},
                        .offset = {-1, -1},
                        .bytes = c->scratch->data,
                        .length = MIN(s->pool.chunk_size, branch->residue.bytes),
                        .flags = OP_NONBLOCK};
    *ret_op = &s->op;
    return VERDICT_OP;
}

static bool has_residue(const struct hop *hop, const struct branch *branch)
{
    const struct cursor *c = chunk_cursor(hop, branch);
    return branch->residue.bytes > 0 || (c->scratch && c->at < c->scratch->length);
}

/* WAIT: the branch can be given nothing now. *ret_pending: the branch has bytes. */
static enum verdict write_next(struct hop *hop, struct branch *branch, struct op **ret_op, bool *ret_pending)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = chunk_cursor(hop, branch);
    size_t n;
    if (has_residue(hop, branch)) {
        *ret_pending = true;
        return branch->node->port.blocked ? VERDICT_WAIT : write_residue(hop, branch, ret_op);
    }
    if (c->scratch)
        c->scratch = chunk_unref(c->scratch);
    enum next_part part;
    while ((part = next_part(hop, branch, &n)) == NEXT_NOTHING) {
        *ret_pending = branch->spill.held > 0;
        if (!*ret_pending || branch->node->port.blocked)
            return VERDICT_WAIT;
        if (chunk_unspill(hop, branch, ret_op) == VERDICT_OP)
            return VERDICT_OP;
    }
    *ret_pending = true;
    if (branch->node->port.blocked)
        return VERDICT_WAIT;
    s->doing = DOING_WRITE;
    if (part == NEXT_HOLE)
        return punch(hop, branch, n, ret_op);
    if (c->chunk->hole)
        return write_from(hop, branch, zeros, MIN(n, ZEROS), ret_op);
    return write_from(hop, branch, c->chunk->data + c->at, n, ret_op);
}

void chunk_record_write(struct hop *hop, struct branch *branch, ssize_t result)
{
    struct cursor *c = chunk_cursor(hop, branch);
    struct op *op = &((struct chunk_route *)hop->state)->op;
    if (op->kind == OP_PUNCH && result <= 0) {
        branch->node->punches = false; /* write zeros instead; if the sink is broken, that write fails, too */
        return;
    }
    if (node_must_retry(branch->node, result))
        return;
    if (result == 0)
        result = -EIO; /* a sink that takes 0 bytes of a write would take 0 bytes for ever */
    if (result < 0) {
        hop_fail_branch(hop, branch, op_name(OP_WRITE), (int)result);
        return; /* its bytes are counted when the route stops, or when the other branches go on (leave_behind) */
    }
    c->at += (size_t)result;
    ((struct chunk_route *)hop->state)->looked = false;
    hop_record_delivered(hop, branch, (uint64_t)result);
    if (branch->node->kind == NODE_PIPE && (size_t)result < ((struct chunk_route *)hop->state)->op.length)
        branch->node->port.blocked = true; /* a partial write means that the pipe is full */
    if (!branch->residue.bytes && c->scratch && c->at == c->scratch->length)
        residue_drop(hop, &branch->residue);
}

void chunk_record_residue(struct hop *hop, struct branch *branch, ssize_t result)
{
    struct cursor *c = chunk_cursor(hop, branch);
    if (result == -EAGAIN)
        return;
    if (result <= 0) { /* the private pipe has bytes that cannot be read: they are lost, and the branch fails */
        hop_fail_branch(hop, branch, op_name(OP_READ), result < 0 ? (int)result : -EIO);
        return;
    }
    c->scratch->length = (size_t)result;
    c->at = 0;
    branch->residue.bytes -= (size_t)result;
}

enum verdict chunk_write_any(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait, bool *ret_pending,
                             bool *ret_residues)
{
    struct chunk_route *s = hop->state;
    *ret_pending = *ret_residues = false;
    for (size_t i = 0; i < hop->branches; i++) {
        struct branch *branch = &hop->branch[(s->turn + i) % hop->branches];
        bool pending = false;
        if (branch->failed)
            continue;
        *ret_residues |= has_residue(hop, branch);
        if (write_next(hop, branch, ret_op, &pending) == VERDICT_OP) {
            s->turn = (size_t)(branch - hop->branch);
            return VERDICT_OP;
        }
        *ret_pending |= pending;
        if (pending)
            wait_add(ret_wait, branch->node->port.blocked ? &branch->node->port : &s->released);
    }
    return VERDICT_WAIT;
}
