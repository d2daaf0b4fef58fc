/* SPDX-License-Identifier: MIT */
/* The splice route: the kernel moves pages through pipes, and no byte comes to user memory.
 *
 * Direct: if one side is a pipe and there is one branch, the route splices from the source to the sink and holds
 * nothing. Staged: otherwise each branch has a private pipe. A round fills the pipe of the last live branch from the
 * source, tees all of it to the other pipes, and then drains each pipe to its sink. So the branches run in lockstep,
 * and a round has at most as many bytes as the smallest pipe holds.
 *
 * A digest that the kernel computes may be one more stage, which is drained into the digest's socket. This is done only
 * if the source is declared stable: two pipes refer to the same pages, and a source that changes could change them
 * after the digest has read them.
 *
 * No call of this route can sleep while it holds the lock of a pipe. Sources and sinks are pipes, files, disks,
 * /dev/null, or non-blocking sockets that leat opened. The pipes are private and non-blocking, or each call has
 * SPLICE_F_NONBLOCK. Other descriptors are unfit because a splice might sleep on them.
 *
 * Stepping down loses nothing: a pipe that still has bytes becomes a residue. If a tee fails, the whole round stays in
 * the pipe that was filled, and the copies are destroyed: the pipe is the residue of all branches. If a sink takes no
 * splice, the round stays in its own pipe, and the other pipes are drained first: it is the residue of that branch. */
#include "route/splice.h"
#include "base/platform.h"
#include <errno.h>

#define PIPE_MAX (1024 * 1024) /* bytes; the most that an unprivileged process may set (fs.pipe-max-size) */

/* ---- plan ---- */

static bool takes_splices(leat_filter *filter)
{
    return filter->ops->splice_fd && filter->ops->splice_fd(filter) >= 0;
}

static size_t digest_stages(const struct hop *hop)
{
    size_t n = 0;
    for (size_t i = 0; i < hop->filters; i++)
        n += hop->filter[i]->ops->caps & FILTER_OBSERVES ? 1 : 0;
    return n;
}

/* Returns the reason why a filter needs the bytes in user memory, or NULL. */
static const char *unfit_filters(const struct hop *hop)
{
    if (!hop_needs_bytes(hop))
        return NULL;
    for (size_t i = 0; i < hop->filters; i++)
        if ((hop->filter[i]->ops->caps & FILTER_OBSERVES) && !takes_splices(hop->filter[i]))
            return "a filter must see the bytes";
    if (hop->in->kind != NODE_FILE || hop->stability != LEAT_SOURCE_STABLE)
        return "a digest of pages that may change would not be the sink's, unless the source is stable";
    if (hop->in->sparse && hop->sparse != LEAT_SPARSE_NEVER)
        return "a digest must see the zeros of the source's holes";
    return NULL;
}

static bool is_direct(const struct hop *hop)
{
    return hop->branches == 1 && !hop_needs_bytes(hop) &&
           (hop->in->kind == NODE_PIPE || hop->branch[0].node->kind == NODE_PIPE);
}

/* Only O_NONBLOCK keeps a splice on a socket from sleeping, and another process that shares the socket can clear it. */
static const char unfit_shared[] = "a splice on a socket that is shared might sleep and hold the pipe";

static const char *unfit_source(const struct hop *hop)
{
    if (hop->cache != LEAT_CACHE_KEEP && (hop->in->kind == NODE_FILE || hop->in->kind == NODE_BLOCK))
        return "pages can't be dropped from the cache while they are in a pipe";
    switch (hop->in->kind) {
    case NODE_FILE:
    case NODE_BLOCK:
    case NODE_PIPE:
    case NODE_ZERO:
        return NULL;
    case NODE_CALL:
        return "the source is no descriptor";
    case NODE_NULL:
        return "/dev/null can't be spliced from";
    case NODE_SOCKET:
        return hop->in->wait == NODE_WAIT_OWN ? NULL : unfit_shared;
    default:
        return "a splice from this kind of source might sleep and hold the pipe";
    }
}

static const char *unfit_sink(const struct node *out)
{
    if (out->append)
        return "the sink is opened for appending";
    switch (out->kind) {
    case NODE_FILE:
    case NODE_BLOCK:
    case NODE_PIPE:
    case NODE_NULL:
        return NULL;
    case NODE_CALL:
        return "the sink is no descriptor";
    case NODE_SOCKET:
        return out->wait == NODE_WAIT_OWN ? NULL : unfit_shared;
    default:
        return "a splice to this kind of sink might sleep and hold the pipe";
    }
}

static uint64_t minimum(const struct hop *hop)
{
    /* One page for the chunk that may have to take over. */
    return is_direct(hop) ? PAGE : (hop->branches + digest_stages(hop) + 1) * PAGE;
}

static const char *unfit(const struct hop *hop, char reason[REASON_MAX] UNUSED)
{
    const char *why = unfit_filters(hop);
    if (why)
        return why;
    if (hop->branches == 0)
        return "there is no sink";
    if (hop->sparse == LEAT_SPARSE_ALWAYS)
        return "zeros have to be looked for";
    if (hop_must_punch(hop))
        return "holes have to be punched into the existing file";
    if (hop->skip)
        return "the bytes before the offset have to be read";
    why = unfit_source(hop);
    for (size_t i = 0; i < hop->branches && !why; i++) {
        why = unfit_sink(hop->branch[i].node);
        if (hop->branch[i].slow != LEAT_SLOW_WAIT && hop->branches > 1)
            why = hop->branch[i].slow == LEAT_SLOW_DROP ? "a sink that may drop does not go in lockstep"
                                                        : "a sink that may spill does not go in lockstep";
    }
    if (!why && hop->budget && hop->budget->limit < minimum(hop))
        why = "the memory limit has no room for its pipes";
    return why;
}

/* ---- its pipes ---- */

/* The pipes share half of the memory. The other half is for the chunk route, which may have to take over. */
static size_t stage_size(const struct hop *hop)
{
    size_t size = PAGE;
    uint64_t share = MIN(hop->budget->limit / 2 / (hop->branches + digest_stages(hop)), PIPE_MAX);
    while (size * 2 <= share)
        size *= 2;
    return size;
}

static void stop(struct hop *hop)
{
    struct splice_route *s = hop->state;
    for (size_t i = 0; i < s->stages; i++)
        residue_drop(hop, &s->stage[i].pipe);
    free(s);
}

static int start(struct hop *hop)
{
    size_t stages = hop->branches + digest_stages(hop);
    struct splice_route *s = calloc(1, sizeof(*s) + stages * sizeof(s->stage[0]));
    if (!s) {
        hop_set_reason(hop, "out of memory");
        return -ENOMEM;
    }
    s->stages = hop->branches;
    for (size_t i = 0; i < stages; i++)
        s->stage[i].pipe = residue_none();
    for (size_t i = 0; i < hop->filters; i++)
        if (hop->filter[i]->ops->caps & FILTER_OBSERVES)
            s->stage[s->stages++].digest = hop->filter[i];
    int r = 0;
    for (size_t i = 0; i < stages && !is_direct(hop) && r == 0; i++)
        r = splice_open_stage(hop, &s->stage[i], stage_size(hop));
    hop->state = s;
    if (r < 0) {
        hop_set_reason(hop, "no private pipe can be had: %s", leat_errno_name(r));
        stop(hop);
        hop->state = NULL;
    }
    return r;
}

/* ---- what is next ---- */

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    if (s->refused && is_direct(hop))
        return VERDICT_STEP_DOWN;
    enum verdict verdict =
        is_direct(hop) ? splice_direct_next(hop, ret_op, ret_wait) : splice_staged_next(hop, ret_op, ret_wait);
    if (verdict == VERDICT_STEP_DOWN) /* the bytes in the pipes become residues of their branches */
        for (size_t i = 0; i < hop->branches; i++)
            if (s->stage[i].pipe.bytes && !hop->branch[i].failed && hop->residue.bytes == 0) {
                hop->branch[i].residue = s->stage[i].pipe;
                s->stage[i].pipe = residue_none();
            }
    return verdict;
}

/* ---- what came of it ---- */

static void done(struct hop *hop, struct op *op UNUSED, ssize_t result)
{
    struct splice_route *s = hop->state;
    if (s->doing == DOING_DIRECT)
        splice_record_direct(hop, result);
    else if (s->doing == DOING_FILL)
        splice_record_fill(hop, result);
    else if (s->doing == DOING_TEE)
        splice_record_tee(hop, result);
    else
        splice_record_drain(hop, result);
}

/* For a branch that has no copy of the round yet, the route holds the whole round. For a branch that failed it holds
 * nothing of the residue of all. */
static uint64_t held(const struct hop *hop, const struct branch *branch)
{
    const struct splice_route *s = hop->state;
    const struct splice_stage *stage = &s->stage[branch - hop->branch];
    bool owed = s->round && !stage->copied && !branch->failed && !hop->residue.bytes;
    return (owed ? s->round : stage->pipe.bytes) + branch->residue.bytes + (branch->failed ? 0 : hop->residue.bytes);
}

const struct route route_splice = {
    .name = "splice",
    .id = ROUTE_SPLICE,
    .compared = true,
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
    .held = held,
    .stop = stop,
};
