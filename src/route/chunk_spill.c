/* SPDX-License-Identifier: MIT */
/* A branch that lags and may spill (LEAT_SLOW_SPILL). When memory runs out, the chunks that such a branch has not begun
 * go to its file, one after the other, so that they leave the ring. They come back through a chunk that the branch
 * keeps for this alone, before it takes another chunk of the ring. So the bytes stay in order, and a full file can
 * always be drained. */
#include "route/chunk.h"
#include <errno.h>

/* Does a branch that neither spills nor drops hold the oldest chunk? Then all wait for it. */
static bool is_held_up(const struct hop *hop)
{
    struct chunk_route *s = hop->state;
    for (size_t i = 0; i < hop->branches; i++) {
        const struct branch *b = &hop->branch[i];
        if (!b->failed && s->cursor[i].next == s->head && b->slow != LEAT_SLOW_DROP && !hop_spills(hop, b))
            return true;
    }
    return false;
}

/* The file has all of the chunk, or needs none of it. */
static void pass_chunk(struct hop *hop, struct branch *branch, const struct chunk *chunk)
{
    struct cursor *c = chunk_cursor(hop, branch);
    c->spilled = 0;
    if (!spill_put(&branch->spill, chunk->length, chunk->hole)) {
        spill_fail(&branch->spill, -ENOMEM);
        return;
    }
    c->next++;
    chunk_retire(hop);
}

static enum verdict write_chunk(struct hop *hop, struct branch *branch, struct chunk *chunk, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    size_t done = chunk_cursor(hop, branch)->spilled;
    uint64_t at;
    size_t n = spill_place(&branch->spill, done, chunk->length - done, &at);
    s->busy = branch;
    s->doing = DOING_SPILL;
    s->op = (struct op){.kind = OP_WRITE,
                        .fd = {-1, branch->spill.fd},
                        .offset = {-1, (int64_t)at},
                        .bytes = chunk->data + done,
                        .length = n};
    *ret_op = &s->op;
    return VERDICT_OP;
}

enum verdict chunk_spill(struct hop *hop, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    if (s->head == s->tail || is_held_up(hop))
        return VERDICT_END;
    for (size_t i = 0; i < hop->branches; i++) {
        struct branch *b = &hop->branch[i];
        struct chunk *chunk = s->ring[s->head % s->capacity];
        if (b->failed || s->cursor[i].next != s->head || !hop_spills(hop, b))
            continue;
        if (!s->cursor[i].spare || !spill_has_room(&b->spill, chunk->length, chunk->hole))
            return VERDICT_END;
        if (!chunk->hole)
            return write_chunk(hop, b, chunk, ret_op);
        pass_chunk(hop, b, chunk);
        return VERDICT_STEP_DOWN;
    }
    return VERDICT_END;
}

void chunk_record_spill(struct hop *hop, struct branch *branch, ssize_t result)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = chunk_cursor(hop, branch);
    const struct chunk *chunk = s->ring[c->next % s->capacity];
    if (result == -EAGAIN || result == -ECANCELED)
        return;
    if (result <= 0) {
        c->spilled = 0;
        spill_fail(&branch->spill, result < 0 ? (int)result : -EIO);
        return;
    }
    c->spilled += (size_t)result;
    s->looked = false;
    if (c->spilled == chunk->length)
        pass_chunk(hop, branch, chunk);
}

static void give_spare(struct cursor *c, struct spill *spill, size_t n, bool hole)
{
    c->spare->length = n;
    c->spare->hole = hole;
    c->chunk = chunk_ref(c->spare);
    c->at = 0;
    spill_take(spill, n);
    if (!spill->held) /* the file begins anew */
        c->spilled = 0;
}

enum verdict chunk_unspill(struct hop *hop, struct branch *branch, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = chunk_cursor(hop, branch);
    uint64_t at;
    bool hole;
    uint64_t n = spill_next(&branch->spill, &at, &hole);
    if (hole) {
        give_spare(c, &branch->spill, (size_t)MIN(n, SIZE_MAX / 2), true);
        return VERDICT_STEP_DOWN;
    }
    s->busy = branch;
    s->doing = DOING_UNSPILL;
    s->op = (struct op){.kind = OP_READ,
                        .fd = {branch->spill.fd, -1},
                        .offset = {(int64_t)at, -1},
                        .bytes = c->spare->data,
                        .length = (size_t)MIN(n, s->pool.chunk_size)};
    *ret_op = &s->op;
    return VERDICT_OP;
}

void chunk_record_unspill(struct hop *hop, struct branch *branch, ssize_t result)
{
    if (result == -EAGAIN)
        return;
    if (result <= 0)
        hop_fail_branch(hop, branch, op_name(OP_READ), result < 0 ? (int)result : -EIO);
    else
        give_spare(chunk_cursor(hop, branch), &branch->spill, (size_t)result, false);
}
