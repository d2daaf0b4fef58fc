/* SPDX-License-Identifier: MIT */
/* A stream against a flat array of the same bytes: whatever is asked of both, the answers are the same, with chunks of
 * one byte and up, bounds, an end or a failure. LEAT_TEST_QUICK in the environment takes a sample; LEAT_SOAK_SECONDS
 * goes on for so long, and LEAT_SOAK_SEED begins with that seed. */
#include "base/op.h"
#include "unit/unit.h"
#include <leat/stream.h>
#include <stdbool.h>
#include <time.h>

#define MOST 4096 /* bytes that are unread at once */

struct model {
    leat_pool *pool;
    leat_stream *stream;
    uint64_t random;
    uint8_t bytes[MOST]; /* what is unread */
    size_t length;
    int end; /* 0, 1, or the code */
    size_t foreign, released;
    struct leat_view kept; /* of long ago */
    uint8_t kept_bytes[MOST];
};

static uint64_t next(struct model *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random;
}

static size_t below(struct model *m, size_t n)
{
    return (size_t)(next(m) % n);
}

/* Small ones more often. */
static size_t some(struct model *m, size_t most)
{
    return below(m, 1 + below(m, most + 1));
}

/* The same, but no more than the array has room for. */
static size_t fitting(struct model *m, size_t most)
{
    size_t n = some(m, most);
    return MIN(n, MOST - m->length);
}

/* Few different bytes, so that separators are found, and almost found. */
static void make(struct model *m, uint8_t *to, size_t n)
{
    static const char letters[] = "ab\r\nab\na";
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)letters[below(m, sizeof(letters) - 1)];
}

static void same(const struct leat_view *view, const uint8_t *bytes, size_t n)
{
    assert_int_equal(view->length, n);
    assert_int_equal(leat_view_compare_bytes(view, bytes, n), 0);
    if (n <= LEAT_VIEW_SMALL)
        assert_non_null(view->data);
}

static void drop(struct model *m, size_t n)
{
    memmove(m->bytes, m->bytes + n, m->length - n);
    m->length -= n;
}

/* What every read says when nothing is left; true if that was the case. */
static bool is_over(struct model *m, int r, const struct leat_view *view)
{
    if (!m->end || m->length)
        return false;
    assert_int_equal(r, m->end == 1 ? 0 : m->end);
    if (r == 0) {
        assert_null(view->data);
        assert_int_equal(view->length, 0);
    }
    return true;
}

static int too_few(const struct model *m)
{
    return m->end ? -ENODATA : -EAGAIN;
}

/* ---- the writing side ---- */

static void add(struct model *m, const uint8_t *bytes, size_t n)
{
    memcpy(m->bytes + m->length, bytes, n);
    m->length += n;
}

static void do_reserve(struct model *m)
{
    void *room;
    size_t n, hint = some(m, 64), used;
    int r = leat_stream_reserve(m->stream, hint, &room, &n);
    if (m->end) {
        assert_int_equal(r, -EPIPE);
        assert_int_equal(leat_stream_commit(m->stream, 0), -EINVAL);
        return;
    }
    assert_int_equal(r, 0);
    assert_true(n >= 1);
    assert_int_equal(leat_stream_reserve(m->stream, 1, &room, &n), -EBUSY);
    assert_int_equal(leat_stream_append(m->stream, "x", 1), -EBUSY);
    assert_int_equal(leat_stream_commit(m->stream, n + 1), -EINVAL);
    used = fitting(m, n);
    make(m, room, used);
    add(m, room, used);
    assert_int_equal(leat_stream_commit(m->stream, used), 0);
    assert_int_equal(leat_stream_commit(m->stream, used), -EINVAL);
}

static void do_append(struct model *m)
{
    uint8_t bytes[300];
    size_t n = fitting(m, sizeof(bytes));
    size_t cut = some(m, n);
    struct iovec pieces[] = {{bytes, cut}, {NULL, 0}, {bytes + cut, n - cut}};
    make(m, bytes, n);
    int r = cut % 2 ? leat_stream_append(m->stream, bytes, n) : leat_stream_append_iov(m->stream, pieces, 3);
    assert_int_equal(r, m->end ? -EPIPE : 0);
    if (r == 0)
        add(m, bytes, n);
}

static void released(void *user, const void *bytes, size_t n)
{
    struct model *m = user;
    m->released++;
    void *made = iov_of(bytes, n).iov_base;
    memset(made, 'X', n); /* whoever still looks at them is found out */
    free(made);
}

static void do_append_ref(struct model *m)
{
    size_t n = fitting(m, 300);
    uint8_t *bytes = malloc(n + 1);
    make(m, bytes, n);
    int r = leat_stream_append_ref(m->stream, bytes, n, released, m);
    assert_int_equal(r, m->end ? -EPIPE : 0);
    if (r < 0) {
        free(bytes);
        return;
    }
    m->foreign++;
    if (n) /* else it is released already */
        add(m, bytes, n);
}

static void do_append_view(struct model *m)
{
    struct leat_view view;
    size_t n = fitting(m, 200);
    if (n > m->length || leat_stream_peek(m->stream, n, &view) < 0)
        return;
    int r = leat_stream_append_view(m->stream, &view);
    if (!view.length)
        assert_int_equal(r, m->end ? -EPIPE : 0);
    else if (r == 0)
        add(m, m->bytes, n);
    leat_view_release(&view);
    assert_true(r == 0 || (r == -EPIPE && m->end));
}

static void do_finish(struct model *m)
{
    if (below(m, 200))
        return;
    int code = below(m, 2) ? 0 : -ECONNRESET;
    assert_int_equal(leat_stream_finish(m->stream, EIO), -EINVAL);
    int r = leat_stream_finish(m->stream, code);
    assert_int_equal(r, m->end ? -EPIPE : 0);
    if (!m->end)
        m->end = code < 0 ? code : 1;
}

/* ---- the reading side ---- */

static void do_peek(struct model *m)
{
    struct leat_view view = {NULL, 0, NULL};
    size_t n = some(m, 2 * LEAT_VIEW_SMALL);
    int r = leat_stream_peek(m->stream, n, &view);
    if (n && is_over(m, r, &view))
        return;
    assert_int_equal(r, n > m->length ? too_few(m) : 0);
    if (r == 0)
        same(&view, m->bytes, n);
    leat_view_release(&view);
}

static void keep(struct model *m, struct leat_view *view)
{
    leat_view_release(&m->kept);
    m->kept = *view;
    leat_view_copy(view, 0, m->kept_bytes, view->length);
}

static void do_take(struct model *m)
{
    struct leat_view view = {NULL, 0, NULL};
    size_t n = some(m, 2 * LEAT_VIEW_SMALL);
    bool most = below(m, 2);
    int r = most ? leat_stream_take_at_most(m->stream, n, &view) : leat_stream_take(m->stream, n, &view);
    if (n && is_over(m, r, &view))
        return;
    if (most && m->length)
        n = MIN(n, m->length);
    assert_int_equal(r, n > m->length ? too_few(m) : 0);
    if (r < 0)
        return;
    same(&view, m->bytes, n);
    drop(m, n);
    keep(m, &view);
}

static void do_look_back(struct model *m)
{
    if (!m->kept.length)
        return;
    size_t offset = below(m, m->kept.length), n = some(m, m->kept.length - offset);
    struct leat_view part;
    assert_int_equal(leat_view_compare_bytes(&m->kept, m->kept_bytes, m->kept.length), 0);
    assert_int_equal(leat_view_slice(&m->kept, offset, n, &part), 0);
    same(&part, m->kept_bytes + offset, n);
    assert_int_equal(leat_view_join(&part), 0);
    same(&part, m->kept_bytes + offset, n);
    leat_view_release(&part);
    assert_int_equal(leat_view_slice(&m->kept, offset, m->kept.length - offset + 1, &part), -ERANGE);
}

static void do_read(struct model *m)
{
    uint8_t bytes[200];
    size_t n = some(m, sizeof(bytes)), got = SIZE_MAX;
    int r = leat_stream_read(m->stream, bytes, n, &got);
    if (n && m->length == 0) {
        assert_int_equal(r, !m->end ? -EAGAIN : m->end == 1 ? 0 : m->end);
        assert_true(r == 0 ? got == 0 : got == SIZE_MAX);
        return;
    }
    assert_int_equal(r, 0);
    assert_int_equal(got, MIN(n, m->length));
    assert_memory_equal(bytes, m->bytes, got);
    drop(m, got);
}

static void do_skip(struct model *m)
{
    size_t n = some(m, 300);
    int r = leat_stream_skip(m->stream, n);
    if (n && m->length == 0 && m->end)
        assert_int_equal(r, m->end == 1 ? -ENODATA : m->end);
    else
        assert_int_equal(r, n > m->length ? too_few(m) : 0);
    if (r == 0)
        drop(m, n);
}

/* A separator that may well be there. */
static size_t needle(struct model *m, uint8_t *to, size_t most)
{
    size_t n = 1 + some(m, most - 1);
    make(m, to, n);
    if (m->length && below(m, 2)) {
        size_t at = below(m, m->length);
        n = MIN(n, m->length - at);
        memcpy(to, m->bytes + at, n);
    }
    return n;
}

static size_t find(const struct model *m, const uint8_t *bytes, size_t n, size_t start, size_t end)
{
    for (size_t i = start; i + n <= MIN(end, m->length) && n <= m->length; i++)
        if (memcmp(m->bytes + i, bytes, n) == 0)
            return i;
    return SIZE_MAX;
}

static void do_find(struct model *m)
{
    uint8_t bytes[80];
    size_t n = needle(m, bytes, sizeof(bytes)), at = SIZE_MAX;
    size_t start = some(m, m->length + 10), end = below(m, 2) ? SIZE_MAX : start + some(m, m->length + 10);
    int r = leat_stream_find(m->stream, bytes, n, start, end, &at);
    size_t expected = find(m, bytes, n, start, end);
    if (expected != SIZE_MAX) {
        assert_int_equal(r, 0);
        assert_int_equal(at, expected);
    } else if (m->end && !m->length)
        assert_int_equal(r, m->end == 1 ? -ENODATA : m->end);
    else
        assert_int_equal(r, m->end || end <= m->length || end - start < n ? -ENODATA : -EAGAIN);
    assert_int_equal(leat_stream_find(m->stream, bytes, 0, 0, SIZE_MAX, &at), -EINVAL);
}

static void do_starts_with(struct model *m)
{
    uint8_t bytes[80];
    size_t n = needle(m, bytes, sizeof(bytes)), there = MIN(n, m->length);
    if (below(m, 2))
        memcpy(bytes, m->bytes, there);
    int r = leat_stream_starts_with(m->stream, bytes, n);
    if (m->end && !m->length)
        assert_int_equal(r, MIN(m->end, 0));
    else if (memcmp(bytes, m->bytes, there) != 0)
        assert_int_equal(r, 0);
    else
        assert_int_equal(r, there == n ? 1 : m->end ? 0 : -EAGAIN);
}

static unsigned flags(struct model *m)
{
    return (unsigned)below(m, 16);
}

static void check_taken(struct model *m, int r, const struct leat_view *view, size_t at, size_t n, size_t answer,
                        unsigned f)
{
    if (at == SIZE_MAX && !(m->end && f & LEAT_STREAM_REST)) {
        assert_int_equal(r, too_few(m));
        return;
    }
    assert_int_equal(r, 0);
    if (at == SIZE_MAX)
        answer = n = m->length;
    same(view, m->bytes, answer);
    if (f & LEAT_STREAM_JOIN)
        assert_non_null(view->data);
    drop(m, n);
}

static void do_take_until(struct model *m)
{
    uint8_t bytes[80];
    struct leat_view view = {NULL, 0, NULL};
    size_t n = needle(m, bytes, sizeof(bytes)), at = find(m, bytes, n, 0, SIZE_MAX);
    unsigned f = flags(m);
    int r = leat_stream_take_until(m->stream, bytes, n, f, &view);
    if (is_over(m, r, &view))
        return;
    check_taken(m, r, &view, at, at + n, f & LEAT_STREAM_KEEP ? at + n : at, f);
    leat_view_release(&view);
}

static void do_take_line(struct model *m)
{
    struct leat_view view = {NULL, 0, NULL};
    unsigned f = flags(m);
    size_t at = find(m, (const uint8_t *)"\n", 1, 0, SIZE_MAX), answer = at;
    if (at != SIZE_MAX && at > 0 && m->bytes[at - 1] == '\r')
        answer--;
    int r = leat_stream_take_line(m->stream, f, &view);
    if (is_over(m, r, &view))
        return;
    check_taken(m, r, &view, at, at + 1, f & LEAT_STREAM_KEEP ? at + 1 : answer, f);
    leat_view_release(&view);
}

static void do_piece(struct model *m)
{
    struct leat_view view = {NULL, 0, NULL};
    int r = leat_stream_peek_piece(m->stream, &view);
    if (is_over(m, r, &view))
        return;
    assert_int_equal(r, m->length ? 0 : -EAGAIN);
    if (r < 0)
        return;
    assert_null(view.owner);
    assert_in_range(view.length, 1, m->length);
    same(&view, m->bytes, view.length);
}

/* ---- all of it ---- */

static void (*const operations[])(struct model *) = {
    do_reserve, do_reserve,    do_append,    do_append_ref, do_append_view, do_finish,
    do_peek,    do_take,       do_read,      do_skip,       do_starts_with, do_find,
    do_find,    do_take_until, do_take_line, do_take_line,  do_piece,       do_look_back,
};

static void run(uint64_t seed, size_t chunk, unsigned count)
{
    struct leat_pool_options pool = {.size = sizeof(pool), .chunk_min = chunk, .chunk_max = chunk << (seed % 4)};
    struct model *m = calloc(1, sizeof(*m));
    m->random = seed * 0x9E3779B97F4A7C15u + chunk;
    assert_int_equal(leat_pool_new(&m->pool, &pool, NULL), 0);
    assert_int_equal(leat_stream_new(&m->stream, m->pool, NULL, NULL), 0);
    leat_pool_free(m->pool); /* the stream keeps it */
    for (unsigned i = 0; i < count && !(m->end && below(m, 20) == 0); i++) {
        operations[below(m, COUNT(operations))](m);
        assert_int_equal(leat_stream_length(m->stream), m->length);
        assert_int_equal(leat_stream_ended(m->stream), m->end != 0);
    }
    leat_stream_free(m->stream);
    do_look_back(m);
    leat_view_release(&m->kept);
    assert_int_equal(m->foreign, m->released);
    free(m);
}

static void it_is_what_an_array_would_be(void **state UNUSED)
{
    const char *seconds = getenv("LEAT_SOAK_SECONDS"), *seed = getenv("LEAT_SOAK_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;
    unsigned rounds = getenv("LEAT_TEST_QUICK") ? 60 : 1100;
    time_t until = seconds ? time(NULL) + atol(seconds) : 0;
    for (uint64_t i = first; until ? time(NULL) < until : i < first + rounds; i++)
        for (size_t chunk = 1; chunk <= 256; chunk *= 4) {
            if (until)
                fprintf(stderr, "\rLEAT_SOAK_SEED=%llu", (unsigned long long)i);
            run(i, chunk, 600);
        }
}

/* ---- every cut ---- */

static void take_across(const char *message, size_t n, size_t cut, size_t separator, size_t at, leat_pool *pool)
{
    leat_stream *stream;
    struct leat_view view;
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, message, cut), 0);
    int r = leat_stream_take_until(stream, message + at, separator, 0, &view);
    assert_int_equal(r, cut >= at + separator ? 0 : -EAGAIN);
    assert_int_equal(leat_stream_append(stream, message + cut, n - cut), 0);
    if (r < 0)
        assert_int_equal(leat_stream_take_until(stream, message + at, separator, 0, &view), 0);
    same(&view, (const uint8_t *)message, at);
    assert_int_equal(leat_stream_length(stream), n - at - separator);
    leat_view_release(&view);
    leat_stream_free(stream);
}

static void every_cut_with_every_separator(void **state UNUSED)
{
    char message[64];
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (char)(32 + i); /* all different: what stands at `at` is found there */
    size_t step = getenv("LEAT_TEST_QUICK") ? 5 : 1;
    for (size_t chunk = 1; chunk <= 64; chunk *= 2) {
        struct leat_pool_options options = {.size = sizeof(options), .chunk_min = chunk, .chunk_max = chunk};
        leat_pool *pool;
        assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
        for (size_t separator = 1; separator <= 64; separator++)
            for (size_t cut = 0; cut <= 64; cut += step)
                for (size_t at = 0; at + separator <= 64; at += separator > 8 ? 7 : 3)
                    take_across(message, sizeof(message), cut, separator, at, pool);
        leat_pool_free(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_an_array_would_be),
        cmocka_unit_test(every_cut_with_every_separator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
