/* SPDX-License-Identifier: MIT */
/* The chunk route reads each byte once into a pooled chunk, which the observers and all branches share, and writes from
 * there. It works on every pair of nodes and with every filter, so it is the last rung and moves the residues of the
 * other routes.
 *
 * A ring holds the chunks that some branch has not begun to write. Chunks are numbered without end, and each branch has
 * a cursor over the ring. A chunk returns to the pool when the slowest branch has written it and the last observer has
 * released it. Memory is bounded because the pool is bounded: if the pool is empty, the route reads nothing until a
 * chunk returns. Then a branch that may drop bytes (LEAT_SLOW_DROP) gives up its place in the ring, and keeps only the
 * chunk that it has begun to write. A branch that spills (LEAT_SLOW_SPILL, chunk_spill.c) does the same, and its file
 * has the bytes.
 *
 * If the source holds its bytes in chunks of its own (node->take), it hands them over and nothing is copied. The source
 * bounds their number: while all of them are in the ring, it has none to fill and returns -EAGAIN. The source would
 * then wait for a slow branch that may drop, so with such a branch the route copies the bytes.
 *
 * If the sink holds bytes in memory of its own (node->lend) and no filter looks at them, the route reads into that
 * memory. It borrows the next place when the sink has the bytes of the last one, so it reads nothing while the sink is
 * full.
 *
 * Reading is in chunk_read.c, and writing in chunk_write.c. The ring is in chunk_ring.c. This file
 * plans, and has the order of reading and writing. */
#include "route/chunk.h"
#include "buffer/pool.h"
#include <errno.h>

#define CHUNK_PLAIN    (1024 * 1024) /* bytes; bench rows file-to-file: larger is faster up to here */
#define CHUNK_OBSERVED (512 * 1024)  /* bytes; bench row copy-sha256: several threads read each chunk */
#define AHEAD          4             /* chunks; more would not stay in the processor's cache (bench row file-to-pipe) */
#define RING_FIRST     8             /* places in the new ring; it grows only if a branch may drop */

/* ---- plan ---- */

static const char *unfit(const struct hop *hop UNUSED, char reason[REASON_MAX] UNUSED)
{
    return NULL;
}

/* Each branch that may drop keeps the chunk that it has begun, one that spills also its spare chunk, and the other
 * branches need one chunk. */
static size_t least_chunks(const struct hop *hop)
{
    size_t least = 1;
    for (size_t i = 0; i < hop->branches; i++)
        least += hop->branch[i].slow == LEAT_SLOW_DROP ? 1 : hop_spills(hop, &hop->branch[i]) ? 2 : 0;
    return least;
}

static uint64_t minimum(const struct hop *hop)
{
    return least_chunks(hop) * PAGE;
}

/* Returns the part of the memory limit that the source does not use for its own chunks. */
static uint64_t memory_of(const struct hop *hop)
{
    uint64_t limit = hop->budget->limit, share = hop->in->memory.share;
    return limit > share ? limit - share : 0;
}

/* A chunk has at most a quarter of the memory, so that reading, observing and several branches overlap. The residues
 * may have used more of the memory than the rest. */
static size_t choose_chunk_size(const struct hop *hop)
{
    uint64_t most = hop_needs_bytes(hop) || hop->branches > 1 ? CHUNK_OBSERVED : CHUNK_PLAIN;
    uint64_t size = MIN(most, memory_of(hop) / MAX(4, least_chunks(hop)) / PAGE * PAGE);
    size = pool_size_within((size_t)MAX(MIN(size, budget_left(hop->budget)), PAGE));
    while (hop->size_binds && size > PAGE && size / 2 > hop->in->size) /* not larger than the file needs */
        size /= 2;
    return (size_t)size;
}

/* Reading far ahead is not faster: the chunks would have left the processor's cache before they are written. A branch
 * that may drop gets all of the memory before it misses a byte. Returns the bound of the pool; 0: the budget alone. */
static size_t most_chunks(const struct hop *hop, size_t chunk_size)
{
    if (least_chunks(hop) == 1)
        return AHEAD;
    return hop->in->memory.share ? (size_t)MAX(memory_of(hop) / chunk_size, least_chunks(hop)) : 0;
}

/* Allocates the least number of chunks at once. If the pool has none of this size left, it tries smaller ones. */
static int make_pool(struct hop *hop, struct chunk_route *s)
{
    for (size_t size = s->gives || s->borrows ? PAGE : choose_chunk_size(hop);; size /= 2) {
        chunk_pool_init(&s->pool, hop->budget, size, &s->released);
        chunk_pool_share(&s->pool, hop->pool);
        s->pool.most = most_chunks(hop, size);
        s->room = s->gives ? SIZE_MAX / 2 : s->pool.chunk_size;
        if (chunk_pool_prepare(&s->pool, least_chunks(hop)) != -ENOMEM)
            return 0;
        chunk_pool_destroy(&s->pool);
        if (size <= PAGE)
            return -ENOMEM;
    }
}

/* The pool has these chunks, unless residues have used up the memory. A branch without one does not spill. */
static void take_spares(struct hop *hop, struct chunk_route *s)
{
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed && hop_spills(hop, &hop->branch[i]))
            s->cursor[i].spare = chunk_get(&s->pool);
}

static bool may_borrow(const struct hop *hop)
{
    return hop->branches == 1 && hop->branch[0].node->lend && !hop_needs_bytes(hop) && !hop->residue.bytes;
}

static int start(struct hop *hop)
{
    struct chunk_route *s = calloc(1, sizeof(*s) + hop->branches * sizeof(s->cursor[0]));
    if (!s) {
        hop_set_reason(hop, "out of memory");
        return -ENOMEM;
    }
    port_init(&s->released, -1, 0);
    s->gives = hop->in->take && least_chunks(hop) == 1 && !hop->residue.bytes;
    s->borrows = !s->gives && may_borrow(hop);
    int r = make_pool(hop, s);
    if (r == 0) {
        s->capacity = RING_FIRST;
        s->ring = calloc(s->capacity, sizeof(struct chunk *));
        if (!s->ring) {
            chunk_pool_destroy(&s->pool);
            r = -ENOMEM;
        }
    }
    if (r < 0) {
        hop_set_reason(hop, "out of memory");
        free(s);
        return r;
    }
    port_attach(&s->released, hop->waker);
    take_spares(hop, s);
    for (size_t i = 0; i < hop->branches; i++)
        if (hop->branch[i].failed) /* under another route, before this one started */
            s->cursor[i].next = UINT64_MAX;
    hop->state = s;
    return 0;
}

/* ---- the state machine ---- */

/* Have all branches failed, so that there is nothing to read for? */
static bool has_no_branch_left(const struct hop *hop)
{
    return hop->branches > 0 && hop_count_live(hop) == 0;
}

/* If the source is always ready, the engine never waits, and does not notice that a blocked branch is ready again
 * before the memory is full. A branch that may drop would lose bytes. So the engine polls once for each chunk that
 * came or went. */
static bool must_look_first(struct chunk_route *s, struct wait_set *ret_wait)
{
    if (s->looked)
        return false;
    s->looked = true;
    ret_wait->deadline_ns = 1; /* in the past: the engine polls and does not sleep */
    return true;
}

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    for (;;) {
        bool pending, residues;
        ret_wait->n = 0;
        if (has_no_branch_left(hop))
            return VERDICT_END;
        if (chunk_write_any(hop, ret_op, ret_wait, &pending, &residues) == VERDICT_OP)
            return VERDICT_OP;
        if (pending && must_look_first(hop->state, ret_wait))
            return VERDICT_WAIT;
        /* Residues come first, and they need the chunks that reading would use. */
        enum verdict verdict = residues ? VERDICT_WAIT : chunk_read_next(hop, ret_op, ret_wait);
        if (verdict == VERDICT_END && pending)
            return VERDICT_WAIT;
        if (verdict != VERDICT_STEP_DOWN)
            return verdict;
    }
}

/* A branch failed and the others go on: its bytes are counted as discarded, and its chunks are released. */
static void leave_behind(struct hop *hop, struct branch *branch)
{
    branch->discarded += route_chunk.held(hop, branch);
    chunk_let_go(hop, branch);
}

static void done(struct hop *hop, struct op *op UNUSED, ssize_t result)
{
    struct chunk_route *s = hop->state;
    enum chunk_step doing = s->doing;
    s->doing = DOING_NOTHING;
    if (doing == DOING_READ || doing == DOING_TAKE)
        chunk_record_read(hop, result);
    else if (doing == DOING_RESIDUE)
        chunk_record_read_residue(hop, result);
    else if (doing == DOING_PROBE)
        chunk_record_probe(hop, result);
    else {
        if (doing == DOING_BRANCH_RESIDUE)
            chunk_record_residue(hop, s->busy, result);
        else if (doing == DOING_SPILL)
            chunk_record_spill(hop, s->busy, result);
        else if (doing == DOING_UNSPILL)
            chunk_record_unspill(hop, s->busy, result);
        else
            chunk_record_write(hop, s->busy, result);
        if (s->busy->failed && hop_count_live(hop) > 0)
            leave_behind(hop, s->busy);
    }
}

static uint64_t held(const struct hop *hop, const struct branch *branch)
{
    struct chunk_route *s = hop->state;
    const struct cursor *c = chunk_cursor(hop, branch);
    if (c->next == UINT64_MAX)
        return 0; /* the branch failed, and the others go on */
    uint64_t n = hop->residue.bytes + branch->residue.bytes + branch->spill.held;
    struct chunk *in = c->scratch ? c->scratch : c->chunk;
    return n + (in ? in->length - c->at : 0) + chunk_waiting_bytes(s, c);
}

static void stop(struct hop *hop)
{
    struct chunk_route *s = hop->state;
    for (size_t i = 0; i < hop->branches; i++) {
        chunk_unref(s->cursor[i].chunk);
        chunk_unref(s->cursor[i].scratch);
        chunk_unref(s->cursor[i].spare);
    }
    for (; s->head < s->tail; s->head++)
        chunk_unref(s->ring[s->head % s->capacity]);
    chunk_unref(s->filling);
    port_attach(&s->released, NULL);
    chunk_pool_destroy(&s->pool);
    free(s->ring);
    free(s);
}

const struct route route_chunk = {
    .name = "chunk",
    .id = ROUTE_CHUNK,
    .compared = true,
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
    .held = held,
    .stop = stop,
};
