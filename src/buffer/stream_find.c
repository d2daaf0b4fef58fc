/* SPDX-License-Identifier: MIT */
/* The reading calls that look at the bytes: starts_with, find, take up to a separator or the end of a line. */
#include "buffer/reading.h"

int leat_stream_starts_with(leat_stream *s, const void *bytes, size_t n)
{
    IN_SIDE(s->r);
    reading_look(s);
    size_t there = MIN(n, reading_left(s));
    uint64_t at = s->r.consumed, to = at + there, end;
    for (const uint8_t *expected = bytes; at < to; at = end) {
        struct segment *segment = reading_segment_at(s, at, &end);
        end = MIN(end, to);
        if (memcmp(segment->data + (at - segment->base), expected, (size_t)(end - at)) != 0)
            return 0;
        expected += end - at;
    }
    if (there == n)
        return 1;
    if (s->r.end)
        return reading_is_over(s) ? reading_end_code(s) : 0;
    return reading_too_few(s, n);
}

/* ---- searches ---- */

/* Returns the search that already has this needle, or else the oldest one, with this needle. */
static int search_of(leat_stream *s, const void *needle, size_t n, struct search **ret)
{
    *ret = &s->r.line;
    if (n == 1 && *(const char *)needle == '\n')
        return search_for(*ret, needle, n);
    for (size_t i = 0; i < COUNT(s->r.recent); i++) {
        *ret = &s->r.recent[i];
        if (search_is_for(*ret, needle, n))
            return 0;
    }
    *ret = &s->r.recent[s->r.oldest++ % COUNT(s->r.recent)];
    return search_for(*ret, needle, n);
}

/* Is there a match within [start, end) of the stream? Then search->hit_at is its position. */
static bool search_in(leat_stream *s, struct search *search, uint64_t start, uint64_t end)
{
    search_from(search, start);
    if (search->hit)
        return search->hit_at + search->n <= end;
    uint64_t to = MIN(end, s->r.committed), before = search->at;
    struct segment *segment = search->place, *next;
    if (!segment || segment->base > search->at)
        segment = s->r.head;
    while (search->at < to && !search->hit) {
        uint64_t segment_end = reading_end_of(s, segment, &next);
        if (search->at < segment_end)
            search_feed(search, segment->data + (search->at - segment->base),
                        (size_t)(MIN(segment_end, to) - search->at));
        else
            segment = next;
    }
    search->place = segment;
    reading_count(&s->r.searched, search->at - before);
    return search->hit;
}

static uint64_t position(const leat_stream *s, size_t offset)
{
    return offset > UINT64_MAX - s->r.consumed ? UINT64_MAX : s->r.consumed + offset;
}

int leat_stream_find(leat_stream *s, const void *needle, size_t n, size_t start, size_t end, size_t *ret_at)
{
    IN_SIDE(s->r);
    struct search *search;
    if (n == 0 || end < start)
        return -EINVAL;
    reading_look(s);
    if (reading_is_over(s))
        return reading_end_code(s) ? reading_end_code(s) : -ENODATA;
    if (end - start < n)
        return -ENODATA;
    int r = search_of(s, needle, n, &search);
    if (r < 0)
        return r;
    uint64_t to = end == SIZE_MAX ? UINT64_MAX : position(s, end);
    if (search_in(s, search, position(s, start), to)) {
        *ret_at = (size_t)(search->hit_at - s->r.consumed);
        return 0;
    }
    return s->r.end || to <= s->r.committed ? -ENODATA : reading_not_yet(s, s->r.committed + 1);
}

/* The result if the separator is not among the unread bytes. */
static int no_separator(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    if (!s->r.end)
        return reading_not_yet(s, s->r.committed + 1);
    if (!(flags & LEAT_STREAM_REST))
        return -ENODATA;
    int r = reading_view(s, 0, reading_left(s), flags, ret);
    if (r == 0)
        reading_consume(s, ret->length, flags & LEAT_STREAM_BORROW);
    return r;
}

/* Consumes `length` bytes and returns a view of the first `n`. */
static int take_part(leat_stream *s, size_t n, size_t length, unsigned flags, struct leat_view *ret)
{
    int r = reading_view(s, 0, n, flags, ret);
    if (r == 0)
        reading_consume(s, length, flags & LEAT_STREAM_BORROW);
    return r;
}

int leat_stream_take_until(leat_stream *s, const void *separator, size_t n, unsigned flags, struct leat_view *ret_view)
{
    IN_SIDE(s->r);
    struct search *search;
    if (n == 0)
        return -EINVAL;
    reading_look(s);
    if (reading_is_over(s))
        return reading_say_end(s, ret_view);
    int r = search_of(s, separator, n, &search);
    if (r < 0)
        return r;
    if (!search_in(s, search, s->r.consumed, UINT64_MAX))
        return no_separator(s, flags, ret_view);
    size_t length = (size_t)(search->hit_at - s->r.consumed);
    return take_part(s, flags & LEAT_STREAM_KEEP ? length + n : length, length + n, flags, ret_view);
}

/* ---- lines ---- */

static bool ends_in_return(leat_stream *s, size_t n)
{
    uint64_t end;
    if (n == 0)
        return false;
    uint64_t at = s->r.consumed + n - 1;
    struct segment *segment = reading_segment_at(s, at, &end);
    return segment->data[at - segment->base] == '\r';
}

/* The fast path: most lines are in the window, and then the call needs no data of another thread. */
static inline bool quick_line(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    struct stream_reading *r = &s->r;
    const uint8_t *at = r->at, *newline = memchr(at, '\n', (size_t)(r->until - at));
    if (!newline)
        return false;
    size_t n = (size_t)(newline - at), length = n + 1;
    bool borrow = flags & LEAT_STREAM_BORROW;
    if (flags & LEAT_STREAM_KEEP)
        n = length;
    else if (n && newline[-1] == '\r')
        n--;
    *ret = (struct leat_view){at, n, borrow ? NULL : chunk_ref(r->head->chunk)};
    reading_count(&r->searched, length);
    reading_consume(s, length, borrow);
    return true;
}

/* Records in the search for lines that the window has no newline, so that the search continues behind the window. */
static void window_was_in_vain(struct stream_reading *r)
{
    struct search *line = &r->line;
    size_t window = (size_t)(r->until - r->at);
    if (window == 0)
        return;
    line->from = r->consumed;
    line->at = r->consumed + window;
    line->matched = 0;
    line->hit = false;
    line->place = r->head;
    reading_count(&r->searched, window);
}

/* Opens a window up to the end of the first segment, unless the search for lines knows something about these bytes. */
static void open_window(leat_stream *s)
{
    struct stream_reading *r = &s->r;
    struct segment *next;
    if (r->line.at > r->consumed || (r->line.hit && r->line.hit_at >= r->consumed))
        return;
    uint64_t end = reading_end_of(s, r->head, &next);
    if (end == r->consumed)
        return;
    r->at = r->head->data + (r->consumed - r->head->base);
    r->until = r->at + (end - r->consumed);
}

static COLD int take_line(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    struct search *line = &s->r.line;
    window_was_in_vain(&s->r);
    reading_look(s);
    if (reading_is_over(s))
        return reading_say_end(s, ret);
    open_window(s);
    if (quick_line(s, flags, ret))
        return 0;
    window_was_in_vain(&s->r);
    stream_close_window(&s->r);
    if (!search_in(s, line, s->r.consumed, UINT64_MAX))
        return no_separator(s, flags, ret);
    size_t n = (size_t)(line->hit_at - s->r.consumed), length = n + 1;
    if (flags & LEAT_STREAM_KEEP)
        n++;
    else if (ends_in_return(s, n))
        n--;
    return take_part(s, n, length, flags, ret);
}

int leat_stream_take_line(leat_stream *s, unsigned flags, struct leat_view *ret_view)
{
    IN_SIDE(s->r);
    return quick_line(s, flags, ret_view) ? 0 : take_line(s, flags, ret_view);
}
