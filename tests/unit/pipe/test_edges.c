/* SPDX-License-Identifier: MIT */
/* timeout: 60
 * Where two things happen at once, and numbers that are too large. */
#include "unit/pipe/pipes.h"
#include <poll.h>
#include <sched.h>

#define ROUNDS (getenv("LEAT_TEST_QUICK") ? 500 : 5000)

/* ---- codes ---- */

/* A read that says -EAGAIN means that nothing is there yet; a stream that failed so would be read for ever. */
static void fails_with_again(int backend)
{
    struct ends e = open_pipe(backend, 0);
    puts_text(e.w, "bytes");
    assert_int_equal(leat_writer_fail(e.w, -EAGAIN), 0);
    gives_text(e.r, "bytes");
    gives_code(e.r, -EIO);
    close_both(e);
}

static void a_failure_never_says_that_nothing_is_there_yet(void **state UNUSED)
{
    fails_with_again(LEAT_PIPE_QUEUE);
    fails_with_again(LEAT_PIPE_KERNEL);
}

static void a_filter_that_fails_with_again_is_told(void **state UNUSED)
{
    struct doubler d = {.fail_code = -EAGAIN};
    leat_filter *filters[] = {doubler(&d)};
    struct ends e = open_with(LEAT_PIPE_QUEUE, 0, 0, filters, 1);
    size_t done;
    leat_writer_write(e.w, "x", 1, &done, 0);
    leat_writer_flush(e.w, -1);
    gives_code(e.r, -EIO);
    close_both(e);
}

/* ---- numbers ---- */

/* All memory there is: no number is too large for a limit, and the stats say which one holds. */
static void a_limit_may_be_any_number(void **state UNUSED)
{
    static const uint64_t limits[] = {UINT64_MAX, UINT64_MAX - 14, (uint64_t)1 << 63};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
        leat_writer *w;
        leat_reader *r;
        options.backend = LEAT_PIPE_QUEUE;
        options.memory_limit = limits[i];
        struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
        assert_int_equal(leat_pipe_open(&w, &r, &options, NULL), 0);
        assert_int_equal(leat_writer_stats(w, &stats), 0);
        assert_true(stats.memory_limit >= (uint64_t)1 << 30);
        leat_writer_close(w);
        leat_reader_close(r);
        options.chunk_size = limits[i];
        assert_int_equal(leat_pipe_open(&w, &r, &options, NULL), -ENOMEM);
    }
}

/* ---- the end ---- */

static void *read_and_leave(void *user)
{
    leat_reader *r = user;
    char bytes[16];
    size_t done;
    while (leat_reader_read(r, bytes, sizeof(bytes), &done, SOON) == 0 && done > 0)
        ;
    leat_reader_close(r);
    return NULL;
}

/* Who has read the end may leave: that is no reason for the writer to say that not all of it was wanted. */
static void finishes_well(int backend)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ends e = open_pipe(backend, 4096);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, read_and_leave, e.r), 0);
        puts_text(e.w, "all of it");
        assert_int_equal(leat_writer_finish(e.w, -1), 0);
        pthread_join(thread, NULL);
        assert_int_equal(leat_writer_finish(e.w, -1), 0);
        leat_writer_close(e.w);
    }
}

static void a_reader_that_leaves_at_the_end_breaks_nothing(void **state UNUSED)
{
    finishes_well(LEAT_PIPE_QUEUE);
    finishes_well(LEAT_PIPE_KERNEL);
}

/* ---- the pace ---- */

#define PACED 400 /* bytes, in four tenths of a second */

struct paced {
    leat_reader *r;
    atomic_size_t asked; /* bytes that were read, when the next read began */
    size_t got;
};

static void *read_paced(void *user)
{
    struct paced *paced = user;
    char byte;
    size_t done = 1;
    for (; paced->got < PACED && done; paced->got += done) {
        atomic_store(&paced->asked, paced->got);
        if (leat_reader_read(paced->r, &byte, 1, &done, SOON / 10) < 0)
            done = 0;
    }
    atomic_store(&paced->asked, PACED);
    return NULL;
}

/* Behind a filter that changes bytes, the reader alone brings on what has to wait for its time. Each byte comes at the
 * moment in which the reader finds nothing, and nothing comes behind it that would push it on. */
static void a_reader_wakes_when_the_pace_allows(void **state UNUSED)
{
    struct doubler d = {0};
    leat_filter *filters[2] = {doubler(&d)};
    assert_int_equal(leat_filter_rate(&filters[1], 1000), 0);
    struct ends e = open_with(LEAT_PIPE_QUEUE, 4096, 0, filters, 2);
    struct paced paced = {.r = e.r};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_paced, &paced), 0);
    for (size_t sent = 0; sent < PACED; sent += 2) {
        while (atomic_load(&paced.asked) < sent)
            sched_yield();
        puts_text(e.w, "x");
    }
    pthread_join(thread, NULL);
    assert_int_equal(paced.got, PACED);
    close_both(e);
}

/* Who polls is woken then, too, on either side and on both backends: nobody is in a call who would know the time. */
static void polls_wake_when_the_pace_allows(int backend, bool behind)
{
    struct doubler d = {0};
    leat_filter *filters[2] = {doubler(&d)};
    struct pollfd set = {.events = POLLIN};
    uint8_t bytes[PACED] = {0};
    size_t got = 0, done;
    assert_int_equal(leat_filter_rate(&filters[1], 2000), 0);
    struct ends e = open_with(backend, 0, 0, behind ? filters : filters + 1, behind ? 2 : 1);
    assert_int_equal(behind ? leat_reader_fd(e.r, &set.fd) : leat_writer_fd(e.w, &set.fd), 0);
    if (behind)
        assert_int_equal(leat_writer_write(e.w, bytes, PACED / 2, NULL, 0), 0);
    while (got < PACED) {
        int r = behind ? 0 : leat_writer_write_some(e.w, bytes, PACED - got, NULL, 0);
        int s = leat_reader_read(e.r, bytes, PACED, &done, 0);
        if (r == -EAGAIN || (behind && s == -EAGAIN))
            assert_int_equal(poll(&set, 1, SOON), 1);
        got += done;
    }
    assert_int_equal(got, PACED);
    close_both(e);
    if (!behind)
        leat_filter_free(filters[0]);
}

static void who_polls_wakes_when_the_pace_allows(void **state UNUSED)
{
    polls_wake_when_the_pace_allows(LEAT_PIPE_QUEUE, true);
    polls_wake_when_the_pace_allows(LEAT_PIPE_QUEUE, false);
    polls_wake_when_the_pace_allows(LEAT_PIPE_KERNEL, true);
}

/* ---- room ---- */

static void *do_reserve(void *user)
{
    struct call *c = user;
    void *room;
    c->result = leat_writer_reserve(c->w, 1, &room, &c->done, c->timeout_ms);
    return NULL;
}

/* A peek empties the kernel's pipe before anything is consumed: a writer that waits for a chunk can go on then. */
static void a_peek_wakes_who_waits_for_a_chunk(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 65536);
    struct call c = {.w = e.w, .timeout_ms = -1}; /* one that ends finds a chunk at its last look */
    const void *bytes;
    void *room;
    size_t n;
    while (leat_writer_reserve(e.w, 1, &room, &n, 0) == 0) {
        memset(room, 1, n);
        assert_int_equal(leat_writer_commit(e.w, n, -1), 0);
    }
    start(&c, do_reserve);
    let_it_block();
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, SOON), 0);
    wait_for(&c);
    assert_int_equal(c.result, 0);
    assert_int_equal(leat_writer_commit(e.w, 0, -1), 0);
    close_both(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_never_says_that_nothing_is_there_yet),
        cmocka_unit_test(a_filter_that_fails_with_again_is_told),
        cmocka_unit_test(a_limit_may_be_any_number),
        cmocka_unit_test(a_reader_that_leaves_at_the_end_breaks_nothing),
        cmocka_unit_test(a_reader_wakes_when_the_pace_allows),
        cmocka_unit_test(who_polls_wakes_when_the_pace_allows),
        cmocka_unit_test(a_peek_wakes_who_waits_for_a_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
