/* SPDX-License-Identifier: MIT */
/* Helpers for the calls of a stream's reading side: its position, the results if there are too few bytes, and views of
 * bytes. Every call starts with reading_look, except the fast path of lines. That path has a *window*: the bytes from
 * `at` to `until` are there and contiguous, and no search has looked at them. reading_look closes the window. */
#ifndef BUFFER_READING_H
#define BUFFER_READING_H

#include "buffer/stream.h"
#include "buffer/view.h"
#include <errno.h>

/* Starts a call: loads how many bytes there are, and whether the stream has ended. */
void reading_look(leat_stream *s);

/* Returns the number of unread bytes that this call sees. */
static inline size_t reading_left(const leat_stream *s)
{
    return (size_t)(s->r.committed - s->r.consumed);
}

/* Returns the end of a segment, at most `committed` as this call sees it. *ret_next is the next segment, or NULL. */
uint64_t reading_end_of(leat_stream *s, struct segment *segment, struct segment **ret_next);
/* Returns the segment that has the byte at position `at`, which is below `committed`; *ret_end is the end of the
 * segment. */
struct segment *reading_segment_at(leat_stream *s, uint64_t at, uint64_t *ret_end);

/* ---- results ---- */

/* The result of a call that needs the bytes up to position `wanted`: announces that to the writer, and returns -EAGAIN.
 * -EMSGSIZE: that would be more unread bytes than the limit. */
int reading_not_yet(leat_stream *s, uint64_t wanted);
/* The result of a call that needs n unread bytes and sees fewer: that of reading_not_yet, or -ENODATA after the end. */
int reading_too_few(leat_stream *s, size_t n);
bool reading_is_over(const leat_stream *s);
int reading_end_code(const leat_stream *s);
/* The result of a call at the end: an empty view with data NULL and 0, or the code of the end. */
int reading_say_end(const leat_stream *s, struct leat_view *ret);

/* ---- bytes ---- */

/* Makes a view of n unread bytes, which are there, `offset` bytes after the first unread one. 0 or -ENOMEM. */
int reading_view(leat_stream *s, size_t offset, size_t n, unsigned flags, struct leat_view *ret);
/* Copies n bytes, which are there, from position `from` of the stream. */
void reading_copy(leat_stream *s, uint64_t from, uint8_t *to, size_t n);

/* Closes the window when all its bytes are read, and frees the segments that are read, unless the view of this call is
 * borrowed: such a view needs its chunk until the next call. */
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

/* Adds to a number for statistics that only the reading side changes. */
static inline void reading_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
