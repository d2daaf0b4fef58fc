/* SPDX-License-Identifier: MIT */
/* The splice route in rounds: it fills one private pipe from the source, copies it to the other pipes by tee(2), and
 * drains each pipe to its sink. */
#include "route/splice.h"
#include <errno.h>

#define TEE_TRIES 2

static bool is_dead(const struct hop *hop, size_t stage)
{
    return stage < hop->branches && hop->branch[stage].failed;
}

/* Returns the stage to fill from the source. The other stages get copies. */
static size_t filled_stage(const struct hop *hop)
{
    size_t i = hop->branches - 1;
    while (hop->branch[i].failed && i > 0)
        i--;
    return i;
}

static enum verdict fill(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    uint64_t n;
    if (s->over || hop_count_live(hop) == 0 || hop->error.code)
        return VERDICT_END;
    if (s->refused)
        return VERDICT_STEP_DOWN;
    if (hop->in->port.blocked) {
        wait_add(ret_wait, &hop->in->port);
        return VERDICT_WAIT;
    }
    while (hop_skip_holes(hop))
        ;
    hop_extent(hop, &n);
    size_t want = s->stage[0].size;
    for (size_t i = 1; i < s->stages; i++)
        want = MIN(want, s->stage[i].size);
    size_t allowed = hop_allowance(hop, hop_all_fresh(hop) ? MIN(n, want) : want, ret_wait);
    if (allowed == 0)
        return ret_wait->deadline_ns ? VERDICT_WAIT : VERDICT_END;
    s->busy = filled_stage(hop);
    return splice_op(s, DOING_FILL,
                     (struct op){.kind = OP_SPLICE,
                                 .fd = {hop->in->fd, s->stage[s->busy].pipe.fd[1]},
                                 .offset = {hop_in_offset(hop), -1},
                                 .length = allowed},
                     ret_op);
}

/* Names the tee to the first live stage that has no copy of the round yet. False: all have one. */
static bool tee_next(struct hop *hop, struct op **ret_op)
{
    struct splice_route *s = hop->state;
    size_t from = filled_stage(hop);
    for (size_t i = 0; i < s->stages; i++) {
        if (is_dead(hop, i) || s->stage[i].copied)
            continue;
        s->busy = i;
        splice_op(s, DOING_TEE,
                  (struct op){.kind = OP_TEE,
                              .fd = {s->stage[from].pipe.fd[0], s->stage[i].pipe.fd[1]},
                              .offset = {-1, -1},
                              .length = s->round},
                  ret_op);
        return true;
    }
    return false;
}

static enum verdict drain_op(struct hop *hop, size_t i, struct op **ret_op)
{
    struct splice_route *s = hop->state;
    struct splice_stage *stage = &s->stage[i];
    struct op op = {.kind = OP_SPLICE, .fd = {stage->pipe.fd[0], -1}, .offset = {-1, -1}, .length = stage->pipe.bytes};
    if (stage->digest) {
        op.fd[1] = stage->digest->ops->splice_fd(stage->digest);
        op.flags = OP_MORE;
    } else {
        op.fd[1] = hop->branch[i].node->fd;
        op.offset[1] = hop_out_offset(&hop->branch[i]);
    }
    s->busy = i;
    return splice_op(s, DOING_DRAIN, op, ret_op);
}

/* Names the drain of the first stage whose pipe has bytes and whose sink is ready. WAIT: no sink is ready. END: all
 * pipes are empty. */
static enum verdict drain_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    for (size_t i = 0; i < s->stages; i++) {
        struct splice_stage *stage = &s->stage[i];
        if (is_dead(hop, i) || !stage->pipe.bytes || stage->refused)
            continue;
        if (stage->digest || !hop->branch[i].node->port.blocked)
            return drain_op(hop, i, ret_op);
        wait_add(ret_wait, &hop->branch[i].node->port);
    }
    return ret_wait->n ? VERDICT_WAIT : VERDICT_END;
}

enum verdict splice_staged_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    if (hop->residue.bytes) /* a tee failed: see splice_record_tee */
        return VERDICT_STEP_DOWN;
    if (s->round && tee_next(hop, ret_op))
        return VERDICT_OP;
    enum verdict verdict = drain_next(hop, ret_op, ret_wait);
    if (verdict != VERDICT_END)
        return verdict;
    s->round = 0;
    for (size_t i = 0; i < s->stages; i++)
        s->stage[i].copied = false;
    return fill(hop, ret_op, ret_wait);
}

/* ---- what came of it ---- */

void splice_record_fill(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    if (result > 0) {
        hop_record_taken(hop, (uint64_t)result);
        s->round = (size_t)result;
        s->stage[s->busy].pipe.bytes = (size_t)result;
        s->stage[s->busy].copied = true;
        s->tee_tries = 0;
    } else if (result == 0)
        s->over = true;
    else if (result == -EAGAIN)
        hop->in->port.blocked = true;
    else if (!splice_fail_broken_side(hop, NULL, result))
        splice_refuse(hop, result); /* a read of the chunk route shows whether the source failed */
}

/* A tee is of use only if it copies the whole round, because it always starts at the first byte of the pipe. A short
 * tee is tried again into a new pipe. If that is short, too, the route destroys the copies, and the chunk route moves
 * the round. */
void splice_record_tee(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    struct splice_stage *stage = &s->stage[s->busy];
    size_t from = filled_stage(hop);
    if (result == (ssize_t)s->round) {
        stage->pipe.bytes = s->round;
        stage->copied = true;
        return;
    }
    size_t size = stage->pipe.paid;
    residue_drop(hop, &stage->pipe);
    if (result > 0 && ++s->tee_tries < TEE_TRIES && splice_open_stage(hop, stage, size) == 0)
        return;
    splice_refuse(hop, result > 0 ? -EIO : result);
    for (size_t i = 0; i < s->stages; i++)
        if (i != from)
            residue_drop(hop, &s->stage[i].pipe);
    hop->residue = s->stage[from].pipe;
    s->stage[from].pipe = residue_none();
}

static size_t filter_index(const struct hop *hop, const leat_filter *filter)
{
    size_t i = 0;
    while (hop->filter[i] != filter)
        i++;
    return i;
}

/* If a digest misses bytes, its value is wrong, so the hop fails. */
static void digested(struct hop *hop, struct splice_stage *stage, ssize_t result)
{
    char buffer[128];
    if (result > 0) {
        stage->pipe.bytes -= (size_t)result;
        filter_count(stage->digest, (uint64_t)result);
        return;
    }
    stage->refused = true; /* the digest's pipe is not drained any more; the sinks finish this round */
    error_advise(&hop->error, LEAT_ADVICE_USER_DIGEST);
    error_place(&hop->error, filter_index(hop, stage->digest), hop->taken);
    error_at(&hop->error, result < 0 ? (int)result : -EIO, LEAT_SIDE_FILTER, stage->digest->ops->name,
             op_name(OP_SPLICE), "The kernel's digest failed: %s",
             error_text(result < 0 ? (int)result : -EIO, buffer, sizeof(buffer)));
}

void splice_record_drain(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    struct splice_stage *stage = &s->stage[s->busy];
    if (stage->digest) {
        digested(hop, stage, result);
        return;
    }
    struct branch *branch = &hop->branch[s->busy];
    if (result > 0) {
        stage->pipe.bytes -= (size_t)result;
        hop_record_delivered(hop, branch, (uint64_t)result);
    } else if (result == -EAGAIN)
        branch->node->port.blocked = true;
    else if (result == 0 || hop_is_refusal(result)) {
        stage->refused = true; /* the other branches finish the round, then the hop steps down */
        splice_refuse(hop, result);
    } else {
        hop_fail_branch(hop, branch, op_name(OP_SPLICE), (int)result);
        if (hop_count_live(hop) > 0) {
            branch->discarded += stage->pipe.bytes;
            residue_drop(hop, &stage->pipe);
        }
    }
}
