/* SPDX-License-Identifier: MIT */
/* timeout: 120
 * Filters that join an open pipe, on both backends: each sees exactly what is written after the call, in order, also
 * while other threads write and read; what can't be is refused, and the pipe goes on. */
#include "unit/pipe/backends.h"
#include <poll.h>
#include <sched.h>

static struct ends plain(uint64_t limit)
{
    return open_pipe(backend, limit);
}

static int add(struct ends e, leat_filter *filter, int timeout_ms)
{
    return leat_writer_filter(e.w, filter, timeout_ms, NULL);
}

static void refused(struct ends e, leat_filter *filter, int code, const char *words)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_writer_filter(e.w, filter, 0, &error), code);
    assert_int_equal(error.code, code);
    if (!strstr(error.text, words))
        fail_msg("it says: %s", error.text);
}

/* ---- the cut ---- */

static void it_sees_what_is_written_afterwards(void **state UNUSED)
{
    struct watcher w = {0};
    struct doubler d = {0};
    struct ends e = plain(0);
    puts_text(e.w, "abc"); /* hidden in the queue, with nobody who reads */
    assert_int_equal(add(e, watcher(&w), 0), 0);
    puts_text(e.w, "de");
    gives_text(e.r, "abcde");
    assert_int_equal(w.seen, 2);
    puts_text(e.w, "f");
    assert_int_equal(add(e, doubler(&d), 0), 0);
    puts_text(e.w, "gh");
    gives_text(e.r, "fgghh");
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    gives_code(e.r, 0);
    assert_true(w.seen == 5 && w.finished == 1 && d.started == 1 && d.finished == 1 && d.finish_code == 0);
    close_both(e);
    assert_int_equal(d.frees, 1);
}

/* What a transform held back does not pass the filter behind it, and the observer behind a transform sees its output.
 */
static void what_was_held_back_goes_out_first(void **state UNUSED)
{
    struct doubler d = {.keep = 5};
    struct watcher w = {0};
    leat_filter *first = doubler(&d);
    struct ends e = open_with(backend, 0, 0, &first, 1);
    puts_text(e.w, "abc");
    assert_int_equal(add(e, watcher(&w), 0), 0);
    gives_text(e.r, "aabbcc");
    assert_int_equal(w.seen, 0);
    puts_text(e.w, "d");
    assert_int_equal(leat_writer_flush(e.w, -1), 0);
    gives_text(e.r, "dd");
    assert_int_equal(w.seen, 2);
    close_both(e);
}

/* A reservation, pieces by reference and peeks work on as before. */
static void every_way_to_write_passes_it(void **state UNUSED)
{
    struct doubler d = {0};
    struct ends e = plain(0);
    void *room;
    const void *bytes;
    size_t n;
    puts_text(e.w, "a");
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, SOON), 0);
    assert_int_equal(add(e, doubler(&d), 0), 0);
    assert_memory_equal(bytes, "a", 1);
    assert_int_equal(leat_writer_reserve(e.w, 2, &room, &n, 0), 0);
    memcpy(room, "bc", 2);
    assert_int_equal(leat_writer_commit(e.w, 2, 0), 0);
    gives_text(e.r, "abbcc");
    close_both(e);
}

/* ---- room ---- */

static void it_waits_for_room_and_goes_on(void **state UNUSED)
{
    static uint8_t bytes[16 * 1024];
    struct doubler d = {.keep = 60};
    struct watcher w = {0};
    leat_filter *first = doubler(&d), *late = watcher(&w);
    struct ends e = open_with(backend, backend == LEAT_PIPE_KERNEL ? 4096 : 64, 0, &first, 1);
    size_t done, sent = 0;
    while (leat_writer_write_some(e.w, bytes, sizeof(bytes), &done, 0) == 0)
        sent += done;
    assert_int_equal(add(e, late, 0), -EAGAIN); /* and it is still the caller's */
    assert_int_equal(add(e, late, 1), -ETIMEDOUT);
    struct call r = {.r = e.r, .bytes = bytes, .n = 2 * sent, .timeout_ms = SOON};
    assert_in_range(sent, 1, sizeof(bytes) / 2);
    start(&r, do_read);
    assert_int_equal(add(e, late, SOON), 0);
    wait_for(&r);
    assert_true(r.result == 0 && r.done == 2 * sent && w.seen == 0);
    puts_text(e.w, "x");
    assert_int_equal(leat_writer_flush(e.w, SOON), 0);
    gives_text(e.r, "xx");
    assert_int_equal(w.seen, 2);
    close_both(e);
}

/* Transforms join until no chunk is left for one more; each byte still comes through, with one byte of room a place. */
static void as_many_as_the_limit_has_chunks_for(void **state UNUSED)
{
    enum {
        MOST = 16
    };
    struct doubler d[MOST];
    struct ends e =
        open_with(backend, backend == LEAT_PIPE_KERNEL ? 4096 : 4, backend == LEAT_PIPE_KERNEL ? 1024 : 1, NULL, 0);
    struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
    memset(d, 0, sizeof(d));
    size_t n = 0;
    leat_filter *one = NULL;
    int r;
    do {
        one = leat_filter_ref(doubler(&d[n]));
        r = add(e, one, 0);
        n += r == 0;
    } while (r == 0 && n < MOST);
    assert_true(r == -EINVAL && n > 1);
    refused(e, one, -EINVAL, "memory limit");
    assert_int_equal(d[n].frees, 1);
    uint8_t bytes[] = {'a', 'b'};
    struct call w = {.w = e.w, .bytes = bytes, .n = 2, .timeout_ms = SOON};
    uint8_t back[2 << MOST];
    size_t done;
    start(&w, do_write);
    assert_int_equal(leat_reader_read_full(e.r, back, (size_t)2 << n, &done, SOON), 0);
    wait_for(&w);
    assert_true(w.result == 0 && done == (size_t)2 << n && back[0] == 'a' && back[done - 1] == 'b');
    assert_int_equal(leat_writer_stats(e.w, &stats), 0);
    assert_true(stats.high_water <= stats.memory_limit);
    if (backend == LEAT_PIPE_QUEUE)
        assert_int_equal(stats.memory_limit, 4);
    close_both(e);
}

/* ---- refusals ---- */

static int never_starts(leat_filter *filter UNUSED, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    return -EAGAIN;
}

static void what_can_t_be_is_refused_and_the_pipe_goes_on(void **state UNUSED)
{
    static const struct filter_ops joins = {.name = "exec", .caps = FILTER_JOINS, .free = watcher_free};
    static const struct filter_ops broken = {.name = "broken",
                                             .caps = FILTER_OBSERVES,
                                             .start = never_starts,
                                             .finish = watcher_finish,
                                             .free = watcher_free};
    struct watcher w = {0}, bad = {0}, many[64];
    leat_filter child;
    void *room;
    size_t n;
    struct ends e = plain(0);
    filter_init(&child, &joins);
    refused(e, &child, -EOPNOTSUPP, "into a pipeline");
    refused(e, NULL, -EINVAL, "missing");
    filter_init(&bad.filter, &broken);
    refused(e, &bad.filter, -EIO, "can't start");
    assert_true(bad.finished == 1 && !atomic_load(&bad.filter.busy));
    assert_int_equal(add(e, leat_filter_ref(watcher(&w)), 0), 0);
    refused(e, leat_filter_ref(&w.filter), -EBUSY, "twice");
    assert_int_equal(leat_writer_reserve(e.w, 1, &room, &n, 0), 0);
    refused(e, watcher(&bad), -EBUSY, "reservation");
    assert_int_equal(leat_writer_commit(e.w, 0, 0), 0);
    memset(many, 0, sizeof(many));
    for (size_t i = 0; i < 63; i++)
        assert_int_equal(add(e, watcher(&many[i]), 0), 0);
    refused(e, watcher(&many[63]), -E2BIG, "64");
    puts_text(e.w, "a");
    gives_text(e.r, "a");
    assert_int_equal(leat_writer_finish(e.w, -1), 0);
    refused(e, watcher(&bad), -EPIPE, "no more bytes");
    close_both(e);
    assert_true(w.seen == 1 && many[62].seen == 1 && many[62].finished == 1);
}

static void without_a_reader_it_is_broken(void **state UNUSED)
{
    struct watcher w = {0};
    struct ends e = plain(0);
    leat_reader_close(e.r);
    refused(e, watcher(&w), -EPIPE, "no more bytes");
    leat_writer_close(e.w);
}

/* ---- pace ---- */

static void one_that_paces_wakes_a_caller_that_polls(void **state UNUSED)
{
    leat_filter *rate;
    struct ends e = plain(0);
    uint8_t sent[200] = {0};
    char bytes[sizeof(sent)];
    size_t done;
    int fd;
    assert_int_equal(leat_reader_fd(e.r, &fd), 0);
    assert_int_equal(leat_filter_rate(&rate, 1000), 0);
    assert_int_equal(add(e, rate, 0), 0);
    struct call w = {.w = e.w, .bytes = sent, .n = sizeof(sent), .timeout_ms = SOON};
    start(&w, do_write);
    for (size_t got = 0; got < sizeof(bytes); got += done) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, SOON), 1);
        int r = leat_reader_read(e.r, bytes, sizeof(bytes), &done, 0);
        assert_true(r == 0 || r == -EAGAIN);
    }
    wait_for(&w);
    assert_int_equal(w.result, 0);
    close_both(e);
}

/* ---- threads ---- */

enum {
    THREADS = 2,
    WRITES = 3000,
    LATE = 30
};

struct writing {
    pthread_t thread;
    leat_writer *w;
    uint8_t mark;
    size_t sent;
};

/* Each write is one run of the same byte, 1 to 300 times, with its length in front. */
static void *write_runs(void *user)
{
    struct writing *w = user;
    uint8_t run[302];
    for (size_t i = 0; i < WRITES; i++) {
        size_t n = 1 + (i * 7919 + w->mark) % 255;
        memset(run, w->mark, n + 1);
        run[0] = (uint8_t)n;
        assert_int_equal(leat_writer_write(w->w, run, n + 1, NULL, SOON), 0);
        w->sent += n + 1;
    }
    return NULL;
}

/* Every filter that came later has seen a suffix of the stream that begins with a whole write: so the first byte that
 * it saw is a length, and the runs follow one another from there on. */
struct follower {
    leat_filter filter;
    size_t left, runs, seen;
    bool bad;
    uint8_t mark;
};

static int follow(leat_filter *filter, struct chunk *chunk, struct leat_error *error UNUSED)
{
    struct follower *f = (struct follower *)filter;
    for (size_t i = 0; i < chunk->length; i++) {
        uint8_t byte = chunk->data[i];
        if (f->left == 0) {
            f->left = byte + 1;
            f->mark = 0;
            f->runs++;
        } else {
            f->bad |= f->mark && byte != f->mark;
            f->mark = byte;
        }
        f->left--;
    }
    f->seen += chunk->length;
    filter_count(filter, chunk->length);
    return 0;
}

static const struct filter_ops follower_ops = {
    .name = "follower", .caps = FILTER_OBSERVES, .observe = follow, .free = watcher_free};

static void *read_all(void *user)
{
    struct call *c = user;
    static uint8_t bytes[5000];
    size_t n = 1;
    while (c->result == 0 && n > 0) {
        c->result = leat_reader_read(c->r, bytes, sizeof(bytes), &n, SOON);
        c->done += n;
    }
    return NULL;
}

static void they_join_among_threads(void **state UNUSED)
{
    static struct follower late[LATE];
    struct writing writing[THREADS];
    struct ends e = plain(backend == LEAT_PIPE_KERNEL ? 4096 : 2000);
    struct call r = {.r = e.r};
    memset(late, 0, sizeof(late));
    start(&r, read_all);
    for (size_t i = 0; i < THREADS; i++) {
        writing[i] = (struct writing){.w = e.w, .mark = (uint8_t)(i + 1)};
        assert_int_equal(pthread_create(&writing[i].thread, NULL, write_runs, &writing[i]), 0);
    }
    for (size_t i = 0; i < LATE; i++) {
        struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
        filter_init(&late[i].filter, &follower_ops);
        assert_int_equal(add(e, &late[i].filter, SOON), 0);
        assert_int_equal(leat_reader_stats(e.r, &stats), 0);
        sched_yield();
    }
    size_t sent = 0;
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(writing[i].thread, NULL);
        sent += writing[i].sent;
    }
    assert_int_equal(leat_writer_finish(e.w, SOON), 0);
    wait_for(&r);
    assert_true(r.result == 0 && r.done == sent);
    for (size_t i = 0; i < LATE; i++) {
        assert_false(late[i].bad);
        assert_int_equal(late[i].left, 0);
        assert_true(late[i].seen <= (i ? late[i - 1].seen : sent));
    }
    close_both(e);
}

#define TEST_BOTH(f) cmocka_unit_test_setup(f, on_queue), cmocka_unit_test_setup(f, on_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(it_sees_what_is_written_afterwards),
        TEST_BOTH(what_was_held_back_goes_out_first),
        TEST_BOTH(every_way_to_write_passes_it),
        TEST_BOTH(it_waits_for_room_and_goes_on),
        TEST_BOTH(as_many_as_the_limit_has_chunks_for),
        TEST_BOTH(what_can_t_be_is_refused_and_the_pipe_goes_on),
        TEST_BOTH(without_a_reader_it_is_broken),
        TEST_BOTH(one_that_paces_wakes_a_caller_that_polls),
        TEST_BOTH(they_join_among_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
