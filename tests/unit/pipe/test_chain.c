/* SPDX-License-Identifier: MIT */
/* timeout: 120
 * Filters between the ends, on both backends: they see every byte once, in order, without a copy; the bound holds
 * through them; what is held back comes by flush and finish; their end and their failure reach both sides. */
#include "unit/pipe/backends.h"

#define MUCH (1024 * 1024)
static uint8_t much[2 * MUCH], back[4 * MUCH + 100];

static struct ends with(leat_filter *a, leat_filter *b, leat_filter *c, uint64_t limit)
{
    leat_filter *filters[] = {a, b, c};
    return open_with(backend, limit, 0, filters, c ? 3 : b ? 2 : 1);
}

static void observers_see_every_byte_once(void **state UNUSED)
{
    static const size_t sizes[] = {1, 100, 4095, 65537, 300000};
    struct watcher a = {.patterned = true}, b = {.patterned = true};
    struct ends e = with(watcher(&a), watcher(&b), NULL, 65536);
    struct call r = {.r = e.r, .bytes = back, .n = MUCH + 1, .timeout_ms = SOON};
    fill_pattern(much, 0, MUCH);
    start(&r, do_read);
    for (size_t sent = 0, i = 0, n; sent < MUCH; sent += n, i++) {
        n = MIN(sizes[i % COUNT(sizes)], MUCH - sent);
        assert_int_equal(leat_writer_write(e.w, much + sent, n, NULL, SOON), 0);
    }
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    wait_for(&r);
    assert_true(r.result == 0 && r.done == MUCH);
    is_pattern(back, 0, MUCH);
    assert_true(!a.bad && !b.bad && a.seen == MUCH && b.seen == MUCH && a.finished == 1 && a.finish_code == 0);
    close_both(e);
}

static void a_transform_changes_what_is_read(void **state UNUSED)
{
    struct doubler d = {.keep = 3, .trailer = "!"};
    struct ends e = with(doubler(&d), NULL, NULL, 0);
    puts_text(e.w, "abcdef");
    gives_text(e.r, "aabbcc"); /* nobody had to flush for what is not held back */
    assert_int_equal(leat_writer_flush(e.w, -1), 0);
    gives_text(e.r, "ddeeff");
    puts_text(e.w, "g");
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    gives_text(e.r, "gg!");
    gives_code(e.r, 0);
    close_both(e);
    assert_true(d.started == 1 && d.finished == 1 && d.finish_code == 0 && d.frees == 1);
}

/* Output that grows, through chunks of a few bytes, several of them. */
/* What had no room in one chunk comes in the next one, though there is no input left to go with it. */
static void a_transform_that_was_full_is_asked_again(void **state UNUSED)
{
    struct doubler d = {0};
    leat_filter *filter = doubler(&d);
    struct ends e = open_with(LEAT_PIPE_QUEUE, 64, 3, &filter, 1);
    puts_text(e.w, "ab");
    gives_text(e.r, "aabb");
    puts_text(e.w, "c");
    gives_text(e.r, "cc");
    close_both(e);
}

static void transforms_follow_each_other(void **state UNUSED)
{
    struct doubler d[2] = {{.keep = 5, .trailer = "x"}, {.keep = 7}};
    struct watcher w = {0};
    struct ends e = with(doubler(&d[0]), watcher(&w), doubler(&d[1]), backend == LEAT_PIPE_KERNEL ? 4096 : 3);
    struct call call = {.w = e.w, .bytes = much, .n = 1000, .timeout_ms = SOON};
    size_t done;
    fill_pattern(much, 0, 1000);
    start(&call, do_write);
    assert_int_equal(leat_reader_read_full(e.r, back, 3000, &done, SOON), 0);
    struct call f = {.w = e.w};
    start(&f, do_finish);
    assert_int_equal(leat_reader_read_full(e.r, back + 3000, 2000, &done, SOON), 0);
    wait_for(&call);
    wait_for(&f);
    assert_true(call.result == 0 && f.result == 0 && done == 1002);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(back[i], pattern(i / 4));
    assert_memory_equal(back + 4000, "xx", 2);
    assert_int_equal(w.seen, 2001);
    close_both(e);
}

/* 4 MiB without a reader stop the writer at 4 MiB, whatever is in between. */
static void the_limit_holds_through_filters(void **state UNUSED)
{
    static const uint64_t limits[] = {4096, 65536, 4194304};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct doubler d[2] = {{.keep = 1}, {.keep = 2}};
        struct watcher w = {0};
        struct ends e = with(doubler(&d[0]), watcher(&w), doubler(&d[1]), limits[i]);
        struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
        size_t done, all = 0;
        while (leat_writer_write(e.w, much, MUCH, &done, 0) == 0)
            all += done;
        all += done;
        leat_writer_stats(e.w, &s);
        assert_true(s.high_water <= limits[i]);
        assert_true(all <= limits[i] * (backend == LEAT_PIPE_KERNEL ? 2 : 1));
        assert_int_equal(leat_writer_write(e.w, much, 1, NULL, 5), -ETIMEDOUT);
        assert_int_equal(leat_writer_write(e.w, much, 1, NULL, 0), -EAGAIN);
        leat_reader_close(e.r);
        assert_int_equal(leat_writer_finish(e.w, -1), -EPIPE);
        leat_writer_close(e.w);
        assert_int_equal(d[0].finish_code, -EPIPE);
    }
}

/* A reader that comes later takes what lies in the chain, though no writer calls again. */
static void small_writes_do_not_wait_for_a_flush(void **state UNUSED)
{
    struct watcher w = {0};
    struct ends e = with(watcher(&w), NULL, NULL, 0);
    char bytes[10];
    size_t done;
    puts_text(e.w, "abc");
    assert_int_equal(leat_reader_read(e.r, bytes, sizeof(bytes), &done, 0), 0);
    assert_int_equal(done, 3);
    struct call r = {.r = e.r, .bytes = back, .n = 3, .timeout_ms = SOON};
    start(&r, do_read);
    let_it_block();
    puts_text(e.w, "def");
    wait_for(&r);
    assert_true(r.result == 0 && r.done == 3 && w.chunks == 2);
    for (int i = 0; i < 1000; i++)
        puts_text(e.w, "x");
    assert_int_equal(leat_writer_flush(e.w, -1), 0);
    assert_int_equal(w.chunks, 3); /* they were gathered */
    assert_int_equal(leat_reader_read_full(e.r, back, 1000, &done, 0), 0);
    close_both(e);
}

static void a_filter_s_failure_reaches_both_sides(void **state UNUSED)
{
    struct doubler d = {.fail_at = 4, .fail_code = -EBADMSG};
    struct watcher w = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct ends e = with(watcher(&w), doubler(&d), NULL, 0);
    puts_text(e.w, "abcdefgh");
    leat_writer_flush(e.w, -1);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, SOON), -EPIPE);
    assert_int_equal(leat_writer_finish(e.w, -1), -EPIPE);
    assert_int_equal(leat_writer_error(e.w, &error), 0);
    assert_true(error.code == -EBADMSG && error.side == LEAT_SIDE_FILTER && error.index == 1);
    assert_string_equal(error.node, "doubler");
    assert_non_null(strstr(error.text, "does not like"));
    gives_text(e.r, "aabbccdd");
    gives_code(e.r, -EBADMSG);
    gives_code(e.r, -EBADMSG);
    assert_int_equal(leat_reader_error(e.r, &error), 0);
    assert_string_equal(error.node, "doubler");
    close_both(e);
    assert_true(d.finish_code == -EBADMSG && w.finish_code == -EBADMSG);
}

static void an_observer_s_failure_too(void **state UNUSED)
{
    struct watcher w = {.fail_at = 10, .fail_code = -ENOKEY};
    struct ends e = with(watcher(&w), NULL, NULL, 0);
    puts_text(e.w, "good");
    assert_int_equal(leat_writer_flush(e.w, -1), 0);
    puts_text(e.w, "not so good");
    assert_int_equal(leat_writer_flush(e.w, -1), -EPIPE);
    gives_text(e.r, "good");
    gives_code(e.r, -ENOKEY);
    close_both(e);
}

static void a_filter_that_fails_at_the_end_is_no_end(void **state UNUSED)
{
    struct watcher w = {.fail_finish = -EIO};
    struct ends e = with(watcher(&w), NULL, NULL, 0);
    puts_text(e.w, "abc");
    assert_int_equal(leat_writer_finish(e.w, -1), -EPIPE);
    gives_text(e.r, "abc");
    gives_code(e.r, -EIO);
    close_both(e);
}

static void a_filter_that_wants_no_more_ends_the_stream(void **state UNUSED)
{
    struct doubler d = {.end_at = 3};
    struct watcher w = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct ends e = with(doubler(&d), watcher(&w), NULL, 0);
    assert_int_equal(leat_writer_write(e.w, "abcdef", 6, NULL, SOON), 0);
    assert_int_equal(leat_writer_flush(e.w, -1), -EPIPE);
    gives_text(e.r, "aabbcc");
    gives_code(e.r, 0);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, SOON), -EPIPE);
    assert_int_equal(leat_writer_error(e.w, &error), 0);
    assert_true(error.code == -EPIPE && strstr(error.text, "no more"));
    assert_int_equal(leat_writer_fail(e.w, -EPIPE), 0); /* as after any error; it was a good end */
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    gives_code(e.r, 0);
    close_both(e);
    assert_int_equal(d.finish_code, 0);
}

static void closing_the_reader_ends_a_finish_that_waits(void **state UNUSED)
{
    struct doubler d = {.keep = 50};
    struct ends e = with(doubler(&d), NULL, NULL, 4096);
    struct call f = {.w = e.w};
    size_t done;
    while (leat_writer_write(e.w, much, 4096, &done, 0) == 0)
        ;
    start(&f, do_finish);
    let_it_block();
    leat_reader_close(e.r);
    wait_for(&f);
    assert_int_equal(f.result, -EPIPE);
    leat_writer_close(e.w);
}

static void failing_never_waits_for_room(void **state UNUSED)
{
    struct doubler d = {.keep = 50};
    struct ends e = with(doubler(&d), NULL, NULL, 4096);
    size_t done, got;
    while (leat_writer_write(e.w, much, 4096, &done, 0) == 0)
        ;
    assert_int_equal(leat_writer_fail(e.w, -EIO), 0);
    assert_int_equal(leat_reader_read_full(e.r, back, sizeof(back), &got, SOON), -EIO);
    assert_true(got > 0);
    close_both(e);
}

/* ---- built-in filters ---- */

static void the_digest_is_that_of_the_bytes(void **state UNUSED)
{
    leat_filter *digest;
    char hex[LEAT_DIGEST_HEX_MAX];
    int r = leat_filter_digest(&digest, "sha256", NULL, NULL);
    unit_needs(r != -ELIBACC, "libcrypto");
    assert_int_equal(r, 0);
    leat_filter_ref(digest);
    struct ends e = with(digest, NULL, NULL, 0);
    puts_text(e.w, "ab");
    gives_text(e.r, "ab");
    puts_text(e.w, "c");
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    assert_int_equal(leat_filter_digest_hex(digest, "sha256", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    gives_text(e.r, "c");
    close_both(e);
    assert_int_equal(leat_filter_digest_reset(digest), 0);
    leat_filter_free(digest);
}

static void a_digest_of_much_on_its_own_thread(void **state UNUSED)
{
    struct leat_digest_options options = LEAT_INIT(struct leat_digest_options);
    leat_filter *digest;
    char hex[2][LEAT_DIGEST_HEX_MAX];
    uint64_t bytes;
    options.threads = 1;
    fill_pattern(much, 0, MUCH);
    for (int i = 0; i < 2; i++) {
        int r = leat_filter_digest(&digest, "sha256", &options, NULL);
        unit_needs(r != -ELIBACC, "libcrypto");
        assert_int_equal(r, 0);
        leat_filter_ref(digest);
        struct ends e = with(digest, NULL, NULL, i ? 4096 : 0);
        struct call w = {.w = e.w, .bytes = much, .n = MUCH, .timeout_ms = SOON};
        start(&w, do_write);
        assert_int_equal(leat_reader_read_full(e.r, back, MUCH, NULL, SOON), 0);
        wait_for(&w);
        is_pattern(back, 0, MUCH);
        finish_and_close(e.w);
        gives_code(e.r, 0);
        leat_reader_close(e.r);
        assert_int_equal(leat_filter_digest_hex(digest, "sha256", hex[i], sizeof(hex[i])), 0);
        leat_filter_bytes(digest, &bytes);
        assert_int_equal(bytes, MUCH);
        leat_filter_free(digest);
    }
    assert_string_equal(hex[0], hex[1]);
}

static void meter_and_rate_count_and_pace(void **state UNUSED)
{
    leat_filter *meter, *rate;
    uint64_t bytes;
    assert_int_equal(leat_filter_meter(&meter), 0);
    assert_int_equal(leat_filter_rate(&rate, 100000), 0);
    leat_filter_ref(meter);
    struct ends e = with(meter, rate, NULL, 0);
    struct call w = {.w = e.w, .bytes = much, .n = 20000, .timeout_ms = SOON};
    size_t done;
    fill_pattern(much, 0, 20000);
    int64_t began = clock_ns();
    start(&w, do_write);
    assert_int_equal(leat_reader_read_full(e.r, back, 20000, &done, SOON), 0);
    assert_true(clock_ns() - began > 100000000); /* 0.2 s but for the first burst */
    wait_for(&w);
    is_pattern(back, 0, 20000);
    leat_filter_bytes(meter, &bytes);
    assert_int_equal(bytes, 20000);
    assert_int_equal(leat_writer_write(e.w, much, 20000, &done, 0), -EAGAIN); /* so much may not pass at once */
    assert_int_equal(leat_writer_write(e.w, much, 20000, &done, 1), -ETIMEDOUT);
    close_both(e);
    leat_filter_free(meter);
}

/* Behind a transform it is the reader who waits for what may pass. */
static void a_reader_waits_for_what_is_paced(void **state UNUSED)
{
    struct doubler d = {0};
    leat_filter *rate;
    assert_int_equal(leat_filter_rate(&rate, 20000), 0);
    struct ends e = with(doubler(&d), rate, NULL, 0);
    size_t done;
    assert_int_equal(leat_writer_write(e.w, much, 1000, &done, 0), 0);
    assert_int_equal(leat_reader_read_full(e.r, back, 2000, &done, SOON), 0);
    assert_int_equal(done, 2000);
    close_both(e);
}

/* ---- refusals ---- */

static int refused(leat_filter **filters, size_t n, uint64_t limit, uint64_t chunk, const char *words)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_writer *w = NULL;
    leat_reader *r = NULL;
    options.backend = backend;
    options.memory_limit = limit;
    options.chunk_size = chunk;
    options.filters = filters;
    options.filter_count = n;
    int code = leat_pipe_open(&w, &r, &options, &error);
    assert_true(code < 0 && !w && !r && error.code == code);
    if (!strstr(error.text, words))
        fail_msg("'%s' has no '%s'", error.text, words);
    return code;
}

static void what_can_t_be_is_refused_with_a_sentence(void **state UNUSED)
{
    static const struct filter_ops joins = {.name = "exec", .caps = FILTER_JOINS, .free = watcher_free};
    struct doubler d[2];
    memset(d, 0, sizeof(d));
    struct watcher w = {0};
    leat_filter child, *two[] = {doubler(&d[0]), doubler(&d[1])}, *one[] = {&child};
    int descriptors = unit_descriptors();
    unit_needs(backend != LEAT_PIPE_KERNEL || has_sized_pipes(), "pipes of a chosen size");
    if (backend == LEAT_PIPE_QUEUE)
        assert_int_equal(refused(two, 2, 2, 0, "at least 3 bytes"), -EINVAL);
    else
        assert_int_equal(refused(two, 2, 100, 0, "4096"), -EINVAL);
    assert_true(d[0].frees == 1 && d[1].frees == 1 && d[0].started == 0);
    filter_init(&child, &joins);
    assert_int_equal(refused(one, 1, 0, 0, "into a pipeline"), -EOPNOTSUPP);
    one[0] = watcher(&w);
    two[0] = two[1] = one[0];
    leat_filter_ref(one[0]);
    assert_int_equal(refused(two, 2, 0, 0, "twice"), -EBUSY);
    assert_false(atomic_load(&w.filter.busy));
    assert_int_equal(refused(NULL, 0, 4096, 5000, "larger than the memory limit"), -EINVAL);
    two[0] = doubler(&d[0]);
    two[1] = doubler(&d[1]);
    if (backend == LEAT_PIPE_QUEUE)
        assert_int_equal(refused(two, 2, 4096, 2048, "one of its own"), -EINVAL);
    assert_int_equal(unit_descriptors(), descriptors);
}

static void a_filter_serves_one_pipe_at_a_time(void **state UNUSED)
{
    struct watcher w = {0};
    leat_filter *one = watcher(&w);
    leat_filter_ref(one);
    leat_filter_ref(one);
    struct ends e = with(one, NULL, NULL, 0);
    assert_int_equal(refused(&one, 1, 0, 0, "in use"), -EBUSY);
    close_both(e);
    e = with(one, NULL, NULL, 0);
    close_both(e);
}

#define TEST_BOTH(f) cmocka_unit_test_setup(f, on_queue), cmocka_unit_test_setup(f, on_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(observers_see_every_byte_once),
        TEST_BOTH(a_transform_changes_what_is_read),
        cmocka_unit_test(a_transform_that_was_full_is_asked_again),
        TEST_BOTH(transforms_follow_each_other),
        TEST_BOTH(the_limit_holds_through_filters),
        TEST_BOTH(small_writes_do_not_wait_for_a_flush),
        TEST_BOTH(a_filter_s_failure_reaches_both_sides),
        TEST_BOTH(an_observer_s_failure_too),
        TEST_BOTH(a_filter_that_fails_at_the_end_is_no_end),
        TEST_BOTH(a_filter_that_wants_no_more_ends_the_stream),
        TEST_BOTH(closing_the_reader_ends_a_finish_that_waits),
        TEST_BOTH(failing_never_waits_for_room),
        TEST_BOTH(the_digest_is_that_of_the_bytes),
        TEST_BOTH(a_digest_of_much_on_its_own_thread),
        TEST_BOTH(meter_and_rate_count_and_pace),
        TEST_BOTH(a_reader_waits_for_what_is_paced),
        TEST_BOTH(what_can_t_be_is_refused_with_a_sentence),
        TEST_BOTH(a_filter_serves_one_pipe_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
