/* The splice route: pages move from hand to hand in the kernel.
 *
 * Direct, where one side is a pipe and there is one branch: splice from the source right to the sink; nothing is held.
 * Staged otherwise: a private pipe for each branch. A round fills the last live branch's pipe from the source, tees all
 * of it to the others, and then drains each pipe to its sink. So the branches go in lockstep, and a round is at most
 * what the smallest pipe takes.
 *
 * A digest that the kernel computes may be one more stage, which is drained into its socket; only for a source that is
 * declared stable, because the pages in two pipes are the same pages and a live source could change them between.
 *
 * No call here can sleep while it holds a pipe: sources and sinks are pipes, files, disks, /dev/null, or sockets that
 * are ours and non-blocking; the pipes are ours and non-blocking or asked with SPLICE_F_NONBLOCK. What other
 * descriptors would do is why they are unfit.
 *
 * Stepping down loses nothing: a pipe that still has bytes becomes a residue. A tee that fails leaves the round whole
 * in the pipe that was filled (the copies are destroyed): it is the residue of all. A sink that does not take a splice
 * leaves the round in its own pipe, after the others have drained theirs: it is the residue of that branch. */
#include "base/fd.h"
#include "base/platform.h"
#include "flow/hop.h"
#include <errno.h>

#define PIPE_MAX  (1024 * 1024) /* what an unprivileged process may have */
#define STEP_MAX  (1024 * 1024) /* of one call from pipe to pipe */
#define TEE_TRIES 2

enum doing {
    DOING_FILL,
    DOING_TEE,
    DOING_DRAIN,
    DOING_DIRECT
};

struct stage {
    struct residue pipe; /* bytes: what is in it */
    size_t size;
    bool copied; /* has its copy of this round, or is the one that was filled */
    bool refused;
    leat_filter *digest; /* not NULL: the stage of a digest, behind those of the branches */
};

struct splice_route {
    struct op op;
    enum doing doing;
    size_t busy; /* the stage whose call is in flight */
    bool over;   /* the source said 0 */
    bool refused;
    bool sink_waits; /* direct: the sink was the side that was not ready last time */
    bool asked;      /* direct: and this time, it was waited for already */
    size_t round;    /* bytes of this round */
    int tee_tries;
    size_t stages;
    struct stage stage[];
};

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

/* Why a filter forbids that the bytes stay in the kernel, or NULL. */
static const char *unfit_filters(const struct hop *hop)
{
    if (!hop_needs_bytes(hop))
        return NULL;
    for (size_t i = 0; i < hop->filters; i++)
        if ((hop->filter[i]->ops->caps & FILTER_OBSERVES) && !takes_splices(hop->filter[i]))
            return "a filter must see the bytes";
    if (hop->in->kind != NODE_FILE || hop->stability != LEAT_SOURCE_STABLE)
        return "a digest of pages that may change would not be the sink's (--source stable allows it)";
    if (hop->in->sparse && hop->sparse != LEAT_SPARSE_NEVER)
        return "a digest must see the zeros of the source's holes";
    return NULL;
}

static bool is_direct(const struct hop *hop)
{
    return hop->branches == 1 && !hop_needs_bytes(hop) &&
           (hop->in->kind == NODE_PIPE || hop->branch[0].node->kind == NODE_PIPE);
}

/* Only its flag keeps a splice on a socket from sleeping, and who shares it may take that away. */
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
    if (hop->skip)
        return "the bytes before the offset have to be read";
    why = unfit_source(hop);
    for (size_t i = 0; i < hop->branches && !why; i++) {
        why = unfit_sink(hop->branch[i].node);
        if (hop->branch[i].slow == LEAT_SLOW_DROP && hop->branches > 1)
            why = "a sink that may drop does not go in lockstep";
    }
    if (!why && hop->budget && hop->budget->limit < minimum(hop))
        why = "the memory limit has no room for its pipes";
    return why;
}

/* ---- its pipes ---- */

/* Half of the memory, shared by the pipes; the other half is for the chunks that may have to take over. */
static size_t stage_size(const struct hop *hop)
{
    size_t size = PAGE;
    uint64_t share = MIN(hop->budget->limit / 2 / (hop->branches + digest_stages(hop)), PIPE_MAX);
    while (size * 2 <= share)
        size *= 2;
    return size;
}

static int open_stage(struct hop *hop, struct stage *stage, size_t size)
{
    stage->pipe = residue_none();
    if (!budget_take(hop->budget, size))
        return -ENOBUFS;
    int r = platform.pipe_make(stage->pipe.fd, size, &stage->size);
    if (r < 0) {
        budget_give(hop->budget, size);
        return r;
    }
    stage->pipe.paid = size;
    return 0;
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
        hop_because(hop, "out of memory");
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
        r = open_stage(hop, &s->stage[i], stage_size(hop));
    hop->state = s;
    if (r < 0) {
        hop_because(hop, "no private pipe can be had: %s", leat_errno_name(r));
        stop(hop);
        hop->state = NULL;
    }
    return r;
}

/* ---- what is next ---- */

static enum verdict splice_op(struct splice_route *s, enum doing doing, struct op op, struct op **ret_op)
{
    s->doing = doing;
    s->op = op;
    s->op.flags |= OP_NOWAIT;
    *ret_op = &s->op;
    return VERDICT_OP;
}

static enum verdict next_direct(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
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

static bool is_dead(const struct hop *hop, size_t stage)
{
    return stage < hop->branches && hop->branch[stage].failed;
}

/* The stage that is filled from the source; the others get copies. */
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
    if (s->over || hop_live(hop) == 0 || hop->error.code)
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

/* A stage that has no copy of the round yet. */
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
    struct stage *stage = &s->stage[i];
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

/* A stage whose pipe has bytes and whose sink is ready. WAIT: none is ready; END: all are empty. */
static enum verdict drain_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    for (size_t i = 0; i < s->stages; i++) {
        struct stage *stage = &s->stage[i];
        if (is_dead(hop, i) || !stage->pipe.bytes || stage->refused)
            continue;
        if (stage->digest || !hop->branch[i].node->port.blocked)
            return drain_op(hop, i, ret_op);
        wait_add(ret_wait, &hop->branch[i].node->port);
    }
    return ret_wait->n ? VERDICT_WAIT : VERDICT_END;
}

static enum verdict next_staged(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    if (hop->residue.bytes) /* a tee failed: see teed() */
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

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct splice_route *s = hop->state;
    if (s->refused && is_direct(hop))
        return VERDICT_STEP_DOWN;
    enum verdict verdict = is_direct(hop) ? next_direct(hop, ret_op, ret_wait) : next_staged(hop, ret_op, ret_wait);
    if (verdict == VERDICT_STEP_DOWN) /* what is in the pipes goes with the hop */
        for (size_t i = 0; i < hop->branches; i++)
            if (s->stage[i].pipe.bytes && !hop->branch[i].failed && hop->residue.bytes == 0) {
                hop->branch[i].residue = s->stage[i].pipe;
                s->stage[i].pipe = residue_none();
            }
    return verdict;
}

/* ---- what came of it ---- */

static void refuse(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    s->refused = true;
    hop_because(hop, "%s says %s", op_name(s->op.kind), result ? leat_errno_name((int)result) : "0");
}

static void block(struct node *node)
{
    node->port.blocked = node->wait != NODE_WAIT_NEVER;
}

/* EAGAIN has two possible sides. The one that was not ready last time is waited for; if that was not it, the other. So
 * a steady stream costs one poll for each wait, and each look is behind a poll that said ready. */
static void wait_for_a_side(struct hop *hop)
{
    struct splice_route *s = hop->state;
    struct node *out = hop->branch[0].node;
    if (s->asked)
        s->sink_waits = !s->sink_waits;
    s->asked = true;
    if (hop->in->wait == NODE_WAIT_NEVER || (s->sink_waits && out->wait != NODE_WAIT_NEVER))
        block(out);
    else
        block(hop->in);
}

/* A short count between a pipe and a file says that the pipe is empty, or full. */
static void wait_after_short(struct hop *hop)
{
    struct node *out = hop->branch[0].node;
    if (hop->in->wait == NODE_WAIT_NEVER)
        block(out);
    else if (out->wait == NODE_WAIT_NEVER)
        block(hop->in);
}

/* A connection broke: that side failed. False: it is another error. */
static bool broken(struct hop *hop, struct branch *branch, ssize_t result)
{
    enum leat_side side = hop_broken_side(hop, branch, result);
    if (side == LEAT_SIDE_SOURCE)
        hop_fail_source(hop, op_name(OP_SPLICE), (int)result);
    else if (side == LEAT_SIDE_SINK)
        hop_fail_branch(hop, branch, op_name(OP_SPLICE), (int)result);
    return side != LEAT_SIDE_NONE;
}

/* A call with two foreign sides doesn't say which one failed, unless only one can fail so; reading and writing will. */
static void direct_done(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    struct branch *branch = &hop->branch[0];
    if (result > 0) {
        hop_took(hop, (uint64_t)result);
        hop_delivered(hop, branch, (uint64_t)result);
        s->asked = false;
        if ((size_t)result < s->op.length)
            wait_after_short(hop);
    } else if (result == 0)
        s->over = true;
    else if (result == -EAGAIN)
        wait_for_a_side(hop);
    else if (hop_is_sink_error(result))
        hop_fail_branch(hop, branch, op_name(OP_SPLICE), (int)result);
    else if (!broken(hop, branch, result))
        refuse(hop, result);
}

static void filled(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    if (result > 0) {
        hop_took(hop, (uint64_t)result);
        s->round = (size_t)result;
        s->stage[s->busy].pipe.bytes = (size_t)result;
        s->stage[s->busy].copied = true;
        s->tee_tries = 0;
    } else if (result == 0)
        s->over = true;
    else if (result == -EAGAIN)
        hop->in->port.blocked = true;
    else if (!broken(hop, NULL, result))
        refuse(hop, result); /* reading tells whether it is the source's fault */
}

/* A tee copies all of the round or is of no use. One that came short is tried again into a new pipe; then the copies
 * are given up, and the round goes on through chunks. */
static void teed(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    struct stage *stage = &s->stage[s->busy];
    size_t from = filled_stage(hop);
    if (result == (ssize_t)s->round) {
        stage->pipe.bytes = s->round;
        stage->copied = true;
        return;
    }
    size_t size = stage->pipe.paid;
    residue_drop(hop, &stage->pipe);
    if (result > 0 && ++s->tee_tries < TEE_TRIES && open_stage(hop, stage, size) == 0)
        return;
    refuse(hop, result > 0 ? -EIO : result);
    for (size_t i = 0; i < s->stages; i++)
        if (i != from)
            residue_drop(hop, &s->stage[i].pipe);
    hop->residue = s->stage[from].pipe;
    s->stage[from].pipe = residue_none();
}

/* What a digest has not seen can't be made good: its value would be of other bytes. */
static void digested(struct hop *hop, struct stage *stage, ssize_t result)
{
    char buffer[128];
    if (result > 0) {
        stage->pipe.bytes -= (size_t)result;
        filter_count(stage->digest, (uint64_t)result);
        return;
    }
    stage->refused = true; /* its round is not tried again; the sinks end theirs */
    error_at(&hop->error, result < 0 ? (int)result : -EIO, LEAT_SIDE_FILTER, stage->digest->ops->name,
             op_name(OP_SPLICE), "The kernel's digest failed: %s; --digest-provider user computes it without",
             error_text(result < 0 ? (int)result : -EIO, buffer, sizeof(buffer)));
    hop->error.offset = hop->taken;
}

static void drained(struct hop *hop, ssize_t result)
{
    struct splice_route *s = hop->state;
    struct stage *stage = &s->stage[s->busy];
    if (stage->digest) {
        digested(hop, stage, result);
        return;
    }
    struct branch *branch = &hop->branch[s->busy];
    if (result > 0) {
        stage->pipe.bytes -= (size_t)result;
        hop_delivered(hop, branch, (uint64_t)result);
    } else if (result == -EAGAIN)
        branch->node->port.blocked = true;
    else if (result == 0 || hop_is_refusal(result)) {
        stage->refused = true; /* the others end their round, then all step down */
        refuse(hop, result);
    } else {
        hop_fail_branch(hop, branch, op_name(OP_SPLICE), (int)result);
        if (hop_live(hop) > 0) {
            branch->discarded += stage->pipe.bytes;
            residue_drop(hop, &stage->pipe);
        }
    }
}

static void done(struct hop *hop, struct op *op UNUSED, ssize_t result)
{
    struct splice_route *s = hop->state;
    if (s->doing == DOING_DIRECT)
        direct_done(hop, result);
    else if (s->doing == DOING_FILL)
        filled(hop, result);
    else if (s->doing == DOING_TEE)
        teed(hop, result);
    else
        drained(hop, result);
}

/* A branch that has no copy of the round yet is owed all of it; one that had failed before is owed nothing of what is
 * left for the others. */
static uint64_t held(const struct hop *hop, const struct branch *branch)
{
    const struct splice_route *s = hop->state;
    const struct stage *stage = &s->stage[branch - hop->branch];
    bool owed = s->round && !stage->copied && !branch->failed && !hop->residue.bytes;
    return (owed ? s->round : stage->pipe.bytes) + branch->residue.bytes + (branch->failed ? 0 : hop->residue.bytes);
}

const struct route route_splice = {
    .name = "splice",
    .id = ROUTE_SPLICE,
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
    .held = held,
    .stop = stop,
};
