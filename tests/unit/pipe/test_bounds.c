/* SPDX-License-Identifier: MIT */
/* Every call of a pipe that may wait has a time limit, goes on after it, and an end is closed without waiting for the
 * other one.
 *
 * emscripten: it has threads that wait */
#include "unit/pipe/pipes.h"

#define MUCH 50000

static uint8_t much[MUCH], back[2 * MUCH + 10];

static const int backends[] = {LEAT_PIPE_QUEUE, LEAT_PIPE_KERNEL};

/* A doubler that has got all of `much`, and gives `trailer` at its end, in a pipe that is full. */
static struct ends open_full(int backend, struct doubler *d, size_t keep, size_t *ret_n)
{
    leat_filter *filter = doubler(d);
    d->keep = keep;
    struct ends e = open_with(backend, 8192, 1024, &filter, 1);
    int r = 0;
    fill_pattern(much, 0, MUCH);
    for (*ret_n = 0; r == 0;) {
        size_t done;
        r = leat_writer_write(e.w, much + *ret_n, MUCH - *ret_n, &done, 0);
        *ret_n += done;
    }
    assert_int_equal(r, -EAGAIN);
    return e;
}

static void is_doubled(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], pattern(i / 2));
}

/* Reads all, with calls of the writer in between that never wait. Returns how many bytes there were. */
static size_t read_beside(struct ends e, int (*call)(leat_writer *w, int timeout_ms), size_t most)
{
    size_t got = 0, n;
    int r = -EAGAIN;
    while (got < most || r == -EAGAIN) {
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(call(e.w, 1), -ETIMEDOUT);
        assert_int_equal(leat_reader_read(e.r, back + got, MIN(700, sizeof(back) - got), &n, SOON), 0);
        got += n;
        r = call(e.w, 0);
        if (r == 0)
            break;
    }
    assert_int_equal(r, 0);
    while (leat_reader_read(e.r, back + got, sizeof(back) - got, &n, 0) == 0 && n > 0)
        got += n;
    return got;
}

static void a_finish_goes_on_after_a_timeout(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct doubler d = {.trailer = "the end"};
        size_t n;
        struct ends e = open_full(backends[i], &d, 60, &n);
        assert_int_equal(leat_writer_finish(e.w, 0), -EAGAIN);
        assert_int_equal(leat_writer_finish(e.w, 20), -ETIMEDOUT);
        assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, 0), -EPIPE); /* the end has begun */
        size_t got = read_beside(e, leat_writer_finish, 2 * n);
        assert_int_equal(got, 2 * n + 7);
        is_doubled(back, 2 * n);
        assert_memory_equal(back + 2 * n, "the end", 7);
        assert_int_equal(leat_writer_finish(e.w, 0), 0);
        gives_code(e.r, 0);
        close_both(e);
    }
}

/* The reader works off the rest itself; no other call of the writer is needed. */
static void a_reader_gets_the_end_of_a_finish_that_timed_out(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct doubler d = {.trailer = "the end"};
        size_t n, got;
        struct ends e = open_full(backends[i], &d, 60, &n);
        assert_int_equal(leat_writer_finish(e.w, 0), -EAGAIN);
        assert_int_equal(leat_reader_read_full(e.r, back, sizeof(back), &got, SOON), 0);
        assert_int_equal(got, 2 * n + 7);
        is_doubled(back, 2 * n);
        gives_code(e.r, 0);
        assert_int_equal(leat_writer_finish(e.w, 0), 0);
        close_both(e);
    }
}

static void a_flush_goes_on_after_a_timeout(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct doubler d = {.trailer = NULL};
        size_t n;
        struct ends e = open_full(backends[i], &d, 60, &n);
        assert_int_equal(leat_writer_flush(e.w, 0), -EAGAIN);
        assert_int_equal(read_beside(e, leat_writer_flush, 0), 2 * n);
        is_doubled(back, 2 * n);
        assert_int_equal(d.finished, 0);
        close_both(e);
    }
}

/* A transform that has more to give is asked again in the same mode, though the reader helps before the flush is
 * repeated. */
static void a_flush_that_timed_out_is_asked_for_again(void **state UNUSED)
{
    struct doubler d = {.trailer = NULL};
    size_t n, got;
    struct ends e = open_full(LEAT_PIPE_QUEUE, &d, 60, &n);
    assert_int_equal(leat_writer_flush(e.w, 0), -EAGAIN);
    assert_int_equal(leat_reader_read_full(e.r, back, 2 * n - 120, &got, SOON), 0);
    assert_int_equal(leat_writer_flush(e.w, 0), 0);
    assert_int_equal(leat_reader_read_full(e.r, back + got, 120, &n, 0), 0);
    is_doubled(back, got + n);
    close_both(e);
}

/* With timeout 0 or a short one a call does not wait for a call of another thread either. */
static void a_finish_does_not_wait_longer_for_another_call(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct ends e = open_pipe(backends[i], 4096);
        static uint8_t bytes[1 << 20];
        struct call w = {.w = e.w, .bytes = bytes, .n = sizeof(bytes), .timeout_ms = -1};
        start(&w, do_write);
        let_it_block();
        int r = leat_writer_finish(e.w, 10);
        assert_int_equal(r, -ETIMEDOUT);
        assert_int_equal(leat_writer_flush(e.w, 0), -EAGAIN);
        assert_int_equal(leat_writer_commit(e.w, 0, 0), -EAGAIN);
        leat_writer_close(e.w);
        wait_for(&w);
        assert_int_equal(w.result, -ECANCELED);
        leat_reader_close(e.r);
    }
}

/* What fits is there, and what follows is no end. */
static void a_close_does_not_wait_and_is_no_end(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct doubler d = {.trailer = "the end"};
        struct leat_error error = LEAT_INIT(struct leat_error);
        size_t n, got;
        struct ends e = open_full(backends[i], &d, 60, &n);
        leat_writer_close(e.w); /* no reader is there yet: it can't have waited */
        assert_int_equal(leat_reader_read_full(e.r, back, sizeof(back), &got, SOON), -ECANCELED);
        assert_true(got >= 4096 - 1024 && got <= 2 * n);
        is_doubled(back, got);
        gives_code(e.r, -ECANCELED);
        leat_reader_error(e.r, &error);
        assert_int_equal(error.code, -ECANCELED);
        assert_non_null(strstr(error.text, "closed before"));
        leat_reader_close(e.r);
        assert_int_equal(d.finished, 1);
        assert_int_equal(d.finish_code, -ECANCELED);
    }
}

static void without_filters_a_close_is_no_end_either(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct ends e = open_pipe(backends[i], 0);
        puts_text(e.w, "half of it");
        leat_writer_close(e.w);
        gives_text(e.r, "half of it");
        gives_code(e.r, -ECANCELED);
        leat_reader_close(e.r);
    }
}

/* The end had begun, and nobody has worked it off. */
static void a_close_after_a_finish_that_timed_out_is_no_end(void **state UNUSED)
{
    struct doubler d = {.trailer = "the end"};
    size_t n, got;
    struct ends e = open_full(LEAT_PIPE_QUEUE, &d, 60, &n);
    assert_int_equal(leat_writer_finish(e.w, 0), -EAGAIN);
    leat_writer_close(e.w);
    assert_int_equal(leat_reader_read_full(e.r, back, sizeof(back), &got, SOON), -ECANCELED);
    is_doubled(back, got);
    leat_reader_close(e.r);
}

static void a_finish_that_waits_ends_by_a_close(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct doubler d = {.trailer = "the end"};
        size_t n;
        struct ends e = open_full(backends[i], &d, 60, &n);
        struct call f = {.w = e.w};
        start(&f, do_finish);
        let_it_block();
        leat_writer_close(e.w);
        wait_for(&f);
        assert_int_equal(f.result, -ECANCELED);
        leat_reader_close(e.r);
    }
}

static void a_consume_does_not_wait_for_another_read(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_QUEUE, 0);
    uint8_t bytes[10];
    const void *peeked;
    size_t n;
    puts_text(e.w, "abc");
    assert_int_equal(leat_reader_peek(e.r, &peeked, &n, 0), 0);
    struct call r = {.r = e.r, .bytes = bytes, .n = sizeof(bytes), .timeout_ms = -1};
    start(&r, do_read);
    let_it_block();
    int code = leat_reader_consume(e.r, 1);
    assert_true(code == -EBUSY || code == 0); /* 0: the other call had not begun */
    finish_and_close(e.w);
    wait_for(&r);
    assert_int_equal(r.result, 0);
    leat_reader_close(e.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finish_goes_on_after_a_timeout),
        cmocka_unit_test(a_reader_gets_the_end_of_a_finish_that_timed_out),
        cmocka_unit_test(a_flush_goes_on_after_a_timeout),
        cmocka_unit_test(a_flush_that_timed_out_is_asked_for_again),
        cmocka_unit_test(a_finish_does_not_wait_longer_for_another_call),
        cmocka_unit_test(a_close_does_not_wait_and_is_no_end),
        cmocka_unit_test(without_filters_a_close_is_no_end_either),
        cmocka_unit_test(a_close_after_a_finish_that_timed_out_is_no_end),
        cmocka_unit_test(a_finish_that_waits_ends_by_a_close),
        cmocka_unit_test(a_consume_does_not_wait_for_another_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
