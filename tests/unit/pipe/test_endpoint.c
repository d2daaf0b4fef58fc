/* SPDX-License-Identifier: MIT */
/* timeout: 120
 * engines: uring, uring:all
 * The ends of pipes as source and sink of pipelines: all bytes arrive, what failed on one side fails on the other, and
 * nobody waits for ever. */
#include "unit/flow/pipelines.h"
#include "unit/pipe/backends.h"

#define MUCH (3 * 1024 * 1024)
static uint8_t much[MUCH], back[MUCH + 1];

static leat_endpoint *source_of(struct ends *e)
{
    leat_endpoint *endpoint;
    assert_int_equal(leat_endpoint_from_reader(&endpoint, e->r), 0);
    e->r = NULL;
    return endpoint;
}

static leat_endpoint *sink_of(struct ends *e)
{
    leat_endpoint *endpoint;
    assert_int_equal(leat_endpoint_from_writer(&endpoint, e->w), 0);
    e->w = NULL;
    return endpoint;
}

struct run {
    pthread_t thread;
    leat_pipeline *p;
    int result;
};

static void *do_run(void *user)
{
    struct run *run = user;
    run->result = run_and_free(run->p);
    return NULL;
}

static void begin(struct run *run, leat_endpoint *source, leat_endpoint *sink)
{
    run->p = pipeline_of(NULL, source, sink);
    assert_int_equal(pthread_create(&run->thread, NULL, do_run, run), 0);
}

static int result(struct run *run)
{
    pthread_join(run->thread, NULL);
    return run->result;
}

static void what_is_written_arrives(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 65536);
    struct run run;
    size_t got = 0;
    fill_pattern(much, 0, MUCH);
    memset(back, 0, sizeof(back));
    begin(&run, source_of(&e), to_bytes(back, sizeof(back), &got));
    for (size_t sent = 0, n; sent < MUCH; sent += n) {
        n = MIN(MUCH - sent, 1 + sent % 100000);
        assert_int_equal(leat_writer_write(e.w, much + sent, n, NULL, SOON), 0);
        if (sent % 7 == 0)
            usleep(100);
    }
    finish_and_close(e.w);
    assert_int_equal(result(&run), 0);
    assert_int_equal(got, MUCH);
    is_pattern(back, 0, MUCH);
}

static void what_a_pipeline_writes_is_read(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 65536);
    struct run run;
    size_t done;
    fill_pattern(much, 0, MUCH);
    begin(&run, from_bytes(much, MUCH), sink_of(&e));
    for (size_t got = 0; got < MUCH; got += done) {
        assert_int_equal(leat_reader_read(e.r, back, 1 + got % 100000, &done, SOON), 0);
        assert_true(done > 0);
        is_pattern(back, got, done);
        if (got % 7 == 0)
            usleep(100);
    }
    gives_code(e.r, 0);
    assert_int_equal(result(&run), 0);
    leat_reader_close(e.r);
}

static void from_pipe_to_pipe_through_filters(void **state UNUSED)
{
    struct watcher w = {.patterned = true}, v = {.patterned = true};
    leat_filter *a = watcher(&w), *b = watcher(&v);
    struct ends in = open_with(backend, 65536, 0, &a, 1), out = open_with(backend, 65536, 0, &b, 1);
    struct call c = {.w = in.w, .bytes = much, .n = MUCH, .timeout_ms = SOON};
    struct run run;
    size_t done;
    fill_pattern(much, 0, MUCH);
    begin(&run, source_of(&in), sink_of(&out));
    start(&c, do_write);
    assert_int_equal(leat_reader_read_full(out.r, back, MUCH - 1, &done, SOON), 0);
    wait_for(&c);
    finish_and_close(in.w);
    assert_int_equal(leat_reader_read_full(out.r, back + MUCH - 1, 2, &done, SOON), 0);
    assert_int_equal(done, 1);
    is_pattern(back, 0, MUCH);
    assert_int_equal(result(&run), 0);
    leat_reader_close(out.r);
    assert_true(w.seen == MUCH && v.seen == MUCH && !w.bad && !v.bad);
}

static void a_failed_writer_fails_the_pipeline(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    struct run run;
    size_t got = 77;
    begin(&run, source_of(&e), to_bytes(back, sizeof(back), &got));
    puts_text(e.w, "abc");
    assert_int_equal(leat_writer_fail(e.w, -ENOKEY), 0);
    assert_int_equal(result(&run), -ENOKEY);
    assert_int_equal(got, 77);
    leat_writer_close(e.w);
}

static void a_failed_pipeline_fails_the_writer(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    struct gate g = {.go = true, .result = -EDOM};
    struct run run;
    begin(&run, gate(&g), sink_of(&e));
    gives_code(e.r, -EDOM);
    assert_int_equal(result(&run), -EDOM);
    leat_reader_close(e.r);
}

static void a_failed_pipeline_closes_the_reader(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct run run;
    size_t done;
    begin(&run, source_of(&e), to_bytes(back, 10, NULL));
    assert_int_equal(leat_writer_write(e.w, much, MUCH, &done, SOON), -EPIPE);
    assert_int_equal(result(&run), -ENOSPC);
    leat_writer_close(e.w);
}

static void a_reader_that_leaves_fails_the_pipeline(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct run run;
    begin(&run, from_bytes(much, MUCH), sink_of(&e));
    let_it_block();
    leat_reader_close(e.r);
    assert_int_equal(result(&run), -EPIPE);
}

/* More than any of these pipes holds. */
static const char *trailer(void)
{
    static char text[100001];
    memset(text, 't', sizeof(text) - 1);
    return text;
}

/* All bytes are written, and the filter has no room for its last ones, because nobody reads. */
static void a_pipeline_waits_for_the_end_no_longer_than_it_may(void **state UNUSED)
{
    for (int cancels = 0; cancels < 2; cancels++) {
        struct doubler d = {.keep = 60, .trailer = "the end"};
        leat_filter *filter = doubler(&d);
        struct ends e = open_with(backend, 8192, 1024, &filter, 1);
        size_t done, n = 2010; /* the doubled bytes nearly fill it */
        fill_pattern(much, 0, n);
        d.trailer = trailer();
        leat_pipeline *p = pipeline_of(NULL, from_bytes(much, n), sink_of(&e));
        assert_int_equal(leat_pipeline_start(p), 0);
        assert_int_equal(leat_pipeline_wait(p, 50, NULL), -ETIMEDOUT);
        if (cancels)
            leat_pipeline_cancel(p);
        else
            assert_int_equal(leat_reader_read_full(e.r, back, MUCH, &done, SOON), 0);
        assert_int_equal(leat_pipeline_wait(p, SOON, NULL), cancels ? -ECANCELED : 0);
        leat_pipeline_free(p);
        if (cancels)
            assert_int_equal(leat_reader_read_full(e.r, back, MUCH, &done, SOON), -ECANCELED);
        else
            assert_int_equal(done, 2 * n + strlen(trailer()));
        leat_reader_close(e.r);
    }
}

static void cancelling_ends_a_pipeline_that_waits_for_a_pipe(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0), f = open_pipe(backend, 4096);
    leat_pipeline *p = pipeline_of(NULL, source_of(&e), to_bytes(back, 10, NULL));
    leat_pipeline *q = pipeline_of(NULL, from_bytes(much, MUCH), sink_of(&f));
    assert_int_equal(leat_pipeline_start(p), 0);
    assert_int_equal(leat_pipeline_start(q), 0);
    let_it_block();
    leat_pipeline_cancel(p);
    leat_pipeline_cancel(q);
    assert_int_equal(leat_pipeline_wait(p, SOON, NULL), -ECANCELED);
    assert_int_equal(leat_pipeline_wait(q, SOON, NULL), -ECANCELED);
    leat_pipeline_free(p);
    leat_pipeline_free(q);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, SOON), -EPIPE);
    size_t done;
    assert_int_equal(leat_reader_read_full(f.r, back, MUCH, &done, SOON), -ECANCELED);
    leat_writer_close(e.w);
    leat_reader_close(f.r);
}

static void an_unused_endpoint_closes_its_end(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0), f = open_pipe(backend, 0);
    leat_endpoint_close(source_of(&e));
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, SOON), -EPIPE);
    leat_writer_close(e.w);
    leat_endpoint_close(sink_of(&f));
    gives_code(f.r, -ECANCELED);
    leat_reader_close(f.r);
}

/* In front of a filter that changes bytes, and behind it. */
static void a_sink_s_pipe_may_pace(void **state UNUSED)
{
    for (int behind = 0; behind < 2; behind++) {
        struct doubler d = {0};
        leat_filter *filters[2];
        struct run run;
        size_t done;
        assert_int_equal(leat_filter_rate(&filters[behind], 20000), 0);
        filters[!behind] = doubler(&d);
        struct ends e = open_with(backend, 0, 0, filters, 2);
        fill_pattern(much, 0, 2000);
        begin(&run, from_bytes(much, 2000), sink_of(&e));
        assert_int_equal(leat_reader_read_full(e.r, back, 4001, &done, SOON), 0);
        assert_int_equal(done, 4000);
        for (size_t i = 0; i < done; i++)
            assert_int_equal(back[i], much[i / 2]);
        assert_int_equal(result(&run), 0);
        leat_reader_close(e.r);
    }
}

static void cancelling_ends_a_pipeline_that_is_paced(void **state UNUSED)
{
    leat_filter *rate;
    assert_int_equal(leat_filter_rate(&rate, 1), 0);
    struct ends e = open_with(backend, 0, 0, &rate, 1);
    leat_pipeline *p = pipeline_of(NULL, from_bytes(much, MUCH), sink_of(&e));
    assert_int_equal(leat_pipeline_start(p), 0);
    let_it_block();
    leat_pipeline_cancel(p);
    assert_int_equal(leat_pipeline_wait(p, SOON, NULL), -ECANCELED);
    leat_pipeline_free(p);
    leat_reader_close(e.r);
}

#define TEST_BOTH(f) cmocka_unit_test_setup(f, on_queue), cmocka_unit_test_setup(f, on_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(what_is_written_arrives),
        TEST_BOTH(what_a_pipeline_writes_is_read),
        TEST_BOTH(from_pipe_to_pipe_through_filters),
        TEST_BOTH(a_failed_writer_fails_the_pipeline),
        TEST_BOTH(a_failed_pipeline_fails_the_writer),
        TEST_BOTH(a_failed_pipeline_closes_the_reader),
        TEST_BOTH(a_reader_that_leaves_fails_the_pipeline),
        TEST_BOTH(a_pipeline_waits_for_the_end_no_longer_than_it_may),
        TEST_BOTH(cancelling_ends_a_pipeline_that_waits_for_a_pipe),
        TEST_BOTH(an_unused_endpoint_closes_its_end),
        TEST_BOTH(a_sink_s_pipe_may_pace),
        TEST_BOTH(cancelling_ends_a_pipeline_that_is_paced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
