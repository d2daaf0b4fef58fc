/* SPDX-License-Identifier: MIT */
/* The direct route bypasses the page cache by O_DIRECT, with several reads and writes in flight. It is for large files
 * that are read or written once and should not displace other pages from the cache.
 *
 * The route opens descriptors of its own on the source and the sink. One of the two sides is enough: the other side
 * then uses the node's descriptor. A head and a tail that are not whole blocks use it, too: for each call the route
 * checks whether offset, length and memory are aligned.
 *
 * The bytes in flight are in slots, numbered without end, in the order of the file. The slots [head, took) were taken
 * and wait for the sink; the slots [took, tail) are being read. Reads and writes complete in any order, but bytes are
 * taken, shown to observers and counted as delivered only in the order of the file. So `taken` and `delivered` are
 * prefixes of the file, and an error is reported at its own offset, after all bytes before it. A slot that was never
 * taken is dropped, and no count knows of it. */
#include "route/direct.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>

#define CHUNK_DIRECT (1024 * 1024) /* bytes; bench row cold-read: half of it is as fast, but needs twice the calls */

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

/* Allocates the blocks of a new file. The kernel writes to allocated blocks in parallel, but serialises the writes that
 * make a file grow. An error is ignored: a write meets it again, at its own offset. */
static void give_length(struct hop *hop, const struct direct_route *s)
{
    if (hop->branches == 0)
        return;
    struct node *out = hop->branch[0].node;
    if (!s->past_cache[SINK] || !out->fresh || (hop->in->sparse && hop->sparse != LEAT_SPARSE_NEVER))
        return;
    platform.allocate(out->fd, s->limit);
    out->holes = true; /* so file_finish cuts the file to the bytes that were delivered */
}

static int make_pool(struct hop *hop, struct direct_route *s, size_t chunk_size)
{
    port_init(&s->released, -1, 0);
    chunk_pool_init(&s->pool, hop->budget, chunk_size, &s->released);
    chunk_pool_share(&s->pool, hop->pool);
    int r = chunk_pool_prepare(&s->pool, 1);
    if (r < 0) {
        chunk_pool_destroy(&s->pool);
        hop_set_reason(hop, "out of memory");
    }
    port_attach(&s->released, hop->waker);
    return r;
}

static int start(struct hop *hop)
{
    struct direct_route *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;
    if (!s) {
        hop_set_reason(hop, "out of memory");
        return r;
    }
    s->fd[SOURCE] = s->fd[SINK] = -1;
    r = hop->in->position < 0 ? -ESPIPE : direct_open_sides(hop, s);
    if (r == -ESPIPE)
        hop_set_reason(hop, "the source has no positions");
    size_t chunk_size = r < 0 ? 0 : (size_t)MIN(CHUNK_DIRECT, hop->budget->limit / 4) / s->align * s->align;
    if (r == 0)
        chunk_size = MAX(chunk_size, s->align);
    if (r == 0 && (chunk_size > budget_left(hop->budget) || chunk_size > CHUNK_DIRECT)) {
        hop_set_reason(hop, "its blocks of %zu bytes are too large for the memory limit", s->align);
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
            hop_record_taken(hop, slot->got);
            if (slot->chunk) {
                slot->chunk->length = (size_t)slot->got;
                hop_observe(hop, slot->chunk);
            }
        }
        s->over = slot->ends;
        if (slot->ends && slot->error)
            hop_fail_source(hop, op_name(OP_READ), slot->error);
        else if (slot->ends)
            hop_note_early_end(hop);
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
            hop_record_delivered(hop, branch, slot->put - slot->counted);
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
        direct_record_read(hop, slot, result);
    else
        direct_record_write(hop, slot, result);
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

/* Names the next write. With O_DIRECT all slots may be written in parallel; else one after the other, in the order of
 * the file. After a slot whose write failed, nothing is written. The slots before it are still written, each until its
 * end or an error of its own, because an error is reported after all bytes before it. */
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

/* As hop_extent, but a hole ends at the end of a block, so that the data after it is aligned. */
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

/* True: the sink reads as zeros there already, or there is no sink. */
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

/* Adds a slot. False: all slots or chunks are in use, or the source has no more bytes. */
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

/* The route has moved all that it can. It drops the slots that were read and not taken. The chunk route may follow, to
 * confirm the end. So END waits until the observers have released the chunks of this route's pool. */
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
    hop->extents_known = false; /* the next route may start before the last position that this route asked for */
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
