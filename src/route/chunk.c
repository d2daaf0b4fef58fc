/* The chunk route: read once into pooled chunks which the observers and all branches hold together, write from them. It
 * works on every pair of nodes and with every filter, so it is the last rung, and it takes over what others leave.
 *
 * The chunks that are not delivered everywhere yet stand in a ring, numbered without end; each branch is a cursor over
 * it. A chunk goes back to the pool when the slowest branch has passed it and the last observer is done with it. Memory
 * is bounded because the pool is: when it is empty, nothing is read until a chunk comes back. A branch that may drop
 * gives up its place in the ring instead, and keeps only the chunk that it has begun to write.
 *
 * A source that holds its bytes in chunks of its own (node->take) hands these over, and nothing is copied. The source
 * bounds them: while all of them are in the ring it has none to fill, and says -EAGAIN. A branch that may drop must not
 * be waited for in this way, so beside one the bytes are copied.
 *
 * Writing is in route_chunk_write.c. This file is longer than 400 lines: the ring, reading and the order of the two are
 * one state machine. */
#include "route/chunk.h"
#include "buffer/pool.h"
#include <errno.h>

#define CHUNK_PLAIN    (1024 * 1024) /* bench rows file-to-file: the larger the better up to here */
#define CHUNK_OBSERVED (512 * 1024)  /* bench row copy-sha256: several threads look at each */
#define AHEAD          4             /* chunks; more would only leave the cache (bench row file-to-pipe) */
#define HOLE_MAX       (1024 * 1024) /* of a hole, at once, when somebody looks at the zeros */
#define RING_FIRST     8             /* places in the ring at first; only a branch that may drop makes it grow */

/* ---- plan ---- */

static const char *unfit(const struct hop *hop UNUSED, char reason[REASON_MAX] UNUSED)
{
    return NULL;
}

/* Each branch that may drop keeps the chunk that it has begun, and the others need one. */
static size_t least_chunks(const struct hop *hop)
{
    size_t droppers = 0;
    for (size_t i = 0; i < hop->branches; i++)
        droppers += hop->branch[i].slow == LEAT_SLOW_DROP;
    return 1 + droppers;
}

static uint64_t minimum(const struct hop *hop)
{
    return least_chunks(hop) * PAGE;
}

/* What the source does not hold. */
static uint64_t memory_of(const struct hop *hop)
{
    uint64_t limit = hop->budget->limit, share = hop->in->memory.share;
    return limit > share ? limit - share : 0;
}

/* A quarter of the memory, so that reading, observing and several branches overlap; within reason. Residues may have
 * taken more than the rest of it. */
static size_t choose_chunk_size(const struct hop *hop)
{
    uint64_t most = hop_needs_bytes(hop) || hop->branches > 1 ? CHUNK_OBSERVED : CHUNK_PLAIN;
    uint64_t size = MIN(most, memory_of(hop) / MAX(4, least_chunks(hop)) / PAGE * PAGE);
    size = pool_size_within((size_t)MAX(MIN(size, budget_left(hop->budget)), PAGE));
    while (hop->size_binds && size > PAGE && size / 2 > hop->in->size) /* no larger than the file needs */
        size /= 2;
    return (size_t)size;
}

/* Reading far ahead makes nothing faster: who reads the chunks finds them in memory, not in the cache. Only a branch
 * that may drop is given all the memory there is before it misses anything. */
static size_t most_chunks(const struct hop *hop, size_t chunk_size)
{
    if (least_chunks(hop) == 1)
        return AHEAD;
    return hop->in->memory.share ? (size_t)MAX(memory_of(hop) / chunk_size, least_chunks(hop)) : 0;
}

/* The chunks that it can't do without are had at once: smaller ones, if the store has no others left. */
static int make_pool(struct hop *hop, struct chunk_route *s)
{
    for (size_t size = s->gives ? PAGE : choose_chunk_size(hop);; size /= 2) {
        chunk_pool_init(&s->pool, hop->budget, size, &s->released);
        chunk_pool_share(&s->pool, hop->pool);
        s->pool.most = most_chunks(hop, size);
        if (chunk_pool_prepare(&s->pool, least_chunks(hop)) != -ENOMEM)
            return 0;
        chunk_pool_destroy(&s->pool);
        if (size <= PAGE)
            return -ENOMEM;
    }
}

static int start(struct hop *hop)
{
    struct chunk_route *s = calloc(1, sizeof(*s) + hop->branches * sizeof(s->cursor[0]));
    if (!s) {
        hop_because(hop, "out of memory");
        return -ENOMEM;
    }
    port_init(&s->released, -1, 0);
    s->gives = hop->in->take && least_chunks(hop) == 1 && !hop->residue.bytes;
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
        hop_because(hop, "out of memory");
        free(s);
        return r;
    }
    port_attach(&s->released, hop->waker);
    for (size_t i = 0; i < hop->branches; i++)
        if (hop->branch[i].failed) /* before this route began */
            s->cursor[i].next = UINT64_MAX;
    hop->state = s;
    return 0;
}

/* ---- the ring ---- */

/* There is a place for one more chunk. The ring grows with what is in it: the memory limit, which bounds that, may be a
 * number far beyond any memory. If the ring can't grow, a place is free when the slowest branch has moved on. */
static bool has_place(struct chunk_route *s)
{
    if (s->tail - s->head < s->capacity)
        return true;
    struct chunk **larger = calloc(s->capacity * 2, sizeof(struct chunk *));
    if (!larger)
        return false;
    for (uint64_t i = s->head; i < s->tail; i++)
        larger[i % (s->capacity * 2)] = s->ring[i % s->capacity];
    free(s->ring);
    s->ring = larger;
    s->capacity *= 2;
    return true;
}

void chunk_retire(struct hop *hop)
{
    struct chunk_route *s = hop->state;
    uint64_t least = s->tail;
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed)
            least = MIN(least, s->cursor[i].next);
    for (; s->head < least; s->head++)
        s->ring[s->head % s->capacity] = chunk_unref(s->ring[s->head % s->capacity]);
}

static uint64_t waiting_bytes(const struct chunk_route *s, const struct cursor *c)
{
    uint64_t n = 0;
    for (uint64_t i = c->next; i < s->tail; i++)
        n += s->ring[i % s->capacity]->length;
    return n;
}

static void let_go(struct hop *hop, struct branch *branch)
{
    struct cursor *c = chunk_cursor(hop, branch);
    c->chunk = chunk_unref(c->chunk);
    c->scratch = chunk_unref(c->scratch);
    c->next = UINT64_MAX;
    residue_drop(hop, &branch->residue);
    chunk_retire(hop);
}

/* Memory is short: a branch that may drop, and is the last of all, misses what it has not begun. Where one that may not
 * is as far behind, dropping would free nothing. */
static bool drop_laggards(struct hop *hop)
{
    struct chunk_route *s = hop->state;
    bool any = false;
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed && hop->branch[i].slow != LEAT_SLOW_DROP && s->cursor[i].next == s->head)
            return false;
    for (size_t i = 0; i < hop->branches; i++) {
        struct branch *b = &hop->branch[i];
        struct cursor *c = &s->cursor[i];
        if (b->failed || !c->chunk || c->next != s->head || c->next == s->tail)
            continue;
        b->discarded += waiting_bytes(s, c);
        c->next = s->tail;
        any = true;
    }
    if (any)
        chunk_retire(hop);
    return any;
}

/* A full chunk, or a hole, is there for everyone. Takes the reference. */
static void append(struct hop *hop, struct chunk *chunk)
{
    struct chunk_route *s = hop->state;
    hop_observe(hop, chunk);
    s->ring[s->tail++ % s->capacity] = chunk;
    s->looked = false;
    chunk_retire(hop);
}

/* ---- reading ---- */

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

/* A hole takes a chunk's place in the ring, not its memory's contents. */
static void append_hole(struct hop *hop, size_t n)
{
    struct chunk_route *s = hop->state;
    struct chunk *chunk = s->filling;
    s->filling = NULL;
    chunk->hole = true;
    chunk->length = n;
    hop_took(hop, chunk->length);
    append(hop, chunk);
}

static bool wants_no_more(const struct hop *hop)
{
    return !hop->skip && (hop->taken >= hop->end || hop_is_cut(hop));
}

/* OP: read. WAIT: not now, and *ret_wait says for what. END: no more. STEP_DOWN: look again, something has changed. */
static enum verdict read_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct chunk_route *s = hop->state;
    uint64_t n;
    if (hop->source_ended && (!hop->residue.bytes || hop->error.code))
        return VERDICT_END;
    if (hop->in->port.blocked && !hop->residue.bytes) {
        if (wants_no_more(hop)) /* a byte that nobody asks for is not waited for */
            return VERDICT_END;
        wait_add(ret_wait, &hop->in->port);
        return VERDICT_WAIT;
    }
    if (!has_place(s) || (!s->gives && !s->filling && !(s->filling = chunk_get(&s->pool)))) {
        if (drop_laggards(hop))
            return VERDICT_STEP_DOWN;
        s->released.blocked = true;
        wait_add(ret_wait, &s->released);
        return VERDICT_WAIT;
    }
    if (hop->residue.bytes)
        return read_op(hop, DOING_RESIDUE, s->filling->data, MIN(s->pool.chunk_size, hop->residue.bytes), ret_op);
    size_t most = s->gives ? SIZE_MAX / 2 : s->pool.chunk_size;
    if (hop->skip)
        return next_bytes(hop, (size_t)MIN(most, hop->skip), ret_op);
    if (hop->taken >= hop->end)
        return VERDICT_END;
    if (hop_until_size(hop) == 0)
        return hop_is_cut(hop) ? VERDICT_END : read_op(hop, DOING_PROBE, &s->probe, 1, ret_op);
    bool hole = hop_extent(hop, &n) == 1;
    size_t allowed = hop_allowance(hop, hole ? hole_limit(hop, n) : MIN(most, n), ret_wait);
    if (allowed == 0)
        return ret_wait->deadline_ns ? VERDICT_WAIT : VERDICT_END;
    if (hole) {
        append_hole(hop, allowed);
        return VERDICT_STEP_DOWN;
    }
    return next_bytes(hop, allowed, ret_op);
}

static void passed_over(struct hop *hop, size_t n)
{
    hop->skip -= n;
    hop_took(hop, n);
    hop->end = hop->end == UINT64_MAX ? hop->end : hop->end + n;
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed) /* hop_took has counted it for those */
            hop->branch[i].discarded += n;
}

static void got(struct hop *hop, ssize_t result)
{
    struct chunk_route *s = hop->state;
    struct chunk *chunk = s->gives ? s->taken : s->filling;
    if (node_not_ready(hop->in, result))
        return;
    if (result < 0)
        hop_fail_source(hop, op_name(OP_READ), (int)result);
    else if (result == 0) {
        if (hop->skip)
            hop_fail_offset(hop);
        hop_source_short(hop);
        hop->source_ended = true;
    } else if (hop->skip) {
        passed_over(hop, (size_t)result);
        if (s->gives)
            chunk_unref(chunk);
    } else {
        s->filling = NULL;
        chunk->length = (size_t)result;
        hop_took(hop, chunk->length);
        append(hop, chunk);
    }
}

/* These bytes were taken already, by the route before; no filter has seen them. */
static void got_residue(struct hop *hop, ssize_t result)
{
    struct chunk_route *s = hop->state;
    if (result == -EAGAIN)
        return;
    if (result <= 0) {
        hop_fail_source(hop, op_name(OP_READ), result < 0 ? (int)result : -EIO);
        return; /* it stays held */
    }
    struct chunk *chunk = s->filling;
    s->filling = NULL;
    chunk->length = (size_t)result;
    hop->residue.bytes -= (size_t)result;
    append(hop, chunk);
    if (!hop->residue.bytes)
        residue_drop(hop, &hop->residue);
}

static void probed(struct hop *hop, ssize_t result)
{
    if (result > 0)
        hop_source_grew(hop);
    else if (result == 0)
        hop->source_ended = true;
    else if (result != -EAGAIN && !node_caches(hop->in, result))
        hop_fail_source(hop, op_name(OP_READ), (int)result);
}

/* ---- the machine ---- */

/* All branches failed: nobody is left to read for. */
static bool nobody_left(const struct hop *hop)
{
    return hop->branches > 0 && hop_live(hop) == 0;
}

/* A source that is always ready leaves the engine no reason to wait, and who was not ready once would not be asked
 * again before the memory is full: too late for one that may drop. */
static bool looks_first(struct chunk_route *s, struct wait_set *ret_wait)
{
    if (s->looked)
        return false;
    s->looked = true;
    ret_wait->deadline_ns = 1; /* long past: it looks and does not sleep */
    return true;
}

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    for (;;) {
        bool pending, residues;
        ret_wait->n = 0;
        if (nobody_left(hop))
            return VERDICT_END;
        if (chunk_write_any(hop, ret_op, ret_wait, &pending, &residues) == VERDICT_OP)
            return VERDICT_OP;
        if (pending && looks_first(hop->state, ret_wait))
            return VERDICT_WAIT;
        /* Residues come first, and want the memory that reading would take. */
        enum verdict verdict = residues ? VERDICT_WAIT : read_next(hop, ret_op, ret_wait);
        if (verdict == VERDICT_END && pending)
            return VERDICT_WAIT;
        if (verdict != VERDICT_STEP_DOWN)
            return verdict;
    }
}

/* The others go on without it: what it had is counted and given back. */
static void leave_behind(struct hop *hop, struct branch *branch)
{
    branch->discarded += route_chunk.held(hop, branch);
    let_go(hop, branch);
}

static void done(struct hop *hop, struct op *op UNUSED, ssize_t result)
{
    struct chunk_route *s = hop->state;
    enum chunk_step doing = s->doing;
    s->doing = DOING_NOTHING;
    if (doing == DOING_READ || doing == DOING_TAKE)
        got(hop, result);
    else if (doing == DOING_RESIDUE)
        got_residue(hop, result);
    else if (doing == DOING_PROBE)
        probed(hop, result);
    else {
        if (doing == DOING_BRANCH_RESIDUE)
            chunk_read_residue(hop, s->busy, result);
        else
            chunk_wrote(hop, s->busy, result);
        if (s->busy->failed && hop_live(hop) > 0)
            leave_behind(hop, s->busy);
    }
}

static uint64_t held(const struct hop *hop, const struct branch *branch)
{
    struct chunk_route *s = hop->state;
    const struct cursor *c = chunk_cursor(hop, branch);
    if (c->next == UINT64_MAX)
        return 0; /* the others go on without it */
    uint64_t n = hop->residue.bytes + branch->residue.bytes;
    struct chunk *in = c->scratch ? c->scratch : c->chunk;
    return n + (in ? in->length - c->at : 0) + waiting_bytes(s, c);
}

static void stop(struct hop *hop)
{
    struct chunk_route *s = hop->state;
    for (size_t i = 0; i < hop->branches; i++) {
        chunk_unref(s->cursor[i].chunk);
        chunk_unref(s->cursor[i].scratch);
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
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
    .held = held,
    .stop = stop,
};
