/* The direct route: past the page cache by O_DIRECT, with many reads and writes under way at once, for what is read or
 * written once and is larger than memory should be troubled with.
 *
 * It opens descriptors of its own on the source and the sink. One of the two sides is enough; the other then goes
 * through the descriptor that is there, as do a head and a tail that are no whole blocks: every piece of a read or a
 * write asks again whether its offset, its length and its memory are aligned.
 *
 * The bytes under way stand in slots, numbered without end, in the order of the file: [head, took) were taken and wait
 * for the sink, [took, tail) are being read. Reads and writes end in any order, but bytes are taken, shown to observers
 * and counted as delivered in the order of the file alone. So `taken` and `delivered` are prefixes, and an error is
 * told at its own offset, after all that comes before it. A slot whose bytes were never taken is given up without a
 * trace. */
#include "route/direct.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>

#define CHUNK_DIRECT (1024 * 1024) /* bench row cold-read: half of it is as fast, and more calls */

/* ---- plan ---- */

static const char *unfit(const struct hop *hop, char reason[REASON_MAX] UNUSED)
{
    if (!direct_is_storage(hop->in))
        return "the source is neither a file nor a disk";
    if (hop->in->kind == NODE_FILE && !hop->size_binds)
        return "the source has no size";
    if (hop->branches > 1)
        return "it serves one sink";
    if (hop_is_paced(hop))
        return "what is paced is not read ahead";
    if (hop->sparse == LEAT_SPARSE_ALWAYS)
        return "zeros have to be looked for";
    if (hop->residue.bytes || (hop->branches && hop->branch[0].residue.bytes))
        return "another route left bytes in a pipe";
    return NULL;
}

static uint64_t minimum(const struct hop *hop UNUSED)
{
    return PAGE;
}

/* ---- start ---- */

static uint64_t choose_limit(const struct hop *hop)
{
    uint64_t limit = hop->end;
    uint64_t begin = (uint64_t)hop->in->position;
    if (hop->in->has_size)
        limit = MIN(limit, hop->in->size > begin ? hop->in->size - begin : 0);
    return limit;
}

/* A new file that has its blocks takes writes side by side; one that grows takes them one after the other. Where that
 * can't be had the writes tell, and where. */
static void give_length(struct hop *hop, const struct direct_route *s)
{
    if (hop->branches == 0)
        return;
    struct node *out = hop->branch[0].node;
    if (!s->past_cache[SINK] || !out->fresh || (hop->in->sparse && hop->sparse != LEAT_SPARSE_NEVER))
        return;
    platform.allocate(out->fd, s->limit);
    out->holes = true; /* it is cut to what was delivered */
}

static int make_pool(struct hop *hop, struct direct_route *s, size_t chunk_size)
{
    port_init(&s->released, -1, 0);
    chunk_pool_init(&s->pool, hop->budget, chunk_size, &s->released);
    chunk_pool_share(&s->pool, hop->pool);
    int r = chunk_pool_prepare(&s->pool, 1);
    if (r < 0) {
        chunk_pool_destroy(&s->pool);
        hop_because(hop, "out of memory");
    }
    port_attach(&s->released, hop->waker);
    return r;
}

static int start(struct hop *hop)
{
    struct direct_route *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;
    if (!s) {
        hop_because(hop, "out of memory");
        return r;
    }
    s->fd[SOURCE] = s->fd[SINK] = -1;
    r = hop->in->position < 0 ? -ESPIPE : direct_open_sides(hop, s);
    if (r == -ESPIPE)
        hop_because(hop, "the source has no positions");
    size_t chunk_size = r < 0 ? 0 : (size_t)MIN(CHUNK_DIRECT, hop->budget->limit / 4) / s->align * s->align;
    if (r == 0)
        chunk_size = MAX(chunk_size, s->align);
    if (r == 0 && (chunk_size > budget_left(hop->budget) || chunk_size > CHUNK_DIRECT)) {
        hop_because(hop, "its blocks of %zu bytes are too large for the memory limit", s->align);
        r = -ENOBUFS;
    }
    if (r == 0)
        r = make_pool(hop, s, chunk_size);
    if (r < 0) {
        fd_close(s->fd[SOURCE]);
        fd_close(s->fd[SINK]);
        free(s);
        return r;
    }
    s->depth = (size_t)MIN(DIRECT_DEPTH, hop->budget->limit / chunk_size);
    s->next = hop->taken;
    s->limit = choose_limit(hop);
    hop->state = s;
    give_length(hop, s);
    return 0;
}

/* ---- bytes move on, in the order of the file ---- */

static bool sink_failed(const struct hop *hop)
{
    return hop->branches && hop->branch[0].failed;
}

static void take(struct hop *hop)
{
    struct direct_route *s = hop->state;
    while (!s->over && !sink_failed(hop) && s->took < s->tail && direct_slot_at(s, s->took)->state == SLOT_READ) {
        struct direct_slot *slot = direct_slot_at(s, s->took++);
        slot->state = SLOT_TAKEN;
        if (slot->got) {
            hop_took(hop, slot->got);
            if (slot->chunk) {
                slot->chunk->length = (size_t)slot->got;
                hop_observe(hop, slot->chunk);
            }
        }
        s->over = slot->ends;
        if (slot->ends && slot->error)
            hop_fail_source(hop, op_name(OP_READ), slot->error);
        else if (slot->ends)
            hop_source_short(hop);
        slot->error = 0;
    }
}

static void deliver(struct hop *hop)
{
    struct direct_route *s = hop->state;
    struct branch *branch = hop->branches ? &hop->branch[0] : NULL;
    while (s->head < s->took && !sink_failed(hop)) {
        struct direct_slot *slot = direct_slot_at(s, s->head);
        if (branch && slot->put > slot->counted) {
            hop_delivered(hop, branch, slot->put - slot->counted);
            slot->counted = slot->put;
        }
        if (branch && slot->counted < slot->got) {
            if (slot->error)
                hop_fail_branch(hop, branch, op_name(OP_WRITE), slot->error);
            return;
        }
        slot->chunk = chunk_unref(slot->chunk);
        s->head++;
    }
}

/* ---- what comes back ---- */

static void done(struct hop *hop, struct op *op, ssize_t result)
{
    struct direct_route *s = hop->state;
    struct direct_slot *slot = (struct direct_slot *)((char *)op - offsetof(struct direct_slot, op));
    slot->busy = false;
    s->busy--;
    if (slot->side == SOURCE)
        direct_was_read(hop, slot, result);
    else
        direct_was_written(hop, slot, result);
    if (s->refused)
        return;
    take(hop);
    deliver(hop);
}

/* ---- what is next ---- */

static bool read_on(struct hop *hop, struct op **ret_op)
{
    struct direct_route *s = hop->state;
    for (uint64_t i = s->took; i < s->tail && !s->over; i++) {
        struct direct_slot *slot = direct_slot_at(s, i);
        if (slot->state == SLOT_READING && !slot->busy) {
            direct_read_op(hop, slot, ret_op);
            return true;
        }
    }
    return false;
}

/* Past the cache as many at once as there are; else one after the other, and in their order. Behind a write that failed
 * nothing is written any more; what lies before it is, until its end or an error of its own, because an error is told
 * after all bytes before it. */
static bool write_on(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct direct_route *s = hop->state;
    for (uint64_t i = s->head; i < s->took && !sink_failed(hop); i++) {
        struct direct_slot *slot = direct_slot_at(s, i);
        if (slot->error)
            return false;
        if (slot->busy && !s->past_cache[SINK])
            return false;
        if (slot->busy || slot->put == slot->got)
            continue;
        if (hop->branch[0].node->port.blocked) {
            wait_add(ret_wait, &hop->branch[0].node->port);
            return false;
        }
        direct_write_op(hop, slot, ret_op);
        return true;
    }
    return false;
}

/* As hop_extent, but a hole consists of whole blocks, so that what follows it is aligned. */
static bool extent(struct hop *hop, uint64_t *ret_n)
{
    struct direct_route *s = hop->state;
    uint64_t n, left = s->limit - s->next;
    bool hole = hop_extent_ahead(hop, s->next - hop->taken, &n) == 1;
    if (n < left) {
        uint64_t beyond = (s->base + s->next + n) % s->align;
        if (hole && n <= beyond) {
            hole = false;
            n = direct_to_boundary(s, s->next);
        } else if (hole)
            n -= beyond;
        else if (beyond)
            n += s->align - beyond;
    }
    *ret_n = MIN(n, left);
    return hole;
}

/* The sink has zeros there already, or nobody writes. */
static bool keeps_holes(const struct hop *hop)
{
    return hop->branches == 0 || hop->branch[0].node->fresh;
}

static void fill_hole(struct hop *hop, struct direct_slot *slot)
{
    slot->got = slot->want;
    slot->state = SLOT_READ;
    if (!keeps_holes(hop))
        memset(slot->chunk->data, 0, (size_t)slot->got);
    else {
        slot->put = slot->got;
        if (slot->chunk)
            slot->chunk->hole = true;
        if (hop->branches)
            hop->branch[0].node->holes = true;
    }
}

/* One more slot. False: there is no room for it, or nothing to put into it. */
static bool begin(struct hop *hop, bool *ret_hole, struct wait_set *ret_wait)
{
    struct direct_route *s = hop->state;
    uint64_t n;
    if (s->over || s->next >= s->limit || s->tail - s->head == s->depth)
        return false;
    *ret_hole = extent(hop, &n);
    bool unseen = *ret_hole && keeps_holes(hop) && !hop_needs_bytes(hop);
    if (!unseen)
        n = MIN(n, s->pool.chunk_size);
    if (!*ret_hole && direct_to_boundary(s, s->next) < s->align)
        n = MIN(n, direct_to_boundary(s, s->next));
    struct chunk *chunk = unseen ? NULL : chunk_get(&s->pool);
    if (!chunk && !unseen) {
        s->released.blocked = true;
        wait_add(ret_wait, &s->released);
        return false;
    }
    *direct_slot_at(s, s->tail++) = (struct direct_slot){.chunk = chunk, .at = s->next, .want = n};
    s->next += n;
    return true;
}

/* All that could be done was: what was read and not taken is given up. Another route may come, to see whether there is
 * more, so observers are waited for, who hold chunks of this one's pool. */
static enum verdict end(struct hop *hop, struct wait_set *ret_wait)
{
    struct direct_route *s = hop->state;
    for (; s->tail > s->took; s->tail--)
        chunk_unref(direct_slot_at(s, s->tail - 1)->chunk);
    if (sink_failed(hop) || chunk_pool_is_whole(&s->pool))
        return VERDICT_END;
    s->released.blocked = true;
    wait_add(ret_wait, &s->released);
    return VERDICT_WAIT;
}

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait)
{
    struct direct_route *s = hop->state;
    bool hole;
    if (s->refused)
        return s->busy ? VERDICT_WAIT : VERDICT_STEP_DOWN;
    if (write_on(hop, ret_op, ret_wait) || read_on(hop, ret_op))
        return VERDICT_OP;
    while (begin(hop, &hole, ret_wait)) {
        struct direct_slot *slot = direct_slot_at(s, s->tail - 1);
        if (!hole)
            return direct_read_op(hop, slot, ret_op);
        fill_hole(hop, slot);
        take(hop);
        deliver(hop);
        if (write_on(hop, ret_op, ret_wait))
            return VERDICT_OP;
    }
    bool ended = s->over || s->next >= s->limit;
    if (s->busy == 0 && ((ended && s->head == s->took && (s->over || s->took == s->tail)) || sink_failed(hop)))
        return end(hop, ret_wait);
    return VERDICT_WAIT;
}

static uint64_t held(const struct hop *hop, const struct branch *branch UNUSED)
{
    struct direct_route *s = hop->state;
    uint64_t n = 0;
    for (uint64_t i = s->head; i < s->took; i++)
        n += direct_slot_at(s, i)->got - direct_slot_at(s, i)->counted;
    return n;
}

static void stop(struct hop *hop)
{
    struct direct_route *s = hop->state;
    for (; s->head < s->tail; s->head++)
        chunk_unref(direct_slot_at(s, s->head)->chunk);
    port_attach(&s->released, NULL);
    chunk_pool_destroy(&s->pool);
    fd_close(s->fd[SOURCE]);
    fd_close(s->fd[SINK]);
    free(s);
    hop->extents_known = false; /* the next route may begin before the last one that was looked at */
}

const struct route route_direct = {
    .name = "direct",
    .id = ROUTE_DIRECT,
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
    .held = held,
    .stop = stop,
};
