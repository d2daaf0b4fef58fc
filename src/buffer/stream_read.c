/* SPDX-License-Identifier: MIT */
/* The reading calls that count bytes: peek, take, read, skip, and the wait for bytes. */
#include "buffer/reading.h"

static int peek(leat_stream *s, size_t n, struct leat_view *ret)
{
    reading_look(s);
    if (n && reading_is_over(s))
        return reading_say_end(s, ret);
    return n > reading_left(s) ? reading_too_few(s, n) : reading_view(s, 0, n, 0, ret);
}

int leat_stream_peek(leat_stream *s, size_t n, struct leat_view *ret_view)
{
    IN_SIDE(s->r);
    return peek(s, n, ret_view);
}

int leat_stream_take(leat_stream *s, size_t n, struct leat_view *ret_view)
{
    IN_SIDE(s->r);
    int r = peek(s, n, ret_view);
    if (r == 0)
        reading_consume(s, ret_view->length, false);
    return r;
}

int leat_stream_take_at_most(leat_stream *s, size_t n, struct leat_view *ret_view)
{
    IN_SIDE(s->r);
    reading_look(s);
    if (n && reading_is_over(s))
        return reading_say_end(s, ret_view);
    if (n && reading_left(s) == 0)
        return reading_not_yet(s, s->r.consumed + 1);
    int r = reading_view(s, 0, MIN(n, reading_left(s)), 0, ret_view);
    if (r == 0)
        reading_consume(s, ret_view->length, false);
    return r;
}

int leat_stream_peek_piece(leat_stream *s, struct leat_view *ret_view)
{
    IN_SIDE(s->r);
    uint64_t end;
    reading_look(s);
    if (reading_is_over(s))
        return reading_say_end(s, ret_view);
    if (reading_left(s) == 0)
        return reading_not_yet(s, s->r.consumed + 1);
    reading_segment_at(s, s->r.consumed, &end);
    return reading_view(s, 0, (size_t)(end - s->r.consumed), LEAT_STREAM_BORROW, ret_view);
}

int stream_peek_iov(leat_stream *s, struct iovec *ret, int most, int *ret_n)
{
    IN_SIDE(s->r);
    uint64_t end;
    reading_look(s);
    if (reading_left(s) == 0 && !s->r.end)
        return reading_not_yet(s, s->r.consumed + 1);
    if (reading_left(s) == 0 && reading_end_code(s))
        return reading_end_code(s);
    int n = 0;
    for (uint64_t at = s->r.consumed; n < most && at < s->r.committed; at = end) {
        struct segment *segment = reading_segment_at(s, at, &end);
        ret[n++] = iov_of(segment->data + (at - segment->base), (size_t)(end - at));
    }
    *ret_n = n;
    return 0;
}

int leat_stream_read(leat_stream *s, void *bytes, size_t n, size_t *ret_n)
{
    IN_SIDE(s->r);
    reading_look(s);
    if (n && reading_is_over(s)) {
        if (reading_end_code(s) == 0)
            *ret_n = 0;
        return reading_end_code(s);
    }
    if (n && reading_left(s) == 0)
        return reading_not_yet(s, s->r.consumed + 1);
    n = MIN(n, reading_left(s));
    if (n) {
        reading_copy(s, s->r.consumed, bytes, n);
        reading_consume(s, n, false);
    }
    *ret_n = n;
    return 0;
}

int leat_stream_skip(leat_stream *s, size_t n)
{
    IN_SIDE(s->r);
    reading_look(s);
    if (n && reading_is_over(s))
        return reading_end_code(s) ? reading_end_code(s) : -ENODATA;
    if (n > reading_left(s))
        return reading_too_few(s, n);
    reading_consume(s, n, false);
    return 0;
}

static bool has_more_than(leat_stream *s, uint64_t n)
{
    reading_look(s);
    return reading_left(s) > n || s->r.end;
}

int leat_stream_wait(leat_stream *s, size_t n, int timeout_ms)
{
    IN_SIDE(s->r);
    reading_look(s);
    if (reading_left(s) > n || s->r.end)
        return 0;
    int r = reading_too_few(s, MIN(n, SIZE_MAX - 1) + 1);
    return r == -EAGAIN ? stream_sleep(s, has_more_than, n, timeout_ms) : r;
}
