/* SPDX-License-Identifier: MIT */
/* Views written into a pipe by reference: not copied, kept until they were read and no longer, whatever becomes of the
 * pipe; among other writes, through filters, with any limit. What is given back is overwritten, so who still looks at
 * it is found out. */
#include "base/op.h"
#include "unit/pipe/backends.h"
#include <leat/stream.h>

static atomic_uint released;

static void overwrite(void *user UNUSED, const void *bytes, size_t n)
{
    void *made = iov_of(bytes, n).iov_base;
    memset(made, 'X', n);
    free(made);
    atomic_fetch_add(&released, 1);
}

/* A view of the pattern from `from` on, in so many pieces; the stream it came through is gone. */
static struct leat_view view_of_pattern(uint64_t from, size_t n, size_t pieces)
{
    leat_stream *stream;
    struct leat_view view;
    assert_int_equal(leat_stream_new(&stream, NULL, NULL, NULL), 0);
    for (size_t i = 0, at = 0; i < pieces; i++) {
        size_t part = i + 1 < pieces ? n / pieces : n - at;
        uint8_t *bytes = aligned_alloc(4096, (part + 4095) / 4096 * 4096);
        fill_pattern(bytes, from + at, part);
        assert_int_equal(leat_stream_append_ref(stream, bytes, part, overwrite, NULL), 0);
        at += part;
    }
    assert_int_equal(leat_stream_take(stream, n, &view), 0);
    leat_stream_free(stream);
    atomic_store(&released, 0);
    return view;
}

static void write_and_release(leat_writer *w, struct leat_view *view)
{
    size_t n = view->length, done = 0;
    assert_int_equal(leat_writer_write_view(w, view, &done, SOON), 0);
    assert_int_equal(done, n);
    leat_view_release(view);
}

static void read_pattern(leat_reader *r, uint64_t from, size_t n)
{
    uint8_t *bytes = malloc(n);
    size_t done;
    assert_int_equal(leat_reader_read_full(r, bytes, n, &done, SOON), 0);
    assert_int_equal(done, n);
    is_pattern(bytes, from, n);
    free(bytes);
}

static void it_is_not_copied_and_kept_until_it_was_read(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 1 << 20);
    struct leat_view view = view_of_pattern(0, 3 * 65536, 1);
    struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
    const void *at = view.data, *peeked;
    size_t n;
    write_and_release(e.w, &view);
    if (backend == LEAT_PIPE_QUEUE) {
        assert_int_equal(leat_reader_peek(e.r, &peeked, &n, SOON), 0);
        assert_ptr_equal(peeked, at);
    } else {
        leat_writer_stats(e.w, &stats);
        assert_true(stats.zero_copy || !has_sized_pipes());
    }
    if (backend == LEAT_PIPE_QUEUE || stats.zero_copy)
        assert_int_equal(atomic_load(&released), 0);
    read_pattern(e.r, 0, 3 * 65536 - 1);
    if (backend == LEAT_PIPE_QUEUE || stats.zero_copy)
        assert_int_equal(atomic_load(&released), 0);
    read_pattern(e.r, 3 * 65536 - 1, 1);
    assert_true(atomic_load(&released) == 1 || backend == LEAT_PIPE_KERNEL); /* there the writer finds out */
    close_both(e);
    assert_int_equal(atomic_load(&released), 1);
}

static void what_is_small_is_copied(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 1 << 20);
    for (unsigned i = 0; i < 1000; i++) { /* more than there are chunks, and nobody reads yet */
        struct leat_view view = view_of_pattern(i * 100, 100, 1);
        write_and_release(e.w, &view);
        assert_int_equal(atomic_load(&released), 1);
    }
    read_pattern(e.r, 0, 100000);
    close_both(e);
}

static void refused_ones_change_nothing(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 65536);
    struct leat_view view = view_of_pattern(0, 200000, 3), none = {NULL, 0, NULL}, borrowed = {"abc", 3, NULL}, rest;
    size_t done = 7;
    assert_int_equal(leat_writer_write_view(e.w, &borrowed, &done, SOON), -EINVAL);
    assert_int_equal(done, 0);
    assert_int_equal(leat_writer_write_view(e.w, &none, &done, SOON), 0);
    assert_int_equal(leat_writer_write_view(e.w, &view, &done, 0), -EAGAIN);
    assert_in_range(done, 1, 199999);
    read_pattern(e.r, 0, done); /* no more than was said */
    assert_int_equal(leat_view_slice(&view, done, 30000, &rest), 0);
    leat_view_release(&view);
    write_and_release(e.w, &rest); /* it goes on there */
    read_pattern(e.r, done, 30000);
    close_both(e);
    assert_int_equal(atomic_load(&released), 3);
}

/* What was said to be in is in. */
static void a_failure_comes_behind_it(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 1 << 20);
    struct leat_view view = view_of_pattern(0, 100000, 2);
    write_and_release(e.w, &view);
    leat_writer_fail(e.w, -EOWNERDEAD);
    finish_and_close(e.w);
    read_pattern(e.r, 0, 100000);
    gives_code(e.r, -EOWNERDEAD);
    leat_reader_close(e.r);
    assert_int_equal(atomic_load(&released), 2);
}

static void *write_much(void *user)
{
    struct call *c = user;
    struct leat_view view = view_of_pattern(0, c->n, 4);
    c->result = leat_writer_write_view(c->w, &view, &c->done, c->timeout_ms);
    leat_view_release(&view);
    return NULL;
}

static void a_reader_that_leaves_lets_go_of_all(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 65536);
    struct call c = {.w = e.w, .n = 1 << 20, .timeout_ms = SOON};
    start(&c, write_much);
    read_pattern(e.r, 0, 1000);
    let_it_block();
    leat_reader_close(e.r);
    wait_for(&c);
    assert_int_equal(c.result, -EPIPE);
    assert_in_range(c.done, 1000, (1 << 20) - 1);
    finish_and_close(e.w);
    assert_int_equal(atomic_load(&released), 4);
}

static void filters_see_it_too(void **state UNUSED)
{
    struct doubler d = {0};
    leat_filter *filters[2], *digest;
    char hex[65];
    assert_int_equal(leat_filter_digest(&digest, "crc32c", NULL, NULL), 0);
    filters[0] = leat_filter_ref(digest);
    filters[1] = doubler(&d);
    struct ends e = open_with(backend, 1 << 20, 0, filters, 2);
    struct leat_view view = view_of_pattern(0, 100000, 2);
    uint8_t *bytes = malloc(200000);
    size_t done;
    write_and_release(e.w, &view);
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    assert_int_equal(leat_reader_read_full(e.r, bytes, 200000, &done, SOON), 0);
    assert_int_equal(done, 200000);
    for (size_t i = 0; i < 100000; i++)
        if (bytes[2 * i] != pattern(i) || bytes[2 * i + 1] != pattern(i))
            fail_msg("byte %zu is another one", i);
    free(bytes);
    assert_int_equal(atomic_load(&released), 2);
    assert_int_equal(leat_filter_digest_hex(digest, "crc32c", hex, sizeof(hex)), 0);
    leat_filter_free(digest);
    close_both(e);
}

static void a_filter_that_wants_no_more_lets_go_of_it(void **state UNUSED)
{
    leat_filter *head;
    assert_int_equal(leat_filter_head(&head, 70000), 0);
    struct ends e = open_with(backend, 1 << 20, 0, &head, 1);
    struct leat_view view = view_of_pattern(0, 200000, 2);
    size_t done;
    assert_int_equal(leat_writer_write_view(e.w, &view, &done, SOON), -EPIPE);
    assert_int_equal(done, 70000);
    leat_view_release(&view);
    read_pattern(e.r, 0, 70000);
    gives_code(e.r, 0);
    close_both(e);
    assert_int_equal(atomic_load(&released), 2);
}

/* Who has the descriptor reads when it likes: then there has to be a copy. */
static void who_reads_elsewhere_gets_a_copy(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 65536);
    struct leat_view view = view_of_pattern(0, 50000, 1);
    uint8_t bytes[50000];
    int fd;
    assert_int_equal(leat_reader_fd(e.r, &fd), 0);
    write_and_release(e.w, &view);
    assert_int_equal(atomic_load(&released), 1);
    for (size_t got = 0; got < sizeof(bytes);) {
        ssize_t n = read(fd, bytes + got, sizeof(bytes) - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    is_pattern(bytes, 0, sizeof(bytes));
    close_both(e);
}

/* ---- at random, from thread to thread ---- */

#define TOTAL (getenv("LEAT_TEST_QUICK") ? 1u << 20 : 8u << 20)

/* At least 1, at most `most`, and at most `left`. */
static size_t some(uint64_t *random, size_t most, size_t left)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    size_t n = 1 + (size_t)(*random >> 33) % most;
    return MIN(n, left);
}

static void *write_any(void *user)
{
    struct call *c = user;
    uint64_t random = c->n;
    uint8_t bytes[5000];
    for (size_t at = 0, n; at < c->n && c->result == 0; at += n) {
        bool by_view = some(&random, 2, 2) == 1;
        n = some(&random, by_view ? 100000 : sizeof(bytes), c->n - at);
        if (by_view) {
            struct leat_view view = view_of_pattern(at, n, some(&random, 4, n));
            c->result = leat_writer_write_view(c->w, &view, NULL, SOON);
            leat_view_release(&view);
        } else {
            fill_pattern(bytes, at, n);
            c->result = leat_writer_write(c->w, bytes, n, NULL, SOON);
        }
    }
    finish_and_close(c->w);
    return NULL;
}

static void among_other_writes_nothing_is_lost(void **state UNUSED)
{
    static const uint64_t limits[] = {1, 100, 4096, 20000, 65536, 1 << 20};
    for (size_t i = 0; i < COUNT(limits); i++) {
        if (backend == LEAT_PIPE_KERNEL && limits[i] < 4096)
            continue;
        struct ends e = open_pipe(backend, limits[i]);
        struct call c = {.w = e.w, .n = limits[i] < 4096 ? 20000 : TOTAL};
        uint64_t random = i;
        size_t at = 0;
        start(&c, write_any);
        for (size_t n; at < c.n; at += n) {
            n = some(&random, 70000, c.n - at);
            read_pattern(e.r, at, n);
        }
        gives_code(e.r, 0);
        wait_for(&c);
        assert_int_equal(c.result, 0);
        leat_reader_close(e.r);
    }
}

#define TEST_BOTH(f) cmocka_unit_test_setup(f, on_queue), cmocka_unit_test_setup(f, on_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(it_is_not_copied_and_kept_until_it_was_read),
        TEST_BOTH(what_is_small_is_copied),
        TEST_BOTH(refused_ones_change_nothing),
        TEST_BOTH(a_failure_comes_behind_it),
        TEST_BOTH(a_reader_that_leaves_lets_go_of_all),
        TEST_BOTH(filters_see_it_too),
        TEST_BOTH(a_filter_that_wants_no_more_lets_go_of_it),
        cmocka_unit_test(who_reads_elsewhere_gets_a_copy),
        TEST_BOTH(among_other_writes_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
