/* The chunk route: read once into pooled chunks which the observers and all branches hold together, write from them. It
 * works on every pair of nodes and with every filter, so it is the last rung, and it takes over what others leave.
 *
 * The chunks that are not delivered everywhere yet stand in a ring, numbered without end; each branch is a cursor over
 * it. A chunk goes back to the pool when the slowest branch has passed it and the last observer is done with it. Memory
 * is bounded because the pool is: when it is empty, nothing is read until a chunk comes back. A branch that may drop
 * gives up its place in the ring instead, and keeps only the chunk that it has begun to write. */
#include "base/fd.h"
#include "flow/hop.h"
#include <errno.h>

#define CHUNK_PLAIN    (1024 * 1024) /* bench rows file-to-file: the larger the better up to here */
#define CHUNK_OBSERVED (512 * 1024)  /* bench row copy-sha256: several threads look at each */
#define AHEAD          4             /* chunks; more would only leave the cache (bench row file-to-pipe) */
#define HOLE_MAX       (1024 * 1024) /* of a hole, at once, when somebody looks at the zeros */

static uint8_t zeros[64 * 1024]; /* never written to; an op has no pointer to const */

struct cursor {
    uint64_t next;       /* the first chunk in the ring that it has not begun */
    struct chunk *chunk; /* the one it is in; one reference */
    size_t at;
    struct chunk *scratch; /* what was read back from a residue of its own */
};

enum doing {
    DOING_NOTHING,
    DOING_READ,
    DOING_RESIDUE,
    DOING_PROBE,
    DOING_WRITE,
    DOING_BRANCH_RESIDUE
};

struct chunk_route {
    struct chunk_pool pool;
    struct port released; /* a chunk came back */
    struct op op;
    enum doing doing;
    struct branch *busy; /* whose write is in flight */
    struct chunk *filling;
    uint8_t probe;
    struct chunk **ring; /* chunk number i stands at i % capacity */
    size_t capacity;
    uint64_t head, tail; /* [head, tail) are in the ring */
    size_t turn;         /* the branch that is looked at first */
    bool looked;         /* for branches that are ready again, since a chunk came or went */
    struct cursor cursor[];
};

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

/* A quarter of the memory, so that reading, observing and several branches overlap; within reason. Residues may have
 * taken more than the rest of it. */
static size_t choose_chunk_size(const struct hop *hop)
{
    uint64_t most = hop_needs_bytes(hop) || hop->branches > 1 ? CHUNK_OBSERVED : CHUNK_PLAIN;
    uint64_t size = MIN(most, hop->budget->limit / MAX(4, least_chunks(hop)) / PAGE * PAGE);
    size = MIN(size, budget_left(hop->budget) / PAGE * PAGE);
    if (hop->size_binds) /* no larger than the file */
        size = MIN(size, (hop->in->size / PAGE + 1) * PAGE);
    return (size_t)MAX(size, PAGE);
}

/* Reading far ahead makes nothing faster: who reads the chunks finds them in memory, not in the cache. Only a branch
 * that may drop is given all the memory there is before it misses anything. */
static size_t most_chunks(const struct hop *hop)
{
    for (size_t i = 0; i < hop->branches; i++)
        if (hop->branch[i].slow == LEAT_SLOW_DROP)
            return 0;
    return AHEAD;
}

static int start(struct hop *hop)
{
    struct chunk_route *s = calloc(1, sizeof(*s) + hop->branches * sizeof(s->cursor[0]));
    size_t chunk_size = choose_chunk_size(hop);
    size_t capacity = (size_t)(hop->budget->limit / chunk_size) + 1;
    if (s)
        s->ring = calloc(capacity, sizeof(struct chunk *));
    if (!s || !s->ring) {
        free(s);
        hop_because(hop, "out of memory");
        return -ENOMEM;
    }
    s->capacity = capacity;
    for (size_t i = 0; i < hop->branches; i++)
        if (hop->branch[i].failed) /* before this route began */
            s->cursor[i].next = UINT64_MAX;
    port_init(&s->released, -1, 0);
    port_attach(&s->released, hop->waker);
    chunk_pool_init(&s->pool, hop->budget, chunk_size, &s->released);
    s->pool.most = most_chunks(hop);
    hop->state = s;
    return 0;
}

/* ---- the ring ---- */

static struct cursor *cursor_of(const struct hop *hop, const struct branch *branch)
{
    struct chunk_route *s = hop->state;
    return &s->cursor[branch - hop->branch];
}

/* Chunks that every branch has begun leave the ring; the branch that is in one holds it by its own reference. */
static void retire(struct hop *hop)
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
    struct cursor *c = cursor_of(hop, branch);
    c->chunk = chunk_unref(c->chunk);
    c->scratch = chunk_unref(c->scratch);
    c->next = UINT64_MAX;
    residue_drop(hop, &branch->residue);
    retire(hop);
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
        retire(hop);
    return any;
}

/* A full chunk, or a hole, is there for everyone. Takes the reference. */
static void append(struct hop *hop, struct chunk *chunk)
{
    struct chunk_route *s = hop->state;
    hop_observe(hop, chunk);
    s->ring[s->tail++ % s->capacity] = chunk;
    s->looked = false;
    retire(hop);
}

/* ---- writing ---- */

/* For --sparse=always: how many of these bytes, which go to `at` in the file, are whole blocks of zeros ... */
static size_t zero_run(uint64_t at, const uint8_t *bytes, size_t n)
{
    size_t run = 0, block;
    for (; run < n; run += block) {
        block = MIN(n - run, PAGE - (size_t)((at + run) % PAGE));
        if (memcmp(bytes + run, zeros, block) != 0)
            break;
    }
    return run;
}

/* ... and how many come before the next such block. */
static size_t data_run(uint64_t at, const uint8_t *bytes, size_t n)
{
    size_t run = 0;
    while (run < n) {
        size_t block = MIN(n - run, PAGE - (size_t)((at + run) % PAGE));
        if (memcmp(bytes + run, zeros, block) == 0)
            break;
        run += block;
    }
    return run;
}

static void pass_hole(struct hop *hop, struct branch *branch, size_t n)
{
    hop_delivered(hop, branch, n);
    branch->node->holes = true;
    cursor_of(hop, branch)->at += n;
}

/* The next chunk for this branch, holes passed over where they may stay holes. False: nothing to write. */
static bool at_bytes(struct hop *hop, struct branch *branch, size_t *ret_n)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = cursor_of(hop, branch);
    for (;;) {
        if (c->chunk && c->at == c->chunk->length)
            c->chunk = chunk_unref(c->chunk);
        if (!c->chunk) {
            if (c->next == s->tail)
                return false;
            c->chunk = chunk_ref(s->ring[c->next++ % s->capacity]);
            c->at = 0;
            retire(hop);
        }
        size_t n = c->chunk->length - c->at;
        if (branch->node->fresh && c->chunk->hole)
            pass_hole(hop, branch, n);
        else if (branch->node->fresh && hop->sparse == LEAT_SPARSE_ALWAYS) {
            const uint8_t *bytes = c->chunk->data + c->at;
            size_t hole = zero_run(branch->delivered, bytes, n);
            *ret_n = data_run(branch->delivered, bytes, n);
            if (hole == 0)
                return true;
            pass_hole(hop, branch, hole);
        } else {
            *ret_n = n;
            return true;
        }
    }
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

/* What the splice route left in this branch's own pipe comes before anything else: through a chunk, too. */
static enum verdict write_residue(struct hop *hop, struct branch *branch, struct op **ret_op)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = cursor_of(hop, branch);
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
    const struct cursor *c = cursor_of(hop, branch);
    return branch->residue.bytes > 0 || (c->scratch && c->at < c->scratch->length);
}

/* WAIT: this branch has nothing to do now. *ret_pending: it has bytes, and is not ready. */
static enum verdict write_next(struct hop *hop, struct branch *branch, struct op **ret_op, bool *ret_pending)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = cursor_of(hop, branch);
    size_t n;
    if (has_residue(hop, branch)) {
        *ret_pending = true;
        return branch->node->port.blocked ? VERDICT_WAIT : write_residue(hop, branch, ret_op);
    }
    if (c->scratch)
        c->scratch = chunk_unref(c->scratch);
    if (!at_bytes(hop, branch, &n))
        return VERDICT_WAIT;
    *ret_pending = true;
    if (branch->node->port.blocked)
        return VERDICT_WAIT;
    s->doing = DOING_WRITE;
    if (c->chunk->hole)
        return write_from(hop, branch, zeros, MIN(n, sizeof(zeros)), ret_op);
    return write_from(hop, branch, c->chunk->data + c->at, n, ret_op);
}

static void wrote(struct hop *hop, struct branch *branch, ssize_t result)
{
    struct cursor *c = cursor_of(hop, branch);
    if (node_not_ready(branch->node, result))
        return;
    if (result == 0)
        result = -EIO; /* a write of something that takes nothing will take nothing for ever */
    if (result < 0) {
        hop_fail_branch(hop, branch, op_name(OP_WRITE), (int)result);
        return; /* what it holds is counted when the route stops, and let go when the hop goes on without it */
    }
    c->at += (size_t)result;
    ((struct chunk_route *)hop->state)->looked = false;
    hop_delivered(hop, branch, (uint64_t)result);
    if (branch->node->kind == NODE_PIPE && (size_t)result < ((struct chunk_route *)hop->state)->op.length)
        branch->node->port.blocked = true; /* a short count says that the pipe is full */
    if (!branch->residue.bytes && c->scratch && c->at == c->scratch->length)
        residue_drop(hop, &branch->residue);
}

static void read_branch_residue(struct hop *hop, struct branch *branch, ssize_t result)
{
    struct cursor *c = cursor_of(hop, branch);
    if (result == -EAGAIN)
        return;
    if (result <= 0) { /* our own pipe with bytes in it; nothing can be read: they are lost, and it is said */
        hop_fail_branch(hop, branch, op_name(OP_READ), result < 0 ? (int)result : -EIO);
        return;
    }
    c->scratch->length = (size_t)result;
    c->at = 0;
    branch->residue.bytes -= (size_t)result;
}

/* ---- reading ---- */

static enum verdict read_op(struct hop *hop, enum doing doing, void *bytes, size_t n, struct op **ret_op)
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

/* OP: read. WAIT: not now, and *ret_wait says for what. END: no more. STEP_DOWN: look again, something has changed. */
static enum verdict read_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct chunk_route *s = hop->state;
    uint64_t n;
    if (hop->source_ended && (!hop->residue.bytes || hop->error.code))
        return VERDICT_END;
    if (hop->in->port.blocked && !hop->residue.bytes) {
        wait_add(ret_wait, &hop->in->port);
        return VERDICT_WAIT;
    }
    if (s->tail - s->head == s->capacity || (!s->filling && !(s->filling = chunk_get(&s->pool)))) {
        if (drop_laggards(hop))
            return VERDICT_STEP_DOWN;
        s->released.blocked = true;
        wait_add(ret_wait, &s->released);
        return VERDICT_WAIT;
    }
    if (hop->residue.bytes)
        return read_op(hop, DOING_RESIDUE, s->filling->data, MIN(s->pool.chunk_size, hop->residue.bytes), ret_op);
    if (hop->skip)
        return read_op(hop, DOING_READ, s->filling->data, (size_t)MIN(s->pool.chunk_size, hop->skip), ret_op);
    if (hop->taken >= hop->end)
        return VERDICT_END;
    if (hop_until_size(hop) == 0)
        return hop_is_cut(hop) ? VERDICT_END : read_op(hop, DOING_PROBE, &s->probe, 1, ret_op);
    bool hole = hop_extent(hop, &n) == 1;
    size_t allowed = hop_allowance(hop, hole ? hole_limit(hop, n) : MIN(s->pool.chunk_size, n), ret_wait);
    if (allowed == 0)
        return ret_wait->deadline_ns ? VERDICT_WAIT : VERDICT_END;
    if (hole) {
        append_hole(hop, allowed);
        return VERDICT_STEP_DOWN;
    }
    return read_op(hop, DOING_READ, s->filling->data, allowed, ret_op);
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
    if (node_not_ready(hop->in, result))
        return;
    if (result < 0)
        hop_fail_source(hop, op_name(OP_READ), (int)result);
    else if (result == 0) {
        hop_source_short(hop);
        hop->source_ended = true;
    } else if (hop->skip)
        passed_over(hop, (size_t)result);
    else {
        struct chunk *chunk = s->filling;
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

/* The first branch that can be written to, in turn. WAIT: none; *ret_pending and *ret_residues tell whether any has
 * bytes, and whether some of these are a residue. */
static enum verdict write_any(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait, bool *ret_pending,
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
        if (write_any(hop, ret_op, ret_wait, &pending, &residues) == VERDICT_OP)
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
    enum doing doing = s->doing;
    s->doing = DOING_NOTHING;
    if (doing == DOING_READ)
        got(hop, result);
    else if (doing == DOING_RESIDUE)
        got_residue(hop, result);
    else if (doing == DOING_PROBE)
        probed(hop, result);
    else {
        if (doing == DOING_BRANCH_RESIDUE)
            read_branch_residue(hop, s->busy, result);
        else
            wrote(hop, s->busy, result);
        if (s->busy->failed && hop_live(hop) > 0)
            leave_behind(hop, s->busy);
    }
}

static uint64_t held(const struct hop *hop, const struct branch *branch)
{
    struct chunk_route *s = hop->state;
    struct cursor *c = &s->cursor[branch - hop->branch];
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
