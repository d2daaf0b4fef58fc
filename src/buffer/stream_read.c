/* The reading side of a stream. */
#include "buffer/stream.h"
#include "buffer/view.h"
#include <errno.h>

/* ---- where it stands ---- */

static struct segment *next_of(struct segment *segment)
{
    return atomic_load_explicit(&segment->next, memory_order_acquire);
}

/* Where it ends, as far as this call goes. Asked after `committed` was looked at. */
static uint64_t end_of(leat_stream *s, struct segment *segment, struct segment **ret_next)
{
    *ret_next = next_of(segment);
    return *ret_next ? MIN((*ret_next)->base, s->r.committed) : s->r.committed;
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
    s->r.window = 0;
    forget(&s->r.line, head);
    for (size_t i = 0; i < COUNT(s->r.recent); i++)
        forget(&s->r.recent[i], head);
    chunk_unref(head->chunk);
    free(head);
}

/* Lets go of what was read. */
static void settle(leat_stream *s)
{
    for (struct segment *next; (next = next_of(s->r.head)) && next->base <= s->r.consumed;)
        drop_head(s, next);
}

/* Begins a call: what is there now, the end first, because nothing is committed behind it. */
static void look(leat_stream *s)
{
    s->r.end = atomic_load_explicit(&s->end, memory_order_acquire);
    s->r.committed = atomic_load_explicit(&s->committed, memory_order_acquire);
    settle(s);
    struct segment *next, *head = s->r.head;
    s->r.window = (size_t)(end_of(s, head, &next) - s->r.consumed);
    if (s->r.window)
        s->r.at = head->data + (s->r.consumed - head->base);
}

static size_t left(const leat_stream *s)
{
    return (size_t)(s->r.committed - s->r.consumed);
}

/* A borrowed view needs its chunk until the next call. */
static COLD void leave_window(leat_stream *s, bool borrowed)
{
    s->r.window = 0;
    if (!borrowed)
        settle(s);
}

static inline void consume(leat_stream *s, size_t n, bool borrowed)
{
    s->r.consumed += n;
    if (n < s->r.window) {
        s->r.at += n;
        s->r.window -= n;
    } else
        leave_window(s, borrowed);
    atomic_store_explicit(&s->consumed, s->r.consumed, memory_order_release);
    stream_changed(s);
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* ---- answers ---- */

/* It can't go on without bytes up to there. */
static int not_yet(leat_stream *s, uint64_t wanted)
{
    if (wanted - s->r.consumed > s->limit)
        return -EMSGSIZE;
    if (atomic_load_explicit(&s->wanted, memory_order_relaxed) < wanted) {
        atomic_store_explicit(&s->wanted, wanted, memory_order_release);
        stream_changed(s);
    }
    return -EAGAIN;
}

static bool is_over(const leat_stream *s)
{
    return s->r.end && left(s) == 0;
}

static int end_code(const leat_stream *s)
{
    return MIN(s->r.end, 0);
}

/* The end as a view. */
static int say_end(const leat_stream *s, struct leat_view *ret)
{
    if (end_code(s) == 0)
        *ret = (struct leat_view){NULL, 0, NULL};
    return end_code(s);
}

/* There are fewer than n bytes. */
static int too_few(leat_stream *s, size_t n)
{
    if (s->r.end)
        return -ENODATA;
    return n > UINT64_MAX - s->r.consumed ? -EMSGSIZE : not_yet(s, s->r.consumed + n);
}

/* ---- views of a part ---- */

/* The segment that `at` is in, which is below `committed`; *end is where that ends. */
static struct segment *segment_at(leat_stream *s, uint64_t at, uint64_t *end)
{
    struct segment *segment = s->r.head, *next;
    while ((*end = end_of(s, segment, &next)) <= at)
        segment = next;
    return segment;
}

static void copy_out(leat_stream *s, uint64_t from, uint8_t *to, size_t n)
{
    uint64_t end;
    struct segment *next, *segment = segment_at(s, from, &end);
    for (;;) {
        size_t part = (size_t)MIN((uint64_t)n, end - from);
        memcpy(to, segment->data + (from - segment->base), part);
        from += part;
        to += part;
        n -= part;
        if (n == 0)
            return;
        end_of(s, segment, &next);
        segment = next;
        end = end_of(s, segment, &next);
    }
}

static int view_in_one(leat_stream *s, uint64_t from, size_t n, struct leat_view *ret)
{
    uint8_t *bytes;
    int r = view_copied(ret, n, &bytes);
    if (r == 0) {
        copy_out(s, from, bytes, n);
        count(&s->r.copied, n);
    }
    return r;
}

static int view_in_pieces(leat_stream *s, struct segment *first, uint64_t from, size_t n, struct leat_view *ret)
{
    uint64_t to = from + n;
    struct segment *next;
    size_t pieces = 1;
    for (struct segment *at = first; end_of(s, at, &next) < to; at = next)
        pieces++;
    struct bundle *bundle = view_bundle(pieces);
    if (!bundle)
        return -ENOMEM;
    for (struct segment *at = first; from < to; at = next) {
        uint64_t end = MIN(end_of(s, at, &next), to);
        view_bundle_add(bundle, at->chunk, at->data + (from - at->base), (size_t)(end - from));
        from = end;
    }
    *ret = view_of_bundle(bundle, n);
    return 0;
}

/* n bytes that are there, from `offset` unread ones on. */
static int view_of(leat_stream *s, size_t offset, size_t n, unsigned flags, struct leat_view *ret)
{
    uint64_t from = s->r.consumed + offset, end;
    if (n == 0) {
        *ret = (struct leat_view){"", 0, NULL};
        return 0;
    }
    struct segment *segment = segment_at(s, from, &end);
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

/* ---- peek, take, skip ---- */

static int peek(leat_stream *s, size_t n, struct leat_view *ret)
{
    look(s);
    if (n && is_over(s))
        return say_end(s, ret);
    return n > left(s) ? too_few(s, n) : view_of(s, 0, n, 0, ret);
}

int leat_stream_peek(leat_stream *s, size_t n, struct leat_view *ret)
{
    IN_SIDE(s->r);
    return peek(s, n, ret);
}

int leat_stream_take(leat_stream *s, size_t n, struct leat_view *ret)
{
    IN_SIDE(s->r);
    int r = peek(s, n, ret);
    if (r == 0)
        consume(s, ret->length, false);
    return r;
}

int leat_stream_take_at_most(leat_stream *s, size_t n, struct leat_view *ret)
{
    IN_SIDE(s->r);
    look(s);
    if (n && is_over(s))
        return say_end(s, ret);
    if (n && left(s) == 0)
        return not_yet(s, s->r.consumed + 1);
    int r = view_of(s, 0, MIN(n, left(s)), 0, ret);
    if (r == 0)
        consume(s, ret->length, false);
    return r;
}

int leat_stream_peek_piece(leat_stream *s, struct leat_view *ret)
{
    IN_SIDE(s->r);
    uint64_t end;
    look(s);
    if (is_over(s))
        return say_end(s, ret);
    if (left(s) == 0)
        return not_yet(s, s->r.consumed + 1);
    segment_at(s, s->r.consumed, &end);
    return view_of(s, 0, (size_t)(end - s->r.consumed), LEAT_STREAM_BORROW, ret);
}

int stream_peek_iov(leat_stream *s, struct iovec *ret, int most, int *ret_n)
{
    IN_SIDE(s->r);
    uint64_t end;
    look(s);
    if (left(s) == 0 && !s->r.end)
        return not_yet(s, s->r.consumed + 1);
    if (left(s) == 0 && end_code(s))
        return end_code(s);
    int n = 0;
    for (uint64_t at = s->r.consumed; n < most && at < s->r.committed; at = end) {
        struct segment *segment = segment_at(s, at, &end);
        ret[n++] = iov_of(segment->data + (at - segment->base), (size_t)(end - at));
    }
    *ret_n = n;
    return 0;
}

int leat_stream_read(leat_stream *s, void *bytes, size_t n, size_t *ret_n)
{
    IN_SIDE(s->r);
    look(s);
    if (n && is_over(s)) {
        if (end_code(s) == 0)
            *ret_n = 0;
        return end_code(s);
    }
    if (n && left(s) == 0)
        return not_yet(s, s->r.consumed + 1);
    n = MIN(n, left(s));
    if (n) {
        copy_out(s, s->r.consumed, bytes, n);
        consume(s, n, false);
    }
    *ret_n = n;
    return 0;
}

int leat_stream_skip(leat_stream *s, size_t n)
{
    IN_SIDE(s->r);
    look(s);
    if (n && is_over(s))
        return end_code(s) ? end_code(s) : -ENODATA;
    if (n > left(s))
        return too_few(s, n);
    consume(s, n, false);
    return 0;
}

int leat_stream_starts_with(leat_stream *s, const void *bytes, size_t n)
{
    IN_SIDE(s->r);
    look(s);
    size_t there = MIN(n, left(s));
    uint64_t at = s->r.consumed, to = at + there, end;
    for (const uint8_t *expected = bytes; at < to; at = end) {
        struct segment *segment = segment_at(s, at, &end);
        end = MIN(end, to);
        if (memcmp(segment->data + (at - segment->base), expected, (size_t)(end - at)) != 0)
            return 0;
        expected += end - at;
    }
    if (there == n)
        return 1;
    if (s->r.end)
        return is_over(s) ? end_code(s) : 0;
    return too_few(s, n);
}

/* ---- searches ---- */

/* The one that knows this needle, or the one that was not asked for the longest time. */
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

/* Is there a match within [start, end) of the stream? Then search->hit_at is where. */
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
        uint64_t segment_end = end_of(s, segment, &next);
        if (search->at < segment_end)
            search_feed(search, segment->data + (search->at - segment->base),
                        (size_t)(MIN(segment_end, to) - search->at));
        else
            segment = next;
    }
    search->place = segment;
    count(&s->r.searched, search->at - before);
    return search->hit;
}

static uint64_t position(const leat_stream *s, size_t offset)
{
    return offset > UINT64_MAX - s->r.consumed ? UINT64_MAX : s->r.consumed + offset;
}

int leat_stream_find(leat_stream *s, const void *needle, size_t n, size_t start, size_t end, size_t *ret)
{
    IN_SIDE(s->r);
    struct search *search;
    if (n == 0 || end < start)
        return -EINVAL;
    look(s);
    if (is_over(s))
        return end_code(s) ? end_code(s) : -ENODATA;
    if (end - start < n)
        return -ENODATA;
    int r = search_of(s, needle, n, &search);
    if (r < 0)
        return r;
    uint64_t to = end == SIZE_MAX ? UINT64_MAX : position(s, end);
    if (search_in(s, search, position(s, start), to)) {
        *ret = (size_t)(search->hit_at - s->r.consumed);
        return 0;
    }
    return s->r.end || to <= s->r.committed ? -ENODATA : not_yet(s, s->r.committed + 1);
}

/* The separator is not there. */
static int no_separator(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    if (!s->r.end)
        return not_yet(s, s->r.committed + 1);
    if (!(flags & LEAT_STREAM_REST))
        return -ENODATA;
    int r = view_of(s, 0, left(s), flags, ret);
    if (r == 0)
        consume(s, ret->length, flags & LEAT_STREAM_BORROW);
    return r;
}

/* Takes `length` bytes of which the first `n` are the answer. */
static int take_part(leat_stream *s, size_t n, size_t length, unsigned flags, struct leat_view *ret)
{
    int r = view_of(s, 0, n, flags, ret);
    if (r == 0)
        consume(s, length, flags & LEAT_STREAM_BORROW);
    return r;
}

int leat_stream_take_until(leat_stream *s, const void *separator, size_t n, unsigned flags, struct leat_view *ret)
{
    IN_SIDE(s->r);
    struct search *search;
    if (n == 0)
        return -EINVAL;
    look(s);
    if (is_over(s))
        return say_end(s, ret);
    int r = search_of(s, separator, n, &search);
    if (r < 0)
        return r;
    if (!search_in(s, search, s->r.consumed, UINT64_MAX))
        return no_separator(s, flags, ret);
    size_t length = (size_t)(search->hit_at - s->r.consumed);
    return take_part(s, flags & LEAT_STREAM_KEEP ? length + n : length, length + n, flags, ret);
}

static bool ends_in_return(leat_stream *s, size_t n)
{
    uint64_t end;
    if (n == 0)
        return false;
    uint64_t at = s->r.consumed + n - 1;
    struct segment *segment = segment_at(s, at, &end);
    return segment->data[at - segment->base] == '\r';
}

/* Is anything known of lines that are not taken yet? */
static inline bool knows_more(const struct reading *r)
{
    return r->line.at > r->consumed || (r->line.hit && r->line.hit_at >= r->consumed);
}

/* There is no newline in the window: the search goes on behind it. */
static COLD void seen_in_vain(struct reading *r)
{
    struct search *line = &r->line;
    line->from = r->consumed;
    line->at = r->consumed + r->window;
    line->matched = 0;
    line->hit = false;
    line->place = r->head;
    count(&r->searched, r->window);
}

/* Most lines lie in one chunk that the last call has looked at, and then this is all: no other thread is asked. */
static inline bool quick_line(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    struct reading *r = &s->r;
    if (!r->window || knows_more(r))
        return false;
    const uint8_t *at = r->at, *newline = memchr(at, '\n', r->window);
    if (!newline) {
        seen_in_vain(r);
        return false;
    }
    size_t n = (size_t)(newline - at), length = n + 1;
    bool borrow = flags & LEAT_STREAM_BORROW;
    if (flags & LEAT_STREAM_KEEP)
        n = length;
    else if (n && newline[-1] == '\r')
        n--;
    *ret = (struct leat_view){at, n, borrow ? NULL : chunk_ref(r->head->chunk)};
    count(&r->searched, length);
    consume(s, length, borrow);
    return true;
}

static COLD int take_line(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    struct search *line = &s->r.line;
    look(s);
    if (is_over(s))
        return say_end(s, ret);
    if (quick_line(s, flags, ret))
        return 0;
    if (!search_in(s, line, s->r.consumed, UINT64_MAX))
        return no_separator(s, flags, ret);
    size_t n = (size_t)(line->hit_at - s->r.consumed), length = n + 1;
    if (flags & LEAT_STREAM_KEEP)
        n++;
    else if (ends_in_return(s, n))
        n--;
    return take_part(s, n, length, flags, ret);
}

int leat_stream_take_line(leat_stream *s, unsigned flags, struct leat_view *ret)
{
    IN_SIDE(s->r);
    return quick_line(s, flags, ret) ? 0 : take_line(s, flags, ret);
}

/* ---- waiting ---- */

static bool has_more_than(leat_stream *s, uint64_t n)
{
    look(s);
    return left(s) > n || s->r.end;
}

int leat_stream_wait(leat_stream *s, size_t n, int timeout_ms)
{
    IN_SIDE(s->r);
    look(s);
    if (left(s) > n || s->r.end)
        return 0;
    int r = too_few(s, MIN(n, SIZE_MAX - 1) + 1);
    return r == -EAGAIN ? stream_sleep(s, has_more_than, n, timeout_ms) : r;
}
