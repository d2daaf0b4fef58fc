/* SPDX-License-Identifier: MIT */
/* Any bytes as a list of operations on a stream, two for each: what, and how much. A flat array says what must come
 * out. */
// instrumented: buffer/stream buffer/reading buffer/stream_read buffer/stream_find buffer/stream_write
// instrumented: buffer/view buffer/pool buffer/search buffer/chunk
#include <errno.h>
#include <leat/stream.h>
#include <stdlib.h>
#include <string.h>

#define MOST 8192

struct flat {
    leat_stream *stream;
    uint8_t bytes[MOST];
    size_t from, to; /* what is unread */
    int ended;
    struct leat_view kept;
    size_t kept_from;
};

static void must(int right)
{
    if (!right)
        abort();
}

/* The next bytes: few different ones, so that needles are found. */
static const uint8_t *make(struct flat *f, size_t n)
{
    for (size_t i = f->to; i < f->to + n; i++)
        f->bytes[i] = (uint8_t) "ab\r\n"[(i * 7 + i / 5 + n) % 4];
    return f->bytes + f->to;
}

static void wrote(struct flat *f, int r, size_t n)
{
    must(r == (f->ended ? -EPIPE : 0));
    f->to += r == 0 ? n : 0;
}

static void reserve(struct flat *f, size_t n)
{
    void *room;
    size_t got;
    int r = leat_stream_reserve(f->stream, n, &room, &got);
    if (r == 0) {
        n = n < got ? n : got;
        must(leat_stream_commit(f->stream, got + 1) == -EINVAL);
        memcpy(room, make(f, n), n);
        must(leat_stream_commit(f->stream, n) == 0);
    }
    wrote(f, r, n);
}

static void append_pieces(struct flat *f, size_t n)
{
    const uint8_t *bytes = make(f, n);
    uint8_t copy[256];
    memcpy(copy, bytes, n);
    struct iovec pieces[] = {{copy, n / 3}, {copy + n / 3, n - n / 3}};
    wrote(f, leat_stream_append_iov(f->stream, pieces, 2), n);
}

/* The array stays where it is: it may as well be referred to. */
static void append_ref(struct flat *f, size_t n)
{
    wrote(f, leat_stream_append_ref(f->stream, make(f, n), n, NULL, NULL), n);
}

static void same(const struct flat *f, const struct leat_view *view, size_t n)
{
    must(view->length == n && leat_view_compare_bytes(view, f->bytes + f->from, n) == 0);
}

static void too_few(const struct flat *f, int r)
{
    must(r == (f->ended ? f->to == f->from ? 0 : -ENODATA : -EAGAIN));
}

static void take(struct flat *f, size_t n)
{
    struct leat_view view;
    int r = leat_stream_take(f->stream, n, &view);
    if (n > f->to - f->from) {
        too_few(f, r);
        return;
    }
    must(r == 0);
    same(f, &view, n);
    leat_view_release(&f->kept);
    f->kept = view;
    f->kept_from = f->from;
    f->from += n;
}

static size_t find(const struct flat *f, const uint8_t *needle, size_t n)
{
    for (size_t i = f->from; i + n <= f->to; i++)
        if (memcmp(f->bytes + i, needle, n) == 0)
            return i - f->from;
    return SIZE_MAX;
}

static void take_until(struct flat *f, size_t n)
{
    struct leat_view view;
    const uint8_t *needle = f->bytes + n % (f->to + 1); /* may lie behind what was read, or before it */
    n = 1 + n % 9;
    size_t at = find(f, needle, n);
    int r = leat_stream_take_until(f->stream, needle, n, LEAT_STREAM_BORROW, &view);
    if (at == SIZE_MAX) {
        too_few(f, r);
        return;
    }
    must(r == 0);
    same(f, &view, at);
    leat_view_release(&view);
    f->from += at + n;
}

static void take_line(struct flat *f, size_t n)
{
    struct leat_view view;
    size_t at = find(f, (const uint8_t *)"\n", 1), length = at;
    int r = leat_stream_take_line(f->stream, n & 15 & ~(unsigned)(LEAT_STREAM_KEEP | LEAT_STREAM_REST), &view);
    if (at == SIZE_MAX) {
        too_few(f, r);
        return;
    }
    must(r == 0);
    if (at && f->bytes[f->from + at - 1] == '\r')
        length--;
    same(f, &view, length);
    leat_view_release(&view);
    f->from += at + 1;
}

static void finish(struct flat *f, size_t n)
{
    if (n % 8)
        return;
    must(leat_stream_finish(f->stream, 0) == (f->ended ? -EPIPE : 0));
    f->ended = 1;
}

static void look_back(struct flat *f, size_t n)
{
    struct leat_view part;
    must(leat_view_compare_bytes(&f->kept, f->bytes + f->kept_from, f->kept.length) == 0);
    if (n > f->kept.length || !f->kept.length)
        return;
    must(leat_view_slice(&f->kept, n, f->kept.length - n, &part) == 0);
    must(leat_view_compare_bytes(&part, f->bytes + f->kept_from + n, part.length) == 0);
    leat_view_release(&part);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static void (*const operations[])(struct flat *, size_t) = {reserve,    append_pieces, append_ref, take,
                                                                take_until, take_line,     finish,     look_back};
    struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
    struct flat *f = calloc(1, sizeof(*f));
    leat_pool *pool;
    options.chunk_min = n ? UINT64_C(1) << bytes[0] % 8 : 1;
    options.chunk_max = 4 * options.chunk_min;
    must(f && leat_pool_new(&pool, &options, NULL) == 0 && leat_stream_new(&f->stream, pool, NULL, NULL) == 0);
    for (size_t i = 1; i + 1 < n && f->to < MOST - 256; i += 2) {
        operations[bytes[i] % 8](f, bytes[i + 1]);
        must(leat_stream_length(f->stream) == f->to - f->from);
    }
    leat_stream_free(f->stream);
    look_back(f, 0);
    leat_view_release(&f->kept);
    leat_pool_free(pool);
    free(f);
    return 0;
}
