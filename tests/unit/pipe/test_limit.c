/* SPDX-License-Identifier: MIT */
/* The limit of a queue, to the byte: so many are held, whatever the chunks, and what is read is room again at once. Two
 * who move the same number of bytes in turn never wait for one another. */
#include "unit/pipe/pipes.h"
#include <pthread.h>

static uint8_t much[100001], back[100001];

static const uint64_t limits[] = {1, 2, 3, 7, 16, 17, 100, 1000, 4096, 4097, 65536, 100000};

static struct ends of(uint64_t limit, uint64_t chunk)
{
    struct ends e;
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.backend = LEAT_PIPE_QUEUE;
    options.memory_limit = limit;
    options.chunk_size = chunk;
    assert_int_equal(leat_pipe_open(&e.w, &e.r, &options, NULL), 0);
    return e;
}

static uint64_t chunk_of(uint64_t limit, int which)
{
    return which == 0 ? 0 : which == 1 ? limit : which == 2 ? 1 : MAX(limit / 3, 1);
}

static uint64_t limit_that_holds(const leat_writer *w)
{
    struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
    assert_int_equal(leat_writer_stats(w, &stats), 0);
    return stats.memory_limit;
}

static void so_many_bytes_are_held(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        for (int which = 0; which < 4; which++) {
            struct ends e = of(limits[i], chunk_of(limits[i], which));
            size_t done;
            assert_int_equal(limit_that_holds(e.w), limits[i]);
            fill_pattern(much, 0, limits[i] + 1);
            assert_int_equal(leat_writer_write(e.w, much, limits[i] + 1, &done, 0), -EAGAIN);
            assert_int_equal(done, limits[i]);
            close_both(e);
        }
    }
}

/* With filters it holds whole chunks, and the stats say how many bytes that are. */
static void with_filters_the_stats_say_what_holds(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
        struct ends e;
        leat_filter *filter;
        size_t done;
        assert_int_equal(leat_filter_meter(&filter), 0);
        options.memory_limit = limits[i];
        options.filters = &filter;
        options.filter_count = 1;
        assert_int_equal(leat_pipe_open(&e.w, &e.r, &options, NULL), 0);
        uint64_t holds = limit_that_holds(e.w);
        assert_true(holds > 0 && holds <= limits[i]);
        assert_int_equal(leat_writer_write(e.w, much, sizeof(much), &done, 0), holds < sizeof(much) ? -EAGAIN : 0);
        assert_int_equal(done, MIN(holds, sizeof(much)));
        close_both(e);
    }
}

static struct leat_pipe_stats stats_of(struct ends e)
{
    struct leat_pipe_stats w = LEAT_INIT(struct leat_pipe_stats), r = LEAT_INIT(struct leat_pipe_stats);
    assert_int_equal(leat_writer_stats(e.w, &w), 0);
    assert_int_equal(leat_reader_stats(e.r, &r), 0);
    assert_true(w.unread == r.unread && w.room == r.room);
    return w;
}

/* Both numbers hold to the byte: so many can be written and read, and one more can't. */
static void unread_and_room_are_exact(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        for (int which = 0; which < 4; which++) {
            struct ends e = of(limits[i], chunk_of(limits[i], which));
            size_t first = limits[i] / 2, done;
            assert_true(stats_of(e).unread == 0 && stats_of(e).room == limits[i]);
            assert_int_equal(leat_writer_write(e.w, much, first, NULL, 0), 0);
            assert_true(stats_of(e).unread == first && stats_of(e).room == limits[i] - first);
            assert_int_equal(leat_writer_write(e.w, much, stats_of(e).room + 1, &done, 0), -EAGAIN);
            assert_int_equal(done, limits[i] - first);
            assert_true(stats_of(e).unread == limits[i] && stats_of(e).room == 0);
            assert_int_equal(leat_reader_read_full(e.r, back, limits[i], NULL, 0), 0);
            assert_true(stats_of(e).unread == 0 && stats_of(e).room == limits[i]);
            close_both(e);
        }
    }
}

/* A peek counts nothing as read. */
static void what_is_peeked_at_is_unread(void **state UNUSED)
{
    struct ends e = of(100, 50);
    const void *bytes;
    size_t n;
    assert_int_equal(leat_writer_write(e.w, much, 40, NULL, 0), 0);
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, 0), 0);
    assert_true(stats_of(e).unread == 40 && stats_of(e).room == 60);
    assert_int_equal(leat_reader_consume(e.r, 15), 0);
    assert_true(stats_of(e).unread == 25 && stats_of(e).room == 75);
    close_both(e);
}

/* With a filter there is room for at least as many bytes as is said, and all that was written can be read. */
static void free_chunks_are_room(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
        struct ends e;
        leat_filter *filter;
        assert_int_equal(leat_filter_meter(&filter), 0);
        options.memory_limit = limits[i];
        options.filters = &filter;
        options.filter_count = 1;
        assert_int_equal(leat_pipe_open(&e.w, &e.r, &options, NULL), 0);
        uint64_t holds = stats_of(e).room, written = 0;
        assert_int_equal(holds, limit_that_holds(e.w));
        for (size_t part = 1; stats_of(e).room; part = MIN(2 * part, stats_of(e).room)) {
            assert_int_equal(leat_writer_write(e.w, much, part, NULL, 0), 0);
            written += part;
            assert_true(stats_of(e).room <= holds - written);
            assert_int_equal(stats_of(e).unread, written);
        }
        assert_int_equal(leat_reader_read_full(e.r, back, written, NULL, 0), 0);
        assert_int_equal(stats_of(e).unread, 0);
        close_both(e);
    }
}

static void without_a_reader_or_after_the_end_there_is_no_room(void **state UNUSED)
{
    struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
    struct ends e = of(100, 0);
    assert_int_equal(leat_writer_write(e.w, much, 40, NULL, 0), 0);
    assert_int_equal(leat_writer_finish(e.w, 0), 0);
    assert_true(stats_of(e).unread == 40 && stats_of(e).room == 0);
    close_both(e);
    e = of(100, 0);
    assert_int_equal(leat_writer_write(e.w, much, 40, NULL, 0), 0);
    leat_reader_close(e.r);
    assert_int_equal(leat_writer_stats(e.w, &s), 0);
    assert_true(s.unread == 0 && s.room == 0);
    leat_writer_close(e.w);
}

/* Of a full queue: k bytes are read, so k fit, and no more. */
static void what_is_read_is_room_at_once(void **state UNUSED)
{
    static const size_t steps[] = {1, 2, 3, 5, 64, 1000, 4095};
    for (size_t i = 0; i < COUNT(limits); i++) {
        for (int which = 0; which < 4; which++) {
            struct ends e = of(limits[i], chunk_of(limits[i], which));
            size_t done, at = 0, read = 0;
            fill_pattern(much, 0, limits[i]);
            assert_int_equal(leat_writer_write(e.w, much, limits[i], &done, 0), 0);
            at += done;
            for (size_t s = 0; s < 4 * COUNT(steps); s++) {
                size_t k = MIN(steps[s % COUNT(steps)], limits[i]);
                assert_int_equal(leat_reader_read_full(e.r, back, k, &done, 0), 0);
                is_pattern(back, read, k);
                read += k;
                fill_pattern(much, at, k + 1);
                assert_int_equal(leat_writer_write(e.w, much, k + 1, &done, 0), -EAGAIN);
                assert_int_equal(done, k);
                at += k;
            }
            close_both(e);
        }
    }
}

static void a_reservation_has_what_the_limit_leaves(void **state UNUSED)
{
    struct ends e = of(100, 50);
    void *room;
    size_t n;
    assert_int_equal(leat_writer_write(e.w, much, 90, NULL, 0), 0);
    assert_int_equal(leat_writer_reserve(e.w, 11, &room, &n, 0), -EAGAIN);
    assert_int_equal(leat_writer_reserve(e.w, 10, &room, &n, 0), 0);
    assert_int_equal(n, 10);
    assert_int_equal(leat_writer_commit(e.w, 10, -1), 0);
    assert_int_equal(leat_writer_reserve(e.w, 1, &room, &n, 0), -EAGAIN);
    assert_int_equal(leat_reader_read_full(e.r, back, 60, &n, 0), 0);
    assert_int_equal(leat_writer_reserve(e.w, 1000, &room, &n, 0), 0); /* a chunk is all that is promised */
    assert_int_equal(n, 50);
    close_both(e);
}

/* ---- two threads ---- */

#define ROUNDS 300

struct peer {
    leat_reader *r;
    leat_writer *w;
    int result;
};

/* Reads a byte and passes it on, so long as there are any. */
static void *pass_on(void *user)
{
    struct peer *peer = user;
    for (int i = 0; i < ROUNDS && peer->result == 0; i++) {
        char byte;
        peer->result = leat_reader_read_full(peer->r, &byte, 1, NULL, SOON);
        if (peer->result == 0)
            peer->result = leat_writer_write(peer->w, &byte, 1, NULL, SOON);
    }
    return NULL;
}

/* A ring of two pipes that is full: each can only go on when the other one has read a byte. */
static void two_in_lockstep_over_full_pipes_go_on(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct ends a = of(limits[i], 0), b = of(limits[i], 0);
        struct peer one = {a.r, b.w, 0}, other = {b.r, a.w, 0};
        pthread_t thread;
        assert_int_equal(leat_writer_write(a.w, much, limits[i], NULL, 0), 0);
        assert_int_equal(leat_writer_write(b.w, much, limits[i] - 1, NULL, 0), 0);
        assert_int_equal(pthread_create(&thread, NULL, pass_on, &one), 0);
        pass_on(&other);
        pthread_join(thread, NULL);
        if (one.result < 0 || other.result < 0)
            fail_msg("with a limit of %llu: %d and %d", (unsigned long long)limits[i], one.result, other.result);
        close_both(a);
        close_both(b);
    }
}

static void *write_one(void *user)
{
    struct peer *peer = user;
    peer->result = leat_writer_write(peer->w, "x", 1, NULL, SOON);
    return NULL;
}

/* A call that already waits gets the byte that is read. */
static void a_writer_that_waits_is_woken_by_one_byte(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct ends e = of(limits[i], 0);
        struct peer peer = {e.r, e.w, 0};
        pthread_t thread;
        char byte;
        assert_int_equal(leat_writer_write(e.w, much, limits[i], NULL, 0), 0);
        assert_int_equal(pthread_create(&thread, NULL, write_one, &peer), 0);
        if (i % 2)
            usleep(2000); /* it sleeps; else it may still look around */
        assert_int_equal(leat_reader_read(e.r, &byte, 1, NULL, 0), 0);
        pthread_join(thread, NULL);
        assert_int_equal(peer.result, 0);
        close_both(e);
    }
}

/* A reader that waits for more than the limit lets the writer go on with each part. */
static void *read_all(void *user)
{
    struct peer *peer = user;
    peer->result = leat_reader_read_full(peer->r, back, 100000, NULL, SOON);
    return NULL;
}

static void a_read_of_more_than_the_limit_is_filled(void **state UNUSED)
{
    for (size_t i = 2; i < COUNT(limits); i++) {
        struct ends e = of(limits[i], 0);
        struct peer peer = {e.r, e.w, 0};
        pthread_t thread;
        fill_pattern(much, 0, 100000);
        assert_int_equal(pthread_create(&thread, NULL, read_all, &peer), 0);
        assert_int_equal(leat_writer_write(e.w, much, 100000, NULL, SOON), 0);
        pthread_join(thread, NULL);
        assert_int_equal(peer.result, 0);
        is_pattern(back, 0, 100000);
        close_both(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_bytes_are_held),
        cmocka_unit_test(with_filters_the_stats_say_what_holds),
        cmocka_unit_test(unread_and_room_are_exact),
        cmocka_unit_test(what_is_peeked_at_is_unread),
        cmocka_unit_test(free_chunks_are_room),
        cmocka_unit_test(without_a_reader_or_after_the_end_there_is_no_room),
        cmocka_unit_test(what_is_read_is_room_at_once),
        cmocka_unit_test(a_reservation_has_what_the_limit_leaves),
        cmocka_unit_test(two_in_lockstep_over_full_pipes_go_on),
        cmocka_unit_test(a_writer_that_waits_is_woken_by_one_byte),
        cmocka_unit_test(a_read_of_more_than_the_limit_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
