/* What the calls of a stream's reading side are made of: where it stands, the answers when there is too little, and
 * views of what is there. Every call begins with reading_look, but for the quick way of lines, which has a *window*:
 * the bytes from `at` to `until` are there, lie together, and no search has looked at them. Whatever looks closes it.
 */
#ifndef BUFFER_READING_H
#define BUFFER_READING_H

#include "buffer/stream.h"
#include "buffer/view.h"
#include <errno.h>

/* Begins a call: what is there now. */
void reading_look(leat_stream *s);

/* Unread bytes, as the call sees them. */
static inline size_t reading_left(const leat_stream *s)
{
    return (size_t)(s->r.committed - s->r.consumed);
}

/* Where a segment ends, as far as this call goes, and the one behind it, or NULL. */
uint64_t reading_end_of(leat_stream *s, struct segment *segment, struct segment **ret_next);
/* The segment that `at` is in, which is below `committed`; *ret_end is where that ends. */
struct segment *reading_segment_at(leat_stream *s, uint64_t at, uint64_t *ret_end);

/* ---- answers ---- */

/* It can't go on without bytes up to there. */
int reading_not_yet(leat_stream *s, uint64_t wanted);
/* There are fewer than n bytes. */
int reading_too_few(leat_stream *s, size_t n);
bool reading_is_over(const leat_stream *s);
int reading_end_code(const leat_stream *s);
/* The end as a view. */
int reading_say_end(const leat_stream *s, struct leat_view *ret);

/* ---- bytes ---- */

/* n bytes that are there, from `offset` unread ones on. */
int reading_view(leat_stream *s, size_t offset, size_t n, unsigned flags, struct leat_view *ret);
/* n bytes that are there, from this place of the stream on. */
void reading_copy(leat_stream *s, uint64_t from, uint8_t *to, size_t n);

static inline void reading_close_window(struct stream_reading *r)
{
    r->at = r->until = (const uint8_t *)"";
}

/* The window is used up, and with it perhaps what lies before it. A borrowed view needs its chunk until the next call.
 */
COLD void reading_leave_window(leat_stream *s, bool borrowed);

static inline void reading_consume(leat_stream *s, size_t n, bool borrowed)
{
    s->r.consumed += n;
    if (n < (size_t)(s->r.until - s->r.at))
        s->r.at += n;
    else
        reading_leave_window(s, borrowed);
    atomic_store_explicit(&s->consumed, s->r.consumed, memory_order_release);
    stream_changed(s);
}

/* A number for statistics, which only this side changes. */
static inline void reading_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
