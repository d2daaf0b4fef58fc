/* SPDX-License-Identifier: MIT */
/* timeout: 120
 * Both backends, the same meaning: what each call says, what wakes whom, that no byte is lost and none comes twice. */
#include "unit/pipe/backends.h"
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* More than any pipe here holds. */
#define MUCH (4 * 1024 * 1024)
static uint8_t much[MUCH], back[MUCH];

/* ---- the plain way ---- */

static void what_is_written_is_read(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    puts_text(e.w, "hello, ");
    puts_text(e.w, "world");
    gives_text(e.r, "hello, world");
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    gives_code(e.r, 0);
    gives_code(e.r, 0);
    close_both(e);
}

static void a_large_write_arrives_whole(void **state UNUSED)
{
    static const uint64_t limits[] = {4096, 65536, 0, 3000000};
    fill_pattern(much, 0, MUCH);
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct ends e = open_pipe(backend, limits[i]);
        struct call w = {.w = e.w, .bytes = much, .n = MUCH, .timeout_ms = -1};
        size_t done;
        start(&w, do_write);
        memset(back, 0, MUCH);
        assert_int_equal(leat_reader_read_full(e.r, back, MUCH, &done, SOON), 0);
        assert_int_equal(done, MUCH);
        is_pattern(back, 0, MUCH);
        wait_for(&w);
        assert_true(w.result == 0 && w.done == MUCH);
        close_both(e);
    }
}

/* Of the queue this many to the byte, of the kernel's pipe so many at the most. */
static void the_limit_holds_and_nothing_is_lost_at_it(void **state UNUSED)
{
    static const uint64_t limits[] = {4096, 65536, 1048576, 4194304};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct ends e = open_pipe(backend, limits[i]);
        struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
        size_t done = 0, got;
        fill_pattern(much, 0, MUCH);
        int r = leat_writer_write(e.w, much, MUCH, &done, 0);
        if (limits[i] < MUCH)
            assert_int_equal(r, -EAGAIN);
        leat_writer_stats(e.w, &stats);
        assert_true(done <= limits[i] && done == stats.high_water);
        if (backend == LEAT_PIPE_QUEUE)
            assert_int_equal(done, limits[i]);
        assert_int_equal(leat_writer_write(e.w, much, 10, &got, 0), -EAGAIN);
        assert_int_equal(got, 0);
        assert_int_equal(leat_writer_finish(e.w, -1), 0);
        assert_int_equal(leat_reader_read_full(e.r, back, MUCH, &got, 0), 0);
        assert_int_equal(got, done);
        is_pattern(back, 0, done);
        close_both(e);
    }
}

static void write_some_takes_what_fits(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    size_t done, all = 0;
    while (leat_writer_write_some(e.w, much, 1000, &done, 0) == 0) {
        assert_true(done > 0 && done <= 1000);
        all += done;
    }
    assert_true(all > 0 && all <= 4096);
    assert_int_equal(done, 0);
    assert_int_equal(leat_writer_write_some(e.w, much, 1000, &done, 10), -ETIMEDOUT);
    assert_int_equal(leat_reader_read_full(e.r, back, all, &done, 0), 0);
    assert_int_equal(leat_writer_write_some(e.w, much, 1, &done, 0), 0);
    close_both(e);
}

static void a_read_gives_what_is_there(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    char bytes[100];
    size_t done;
    puts_text(e.w, "abc");
    assert_int_equal(leat_reader_read(e.r, bytes, sizeof(bytes), &done, SOON), 0);
    assert_int_equal(done, 3);
    puts_text(e.w, "defgh");
    assert_int_equal(leat_reader_read(e.r, bytes, 2, &done, SOON), 0);
    assert_int_equal(done, 2);
    assert_memory_equal(bytes, "de", 2);
    gives_text(e.r, "fgh");
    close_both(e);
}

/* 100 ms of idling are no reason to give less. */
static void a_full_read_waits_for_all_of_it(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    struct call r = {.r = e.r, .bytes = back, .n = 6, .timeout_ms = SOON};
    start(&r, do_read);
    puts_text(e.w, "abc");
    usleep(150000);
    puts_text(e.w, "def");
    wait_for(&r);
    assert_true(r.result == 0 && r.done == 6);
    close_both(e);
}

static void a_full_read_at_the_end_gives_what_is_left(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    size_t done;
    puts_text(e.w, "abc");
    finish_and_close(e.w);
    assert_int_equal(leat_reader_read_full(e.r, back, 10, &done, SOON), 0);
    assert_int_equal(done, 3);
    assert_int_equal(leat_reader_read_full(e.r, back, 10, &done, SOON), 0);
    assert_int_equal(done, 0);
    leat_reader_close(e.r);
}

static void zero_bytes_return_at_once(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    size_t done = 5;
    char line[1];
    assert_int_equal(leat_reader_read(e.r, back, 0, &done, -1), 0); /* empty */
    assert_int_equal(done, 0);
    assert_int_equal(leat_reader_read_full(e.r, back, 0, NULL, -1), 0);
    assert_int_equal(leat_reader_read_line(e.r, line, 0, NULL, -1), 0);
    leat_writer_write(e.w, much, 10000, NULL, 0);
    done = 5;
    assert_int_equal(leat_writer_write(e.w, much, 0, &done, -1), 0); /* full */
    assert_int_equal(done, 0);
    assert_int_equal(leat_writer_write_some(e.w, much, 0, NULL, -1), 0);
    close_both(e);
}

/* ---- lines ---- */

static void lines_are_read_one_after_the_other(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    char line[8];
    size_t done;
    puts_text(e.w, "one\n\ntoo long a line\nlast");
    finish_and_close(e.w);
    static const char *const expected[] = {"one\n", "\n", "too lon", "g a lin", "e\n", "last", ""};
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(leat_reader_read_line(e.r, line, sizeof(line), &done, SOON), 0);
        assert_string_equal(line, expected[i]);
        assert_int_equal(done, strlen(expected[i]));
    }
    assert_int_equal(leat_reader_read_line(e.r, line, 1, &done, 0), -EINVAL);
    leat_reader_close(e.r);
}

static void a_line_goes_on_after_a_timeout(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    char line[16];
    size_t done, more;
    puts_text(e.w, "begun");
    assert_int_equal(leat_reader_read_line(e.r, line, sizeof(line), &done, 10), -ETIMEDOUT);
    assert_string_equal(line, "begun");
    puts_text(e.w, " ended\n");
    assert_int_equal(leat_reader_read_line(e.r, line + done, sizeof(line) - done, &more, SOON), 0);
    assert_string_equal(line, "begun ended\n");
    close_both(e);
}

static void lines_lie_across_chunks(void **state UNUSED)
{
    struct ends e = backend == LEAT_PIPE_QUEUE ? open_with(backend, 64, 3, NULL, 0) : open_pipe(backend, 4096);
    char line[64];
    for (int i = 0; i < 1000; i++) {
        char text[64];
        snprintf(text, sizeof(text), "line %d of them\n", i * i);
        puts_text(e.w, text);
        assert_int_equal(leat_reader_read_line(e.r, line, sizeof(line), NULL, SOON), 0);
        assert_string_equal(line, text);
    }
    close_both(e);
}

/* ---- without a copy ---- */

static void what_is_committed_is_peeked_at(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    void *room;
    const void *bytes;
    size_t n;
    assert_int_equal(leat_writer_reserve(e.w, 100, &room, &n, SOON), 0);
    assert_true(n >= 100);
    memcpy(room, "0123456789", 10);
    assert_int_equal(leat_writer_commit(e.w, n + 1, -1), -EINVAL);
    assert_int_equal(leat_writer_commit(e.w, 10, -1), 0);
    assert_int_equal(leat_writer_commit(e.w, 1, -1), -EINVAL);
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, SOON), 0);
    assert_int_equal(n, 10);
    assert_memory_equal(bytes, "0123456789", 10);
    assert_int_equal(leat_reader_consume(e.r, 11), -EINVAL);
    assert_int_equal(leat_reader_consume(e.r, 4), 0);
    gives_text(e.r, "456789");
    assert_int_equal(leat_reader_consume(e.r, 1), -EINVAL);
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, 0), -EAGAIN);
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, SOON), 0);
    assert_int_equal(n, 0);
    close_both(e);
}

static void a_reservation_excludes_other_writes(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    void *room, *second;
    size_t n;
    assert_int_equal(leat_writer_reserve(e.w, 1, &room, &n, SOON), 0);
    assert_int_equal(leat_writer_reserve(e.w, 1, &second, &n, SOON), -EBUSY);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, SOON), -EBUSY);
    assert_int_equal(leat_writer_flush(e.w, -1), -EBUSY);
    assert_int_equal(leat_writer_commit(e.w, 0, -1), 0);
    puts_text(e.w, "x");
    gives_text(e.r, "x");
    close_both(e);
}

static void reserved_chunks_carry_everything(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 65536);
    struct call r = {.r = e.r, .bytes = back, .n = MUCH, .timeout_ms = SOON};
    size_t sizes[] = {1, 4096, 4095, 8192, 70000, 3}, sent = 0;
    start(&r, do_read);
    for (size_t i = 0; sent < MUCH; i++) {
        void *room;
        size_t n, want = sizes[i % COUNT(sizes)];
        assert_int_equal(leat_writer_reserve(e.w, want, &room, &n, SOON), 0);
        n = MIN(MIN(n, want), MUCH - sent);
        fill_pattern(room, sent, n);
        assert_int_equal(leat_writer_commit(e.w, n, -1), 0);
        sent += n;
    }
    wait_for(&r);
    assert_true(r.result == 0 && r.done == MUCH);
    is_pattern(back, 0, MUCH);
    close_both(e);
}

/* ---- time ---- */

static void no_time_and_too_little_time_are_told_apart(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    size_t done = 7;
    assert_int_equal(leat_reader_read(e.r, back, 1, &done, 0), -EAGAIN);
    assert_int_equal(done, 0);
    assert_int_equal(leat_reader_read(e.r, back, 1, &done, 1), -ETIMEDOUT);
    int r = leat_writer_write(e.w, much, 10000, &done, 0);
    assert_int_equal(r, -EAGAIN);
    size_t before = done;
    assert_int_equal(leat_writer_write(e.w, much, 10000, &done, 5), -ETIMEDOUT);
    assert_int_equal(done, 0);
    assert_int_equal(leat_reader_read_full(e.r, back, before + 1, &done, 5), -ETIMEDOUT);
    assert_int_equal(done, before);
    close_both(e);
}

static void a_timeout_is_as_long_as_it_says(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    int64_t began = clock_ns();
    assert_int_equal(leat_reader_read(e.r, back, 1, NULL, 60), -ETIMEDOUT);
    assert_true(clock_ns() - began >= 60000000);
    close_both(e);
}

static void a_write_that_timed_out_goes_on_where_it_was(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 8192);
    size_t sent = 0, got = 0, done;
    fill_pattern(much, 0, 200000);
    while (got < 200000) {
        int r = leat_writer_write(e.w, much + sent, 200000 - sent, &done, got % 2 ? 0 : 1);
        assert_true(r == 0 || r == -EAGAIN || r == -ETIMEDOUT);
        sent += done;
        assert_int_equal(leat_reader_read(e.r, back + got, 3333, &done, 0), 0);
        got += done;
    }
    is_pattern(back, 0, 200000);
    close_both(e);
}

/* ---- the end, and other ends ---- */

static void the_end_comes_after_the_last_byte(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    puts_text(e.w, "last");
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, 0), -EPIPE);
    assert_int_equal(leat_writer_write_some(e.w, "x", 1, NULL, 0), -EPIPE);
    assert_int_equal(leat_writer_flush(e.w, -1), -EPIPE);
    assert_int_equal(leat_writer_fail(e.w, -EIO), 0); /* too late */
    gives_text(e.r, "last");
    gives_code(e.r, 0);
    close_both(e);
}

static void a_failure_comes_after_the_last_byte_and_stays(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct ends e = open_pipe(backend, 0);
    size_t done;
    puts_text(e.w, "part");
    assert_int_equal(leat_writer_fail(e.w, 5), -EINVAL);
    assert_int_equal(leat_writer_fail(e.w, -ENOSPC), 0);
    assert_int_equal(leat_writer_finish(e.w, -1), -EPIPE);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, 0), -EPIPE);
    assert_int_equal(leat_reader_read_full(e.r, back, 10, &done, SOON), -ENOSPC);
    assert_int_equal(done, 4);
    gives_code(e.r, -ENOSPC);
    gives_code(e.r, -ENOSPC);
    assert_int_equal(leat_reader_error(e.r, &error), 0);
    assert_int_equal(error.code, -ENOSPC);
    assert_non_null(strstr(error.text, "space"));
    close_both(e);
}

static void without_a_reader_writes_are_broken(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct ends e = open_pipe(backend, 0);
    size_t done = 9;
    puts_text(e.w, "nobody reads this");
    leat_reader_close(e.r);
    assert_int_equal(leat_writer_write(e.w, "x", 1, &done, -1), -EPIPE);
    assert_int_equal(done, 0);
    assert_int_equal(leat_writer_error(e.w, &error), 0);
    assert_int_equal(error.code, -EPIPE);
    assert_non_null(strstr(error.text, "closed"));
    assert_int_equal(leat_writer_finish(e.w, -1), -EPIPE);
    leat_writer_close(e.w);
}

static void the_end_wakes_a_reader(void **state UNUSED)
{
    for (int how = 0; how < 3; how++) {
        struct ends e = open_pipe(backend, 0);
        struct call r = {.r = e.r, .bytes = back, .n = 10, .timeout_ms = SOON};
        start(&r, do_read);
        let_it_block();
        if (how == 0)
            assert_int_equal(leat_writer_finish(e.w, -1), 0);
        else if (how == 1)
            assert_int_equal(leat_writer_fail(e.w, -EIO), 0);
        leat_writer_close(e.w);
        wait_for(&r);
        assert_int_equal(r.result, how == 0 ? 0 : how == 1 ? -EIO : -ECANCELED);
        assert_int_equal(r.done, 0);
        leat_reader_close(e.r);
    }
}

static void closing_the_reader_wakes_a_writer(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct call w = {.w = e.w, .bytes = much, .n = MUCH, .timeout_ms = SOON};
    start(&w, do_write);
    let_it_block();
    leat_reader_close(e.r);
    wait_for(&w);
    assert_int_equal(w.result, -EPIPE);
    assert_true(w.done <= 4096);
    leat_writer_close(e.w);
}

#define CROWD 4

static void closing_an_end_wakes_all_who_are_in_it(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct call c[CROWD];
    for (int i = 0; i < CROWD; i++) {
        c[i] = (struct call){.r = e.r, .bytes = back, .n = 10, .timeout_ms = SOON};
        start(&c[i], do_read);
    }
    let_it_block();
    leat_reader_close(e.r);
    for (int i = 0; i < CROWD; i++) {
        wait_for(&c[i]);
        assert_int_equal(c[i].result, -ECANCELED);
    }
    leat_writer_close(e.w);

    e = open_pipe(backend, 4096);
    for (int i = 0; i < CROWD; i++) {
        c[i] = (struct call){.w = e.w, .bytes = much, .n = 10000, .timeout_ms = SOON};
        start(&c[i], do_write);
    }
    let_it_block();
    leat_writer_close(e.w);
    for (int i = 0; i < CROWD; i++) {
        wait_for(&c[i]);
        assert_int_equal(c[i].result, -ECANCELED);
    }
    leat_reader_close(e.r);
}

static void the_end_wakes_all_readers(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 0);
    struct call c[CROWD];
    for (int i = 0; i < CROWD; i++) {
        c[i] = (struct call){.r = e.r, .bytes = back, .n = 10, .timeout_ms = SOON};
        start(&c[i], do_read);
    }
    let_it_block();
    finish_and_close(e.w);
    for (int i = 0; i < CROWD; i++) {
        wait_for(&c[i]);
        assert_true(c[i].result == 0 && c[i].done == 0);
    }
    leat_reader_close(e.r);
}

static void closing_the_reader_wakes_all_writers(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct call c[CROWD];
    for (int i = 0; i < CROWD; i++) {
        c[i] = (struct call){.w = e.w, .bytes = much, .n = 10000, .timeout_ms = SOON};
        start(&c[i], do_write);
    }
    let_it_block();
    leat_reader_close(e.r);
    for (int i = 0; i < CROWD; i++) {
        wait_for(&c[i]);
        assert_int_equal(c[i].result, -EPIPE);
    }
    leat_writer_close(e.w);
}

static void failing_does_not_wait_for_a_write(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct call w = {.w = e.w, .bytes = much, .n = MUCH, .timeout_ms = SOON};
    size_t done;
    start(&w, do_write);
    let_it_block();
    assert_int_equal(leat_writer_fail(e.w, -EIO), 0);
    wait_for(&w);
    assert_true(w.result == -ECANCELED || w.result == -EPIPE);
    assert_int_equal(leat_reader_read_full(e.r, back, MUCH, &done, SOON), -EIO);
    assert_int_equal(done, w.done);
    close_both(e);
}

static void finishing_lets_a_write_be_done_first(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct call w = {.w = e.w, .bytes = much, .n = 100000, .timeout_ms = SOON}, f = {.w = e.w};
    size_t done;
    fill_pattern(much, 0, 100000);
    start(&w, do_write);
    let_it_block();
    start(&f, do_finish);
    assert_int_equal(leat_reader_read_full(e.r, back, MUCH, &done, SOON), 0);
    wait_for(&w);
    wait_for(&f);
    assert_true(w.result == 0 && f.result == 0 && done == 100000);
    is_pattern(back, 0, 100000);
    close_both(e);
}

static void another_call_does_not_wait_longer_than_it_may(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096);
    struct call w = {.w = e.w, .bytes = much, .n = 10000, .timeout_ms = SOON};
    start(&w, do_write);
    let_it_block();
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, 0), -EAGAIN);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, 10), -ETIMEDOUT);
    assert_int_equal(leat_reader_read_full(e.r, back, 10000, NULL, SOON), 0);
    wait_for(&w);
    assert_int_equal(w.result, 0);
    close_both(e);
}

static void closing_nothing_is_allowed(void **state UNUSED)
{
    leat_writer_close(NULL);
    leat_reader_close(NULL);
}

/* Both orders, with bytes inside and without. */
static void nothing_is_left_behind(void **state UNUSED)
{
    int descriptors = unit_descriptors();
    for (int i = 0; i < 8; i++) {
        struct ends e = open_pipe(backend, i & 1 ? 4096 : 0);
        void *room;
        size_t n;
        if (i & 2) {
            assert_int_equal(leat_writer_reserve(e.w, 4096, &room, &n, SOON), 0);
            memset(room, i, n);
            assert_int_equal(leat_writer_commit(e.w, n, -1), 0);
        }
        if (i & 4)
            leat_writer_close(e.w);
        leat_reader_close(e.r);
        if (!(i & 4))
            leat_writer_close(e.w);
    }
    assert_int_equal(unit_descriptors(), descriptors);
}

/* ---- signals ---- */

static atomic_uint caught;

static void count(int number UNUSED)
{
    atomic_fetch_add(&caught, 1);
}

static void broken_pipes_raise_no_signal(void **state UNUSED)
{
    struct sigaction action = {.sa_handler = count}, before;
    atomic_store(&caught, 0);
    sigaction(SIGPIPE, &action, &before);
    without_a_reader_writes_are_broken(NULL);
    closing_the_reader_wakes_a_writer(NULL);
    sigaction(SIGPIPE, &before, NULL);
    assert_int_equal(atomic_load(&caught), 0);
}

struct storm {
    pthread_t victim[2];
    atomic_bool over;
};

static void *storm(void *user)
{
    struct storm *s = user;
    while (!atomic_load(&s->over)) {
        pthread_kill(s->victim[0], SIGUSR1);
        pthread_kill(s->victim[1], SIGUSR1);
        usleep(100);
    }
    return NULL;
}

static void signals_change_nothing(void **state UNUSED)
{
    struct sigaction action = {.sa_handler = count}, before; /* without SA_RESTART */
    unit_needs(unit_signals_come(), "signals");
    struct ends e = open_pipe(backend, 4096);
    struct call w = {.w = e.w, .bytes = much, .n = MUCH / 4, .timeout_ms = SOON};
    struct storm s = {.victim[1] = pthread_self()};
    pthread_t thread;
    size_t done;
    atomic_store(&caught, 0);
    sigaction(SIGUSR1, &action, &before);
    fill_pattern(much, 0, MUCH);
    start(&w, do_write);
    s.victim[0] = w.thread;
    assert_int_equal(pthread_create(&thread, NULL, storm, &s), 0);
    let_it_block();
    assert_int_equal(leat_reader_read_full(e.r, back, w.n, &done, SOON), 0);
    assert_int_equal(leat_reader_read(e.r, back + done, 1, NULL, 30), -ETIMEDOUT);
    atomic_store(&s.over, true);
    pthread_join(thread, NULL);
    wait_for(&w);
    assert_true(w.result == 0 && atomic_load(&caught) > 0);
    is_pattern(back, 0, w.n);
    sigaction(SIGUSR1, &before, NULL);
    close_both(e);
}

/* ---- a parked pipe ---- */

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void who_waits_uses_no_processor(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 4096), f = open_pipe(backend, 4096);
    struct call r = {.r = e.r, .bytes = back, .n = 1, .timeout_ms = SOON},
                w = {.w = f.w, .bytes = much, .n = 10000, .timeout_ms = SOON};
    start(&r, do_read);
    start(&w, do_write);
    let_it_block();
    double before = cpu_seconds();
    usleep(300000);
    assert_true(cpu_seconds() - before < 0.1);
    leat_writer_close(e.w);
    leat_reader_close(f.r);
    wait_for(&r);
    wait_for(&w);
    leat_reader_close(e.r);
    leat_writer_close(f.w);
}

/* ---- numbers ---- */

static void the_statistics_are_right(void **state UNUSED)
{
    struct ends e = open_pipe(backend, 65536);
    struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
    struct call r = {.r = e.r, .bytes = back, .n = 2000, .timeout_ms = SOON};
    leat_writer_write(e.w, much, 1000, NULL, SOON);
    leat_writer_write(e.w, much, 500, NULL, SOON);
    leat_reader_read_full(e.r, back, 1200, NULL, SOON);
    assert_int_equal(leat_writer_stats(e.w, &s), 0);
    assert_int_equal(s.backend, backend);
    assert_true(s.bytes_in == 1500 && s.bytes_out == 1200 && s.high_water == 1500 && s.memory_limit == 65536);
    assert_true(s.reader_blocked_ns == 0 && s.writer_blocked_ns == 0);
    start(&r, do_read);
    let_it_block();
    leat_writer_close(e.w);
    wait_for(&r);
    assert_int_equal(leat_reader_stats(e.r, &s), 0);
    assert_true(s.bytes_out == 1500 && s.reader_blocked_ns > 1000000);
    leat_reader_close(e.r);
}

#define TEST_BOTH(f) cmocka_unit_test_setup(f, on_queue), cmocka_unit_test_setup(f, on_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(what_is_written_is_read),
        TEST_BOTH(a_large_write_arrives_whole),
        TEST_BOTH(the_limit_holds_and_nothing_is_lost_at_it),
        TEST_BOTH(write_some_takes_what_fits),
        TEST_BOTH(a_read_gives_what_is_there),
        TEST_BOTH(a_full_read_waits_for_all_of_it),
        TEST_BOTH(a_full_read_at_the_end_gives_what_is_left),
        TEST_BOTH(zero_bytes_return_at_once),
        TEST_BOTH(lines_are_read_one_after_the_other),
        TEST_BOTH(a_line_goes_on_after_a_timeout),
        TEST_BOTH(lines_lie_across_chunks),
        TEST_BOTH(what_is_committed_is_peeked_at),
        TEST_BOTH(a_reservation_excludes_other_writes),
        TEST_BOTH(reserved_chunks_carry_everything),
        TEST_BOTH(no_time_and_too_little_time_are_told_apart),
        TEST_BOTH(a_timeout_is_as_long_as_it_says),
        TEST_BOTH(a_write_that_timed_out_goes_on_where_it_was),
        TEST_BOTH(the_end_comes_after_the_last_byte),
        TEST_BOTH(a_failure_comes_after_the_last_byte_and_stays),
        TEST_BOTH(without_a_reader_writes_are_broken),
        TEST_BOTH(the_end_wakes_a_reader),
        TEST_BOTH(closing_the_reader_wakes_a_writer),
        TEST_BOTH(closing_an_end_wakes_all_who_are_in_it),
        TEST_BOTH(the_end_wakes_all_readers),
        TEST_BOTH(closing_the_reader_wakes_all_writers),
        TEST_BOTH(failing_does_not_wait_for_a_write),
        TEST_BOTH(finishing_lets_a_write_be_done_first),
        TEST_BOTH(another_call_does_not_wait_longer_than_it_may),
        TEST_BOTH(nothing_is_left_behind),
        TEST_BOTH(broken_pipes_raise_no_signal),
        TEST_BOTH(signals_change_nothing),
        TEST_BOTH(who_waits_uses_no_processor),
        TEST_BOTH(the_statistics_are_right),
        cmocka_unit_test(closing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
