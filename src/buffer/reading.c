/* SPDX-License-Identifier: MIT */
#include "buffer/reading.h"

/* ---- position ---- */

static struct segment *next_of(struct segment *segment)
{
    return atomic_load_explicit(&segment->next, memory_order_acquire);
}

/* Call it after `committed` was loaded. */
uint64_t reading_end_of(leat_stream *s, struct segment *segment, struct segment **ret_next)
{
    *ret_next = next_of(segment);
    return *ret_next ? MIN((*ret_next)->base, s->r.committed) : s->r.committed;
}

struct segment *reading_segment_at(leat_stream *s, uint64_t at, uint64_t *ret_end)
{
    struct segment *segment = s->r.head, *next;
    while ((*ret_end = reading_end_of(s, segment, &next)) <= at)
        segment = next;
    return segment;
}

static void forget(struct search *search, const struct segment *segment)
{
    if (search->place == segment)
        search->place = NULL;
}

static void drop_head(leat_stream *s, struct segment *next)
{
    struct segment *head = s->r.head;
    s->r.head = next;
    forget(&s->r.line, head);
    for (size_t i = 0; i < COUNT(s->r.recent); i++)
        forget(&s->r.recent[i], head);
    chunk_unref(head->chunk);
    free(head);
}

/* Frees the segments that are read to their end. */
static void settle(leat_stream *s)
{
    for (struct segment *next; (next = next_of(s->r.head)) && next->base <= s->r.consumed;)
        drop_head(s, next);
}

/* Loads `end` before `committed`, because nothing is committed after the end is set. */
void reading_look(leat_stream *s)
{
    s->r.end = atomic_load_explicit(&s->end, memory_order_acquire);
    s->r.committed = atomic_load_explicit(&s->committed, memory_order_acquire);
    stream_close_window(&s->r);
    settle(s);
}

void reading_leave_window(leat_stream *s, bool borrowed)
{
    stream_close_window(&s->r);
    if (!borrowed)
        settle(s);
}

/* ---- results ---- */

int reading_not_yet(leat_stream *s, uint64_t wanted)
{
    if (wanted - s->r.consumed > s->limit)
        return -EMSGSIZE;
    if (atomic_load_explicit(&s->wanted, memory_order_relaxed) < wanted) {
        atomic_store_explicit(&s->wanted, wanted, memory_order_release);
        stream_changed(s);
    }
    return -EAGAIN;
}

int reading_too_few(leat_stream *s, size_t n)
{
    if (s->r.end)
        return -ENODATA;
    return n > UINT64_MAX - s->r.consumed ? -EMSGSIZE : reading_not_yet(s, s->r.consumed + n);
}

bool reading_is_over(const leat_stream *s)
{
    return s->r.end && reading_left(s) == 0;
}

int reading_end_code(const leat_stream *s)
{
    return MIN(s->r.end, 0);
}

int reading_say_end(const leat_stream *s, struct leat_view *ret)
{
    int code = reading_end_code(s);
    if (code == 0)
        *ret = (struct leat_view){NULL, 0, NULL};
    return code;
}

/* ---- bytes ---- */

void reading_copy(leat_stream *s, uint64_t from, uint8_t *to, size_t n)
{
    uint64_t end;
    struct segment *next, *segment = reading_segment_at(s, from, &end);
    for (;;) {
        size_t part = (size_t)MIN((uint64_t)n, end - from);
        memcpy(to, segment->data + (from - segment->base), part);
        from += part;
        to += part;
        n -= part;
        if (n == 0)
            return;
        reading_end_of(s, segment, &next);
        segment = next;
        end = reading_end_of(s, segment, &next);
    }
}

static int view_in_one(leat_stream *s, uint64_t from, size_t n, struct leat_view *ret)
{
    uint8_t *bytes;
    int r = view_copied(ret, n, &bytes);
    if (r == 0) {
        reading_copy(s, from, bytes, n);
        reading_count(&s->r.copied, n);
    }
    return r;
}

static int view_in_pieces(leat_stream *s, struct segment *first, uint64_t from, size_t n, struct leat_view *ret)
{
    uint64_t to = from + n;
    struct segment *next;
    size_t pieces = 1;
    for (struct segment *at = first; reading_end_of(s, at, &next) < to; at = next)
        pieces++;
    struct bundle *bundle = view_bundle(pieces);
    if (!bundle)
        return -ENOMEM;
    for (struct segment *at = first; from < to; at = next) {
        uint64_t end = MIN(reading_end_of(s, at, &next), to);
        view_bundle_add(bundle, at->chunk, at->data + (from - at->base), (size_t)(end - from));
        from = end;
    }
    *ret = view_of_bundle(bundle, n);
    return 0;
}

int reading_view(leat_stream *s, size_t offset, size_t n, unsigned flags, struct leat_view *ret)
{
    uint64_t from = s->r.consumed + offset, end;
    if (n == 0) {
        *ret = (struct leat_view){"", 0, NULL};
        return 0;
    }
    struct segment *segment = reading_segment_at(s, from, &end);
    if (n <= end - from) {
        bool borrow = flags & LEAT_STREAM_BORROW;
        const uint8_t *data = segment->data + (from - segment->base);
        *ret = (struct leat_view){data, n, borrow ? NULL : chunk_ref(segment->chunk)};
        return 0;
    }
    if (n <= LEAT_VIEW_SMALL || flags & LEAT_STREAM_JOIN)
        return view_in_one(s, from, n, ret);
    return view_in_pieces(s, segment, from, n, ret);
}
