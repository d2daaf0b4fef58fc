/* SPDX-License-Identifier: MIT */
/* timeout: 600
 * Random calls of several writers and readers against a plain model, on both backends, through filters and without.
 * Each writer's bytes carry its number and their place in its stream, and each call is a frame that is not interleaved,
 * so every byte is known when it comes out: none is lost, none comes twice, none is invented, each writer's order
 * holds. LEAT_SOAK_SECONDS is how long (1), LEAT_SOAK_SEED where to begin; a failure prints its seed. */
#include "unit/pipe/pipes.h"
#include <sched.h>

struct dice {
    uint64_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice->state >> 33) % sides;
}

static bool quick(void)
{
    return getenv("LEAT_TEST_QUICK") != NULL;
}

/* ---- one thread on both sides, against an array of bytes ---- */

#define MOST (4u * 1024 * 1024)
static uint8_t from[MOST], to[MOST];

struct model {
    struct ends e;
    struct dice dice;
    uint64_t written, read; /* the array is the pattern between these two */
    bool finished;
    unsigned long calls;
};

/* Mostly little, now and then much, seldom very much. */
static size_t size_of(struct dice *dice)
{
    static const unsigned sizes[] = {1, 2, 16, 64, 300, 4097, 70000, MOST};
    unsigned kind = roll(dice, roll(dice, 20) ? 6 : roll(dice, 20) ? 7 : COUNT(sizes));
    return roll(dice, 1 + sizes[kind]);
}

static int timeout_of(struct dice *dice)
{
    return roll(dice, 200) == 0 ? 1 : 0;
}

static bool is_answer(int r)
{
    return r == 0 || r == -EAGAIN || r == -ETIMEDOUT;
}

static void model_write(struct model *m)
{
    size_t n = size_of(&m->dice), done = 12345678;
    fill_pattern(from, m->written, n);
    bool some = roll(&m->dice, 2);
    int r = (some ? leat_writer_write_some : leat_writer_write)(m->e.w, from, n, &done, timeout_of(&m->dice));
    assert_true(is_answer(r) && done <= n);
    assert_true(r == 0 ? (done > 0 || n == 0) : done < n);
    if (!some && r == 0)
        assert_int_equal(done, n);
    m->written += done;
}

static void model_reserve(struct model *m)
{
    void *room;
    size_t have, want = size_of(&m->dice);
    int r = leat_writer_reserve(m->e.w, want, &room, &have, timeout_of(&m->dice));
    assert_true(is_answer(r));
    if (r < 0)
        return;
    assert_true(have > 0);
    size_t n = roll(&m->dice, (unsigned)MIN(have, 100000) + 1);
    fill_pattern(room, m->written, n);
    assert_int_equal(leat_writer_commit(m->e.w, n, -1), 0);
    m->written += n;
}

static void model_read(struct model *m)
{
    size_t n = size_of(&m->dice), done = 12345678;
    bool full = roll(&m->dice, 2);
    int r = (full ? leat_reader_read_full : leat_reader_read)(m->e.r, to, n, &done, timeout_of(&m->dice));
    assert_true(is_answer(r) && done <= n);
    is_pattern(to, m->read, done);
    m->read += done;
    assert_true(m->read <= m->written);
    if (r < 0) /* nothing is left but what is not there */
        assert_int_equal(m->read, m->written);
    else if (done == 0 && n > 0)
        assert_true(m->finished && m->read == m->written);
}

static void model_peek(struct model *m)
{
    const void *bytes;
    size_t n;
    int r = leat_reader_peek(m->e.r, &bytes, &n, timeout_of(&m->dice));
    assert_true(is_answer(r));
    if (r < 0) {
        assert_int_equal(m->read, m->written);
        return;
    }
    assert_true(n <= m->written - m->read);
    is_pattern(bytes, m->read, n);
    n = roll(&m->dice, (unsigned)n + 1);
    assert_int_equal(leat_reader_consume(m->e.r, n), 0);
    m->read += n;
}

static void model_run(uint64_t seed, int backend, unsigned calls)
{
    static const uint64_t limits[] = {1, 2, 7, 100, 4096, 5000, 65536, 1048576, 0};
    struct model m = {.dice = {seed}};
    struct watcher w = {.patterned = true};
    leat_filter *filter = watcher(&w);
    uint64_t limit = limits[roll(&m.dice, COUNT(limits))];
    if (backend == LEAT_PIPE_KERNEL && limit && limit < 4096)
        limit = 4096;
    bool filtered = roll(&m.dice, 2);
    m.e = open_with(backend, limit, 0, &filter, filtered);
    for (; m.calls < calls; m.calls++) {
        unsigned what = roll(&m.dice, 100);
        if (what < 35)
            model_write(&m);
        else if (what < 50)
            model_reserve(&m);
        else if (what < 80)
            model_read(&m);
        else if (what < 95)
            model_peek(&m);
        else if (what < 97 && (backend == LEAT_PIPE_QUEUE || m.written == m.read))
            assert_int_equal(leat_writer_flush(m.e.w, -1), 0);
    }
    while (leat_reader_read(m.e.r, to, MOST, &(size_t){0}, 0) == 0)
        ;
    struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
    leat_writer_stats(m.e.w, &s);
    assert_true(s.bytes_in == m.written && s.bytes_out == m.written && s.high_water <= s.memory_limit + s.chunk_size);
    assert_true(backend == LEAT_PIPE_KERNEL || s.high_water <= s.memory_limit);
    assert_int_equal(leat_writer_finish(m.e.w, -1), 0);
    gives_code(m.e.r, 0);
    close_both(m.e);
    assert_true(!filtered || (!w.bad && w.seen == m.written));
}

/* ---- several threads ---- */

#define WRITERS_MOST 3
#define READERS_MOST 3

struct frame {
    uint32_t writer, length; /* of the whole frame, this head included */
    uint64_t number;
};

struct crowd {
    struct ends e;
    uint64_t seed;
    pthread_mutex_t lock; /* readers take a whole frame at a time */
    uint64_t next[WRITERS_MOST];
    atomic_int bad;
    atomic_uint frames, id;
    unsigned each;
};

static void *crowd_write(void *user)
{
    struct crowd *c = user;
    uint32_t id = atomic_fetch_add(&c->id, 1);
    struct dice dice = {c->seed + id};
    static _Thread_local uint8_t bytes[20000];
    for (uint64_t i = 0; i < c->each; i++) {
        uint32_t n = (uint32_t)sizeof(struct frame) + roll(&dice, roll(&dice, 20) ? 200 : 19000);
        struct frame frame = {id, n, i};
        memcpy(bytes, &frame, sizeof(frame));
        fill_pattern(bytes + sizeof(frame), i, n - sizeof(frame));
        if (leat_writer_write(c->e.w, bytes, n, NULL, SOON) < 0)
            atomic_store(&c->bad, 1);
    }
    return NULL;
}

static bool take_frame(struct crowd *c, uint8_t *bytes)
{
    struct frame frame;
    size_t done;
    if (leat_reader_read_full(c->e.r, &frame, sizeof(frame), &done, SOON) < 0 || done == 0)
        return false;
    size_t n = frame.length - sizeof(frame);
    if (done < sizeof(frame) || frame.writer >= WRITERS_MOST || n > 20000 ||
        leat_reader_read_full(c->e.r, bytes, n, &done, SOON) < 0 || done < n ||
        c->next[frame.writer]++ != frame.number) {
        atomic_store(&c->bad, 2);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != pattern(frame.number + i))
            atomic_store(&c->bad, 3);
    atomic_fetch_add(&c->frames, 1);
    return true;
}

static void *crowd_read(void *user)
{
    struct crowd *c = user;
    static _Thread_local uint8_t bytes[20000];
    bool more = true;
    while (more) {
        pthread_mutex_lock(&c->lock);
        more = take_frame(c, bytes);
        pthread_mutex_unlock(&c->lock);
    }
    return NULL;
}

static void crowd_run(uint64_t seed, int backend, unsigned each)
{
    static const uint64_t limits[] = {1, 5, 64, 4096, 65536, 0};
    struct dice dice = {seed};
    struct crowd c = {.seed = seed, .each = each, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct watcher w = {0};
    leat_filter *filter = watcher(&w);
    pthread_t writer[WRITERS_MOST], reader[READERS_MOST];
    unsigned writers = 1 + roll(&dice, WRITERS_MOST), readers = 1 + roll(&dice, READERS_MOST);
    uint64_t limit = limits[roll(&dice, COUNT(limits))];
    if (limit && limit < 4096)
        c.each = MAX(each / 10, 1);
    c.e =
        open_with(backend, backend == LEAT_PIPE_KERNEL && limit ? MAX(limit, 4096) : limit, 0, &filter, roll(&dice, 2));
    for (unsigned i = 0; i < readers; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, crowd_read, &c), 0);
    for (unsigned i = 0; i < writers; i++)
        assert_int_equal(pthread_create(&writer[i], NULL, crowd_write, &c), 0);
    for (unsigned i = 0; i < writers; i++)
        pthread_join(writer[i], NULL);
    assert_int_equal(leat_writer_finish(c.e.w, -1), 0);
    for (unsigned i = 0; i < readers; i++)
        pthread_join(reader[i], NULL);
    assert_int_equal(c.bad, 0);
    assert_int_equal(c.frames, writers * c.each);
    close_both(c.e);
}

/* ---- a ring of one byte: every byte needs two wake-ups ---- */

struct hunt {
    struct ends e;
    unsigned n;
};

static void *hunt_write(void *user)
{
    struct hunt *h = user;
    uint8_t bytes[8];
    for (unsigned i = 0, n; i < h->n; i += n) {
        n = MIN(1 + i % sizeof(bytes), h->n - i);
        fill_pattern(bytes, i, n);
        if (leat_writer_write(h->e.w, bytes, n, NULL, SOON) < 0)
            break;
    }
    finish_and_close(h->e.w);
    return NULL;
}

static void hunt_run(unsigned n, uint64_t limit, size_t piece)
{
    struct hunt h = {.e = open_pipe(LEAT_PIPE_QUEUE, limit), .n = n};
    pthread_t thread;
    uint8_t bytes[8];
    size_t got = 0, done;
    assert_int_equal(pthread_create(&thread, NULL, hunt_write, &h), 0);
    while (leat_reader_read_full(h.e.r, bytes, piece, &done, SOON) == 0 && done) {
        is_pattern(bytes, got, done);
        got += done;
    }
    pthread_join(thread, NULL);
    assert_int_equal(got, n);
    leat_reader_close(h.e.r);
}

/* ---- questions and answers: a byte that is not shown is one that nobody pushes on ---- */

struct echo {
    struct ends there, back;
};

static void *echo_all(void *user)
{
    struct echo *echo = user;
    uint8_t bytes[64];
    size_t done;
    while (leat_reader_read(echo->there.r, bytes, sizeof(bytes), &done, SOON) == 0 && done)
        if (leat_writer_write(echo->back.w, bytes, done, NULL, SOON) < 0)
            break;
    finish_and_close(echo->back.w);
    return NULL;
}

/* Several small writes, of which the reader may have seen some, then a wait for all of them. */
static void echo_run(uint64_t seed, unsigned rounds)
{
    struct dice dice = {seed};
    struct echo echo = {.there = open_pipe(LEAT_PIPE_QUEUE, 0), .back = open_pipe(LEAT_PIPE_QUEUE, 0)};
    pthread_t thread;
    uint8_t bytes[64];
    uint64_t sent = 0, got = 0;
    assert_int_equal(pthread_create(&thread, NULL, echo_all, &echo), 0);
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned writes = 1 + roll(&dice, 4); writes > 0; writes--) {
            size_t n = 1 + roll(&dice, 16);
            fill_pattern(bytes, sent, n);
            assert_int_equal(leat_writer_write(echo.there.w, bytes, n, NULL, SOON), 0);
            sent += n;
        }
        for (size_t done; got < sent; got += done) {
            assert_int_equal(leat_reader_read(echo.back.r, bytes, sizeof(bytes), &done, SOON), 0);
            assert_true(done > 0);
            is_pattern(bytes, got, done);
        }
    }
    finish_and_close(echo.there.w);
    gives_code(echo.back.r, 0);
    pthread_join(thread, NULL);
    leat_reader_close(echo.there.r);
    leat_reader_close(echo.back.r);
}

/* ---- the tests ---- */

static uint64_t first_seed(void)
{
    const char *seed = getenv("LEAT_SOAK_SEED");
    return seed ? strtoull(seed, NULL, 0) : 1;
}

static int64_t soak_until(void)
{
    const char *seconds = getenv("LEAT_SOAK_SECONDS");
    double s = seconds ? strtod(seconds, NULL) / 4 : 0;
    return clock_ns() + (int64_t)(s * 1e9);
}

static void random_calls_agree_with_a_plain_array(void **state UNUSED)
{
    int64_t until = soak_until();
    unsigned least = quick() ? 60 : 1000;
    for (uint64_t seed = first_seed(), runs = 0; runs < least || clock_ns() < until; seed++, runs++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        model_run(seed, runs % 2 && has_sized_pipes() ? LEAT_PIPE_KERNEL : LEAT_PIPE_QUEUE,
                  quick() ? 500 : 1000); /* a million calls */
    }
}

static void several_writers_and_readers_lose_nothing(void **state UNUSED)
{
    int64_t until = soak_until();
    unsigned least = quick() ? 6 : 40;
    for (uint64_t seed = first_seed(), runs = 0; runs < least || clock_ns() < until; seed++, runs++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        crowd_run(seed, runs % 2 && has_sized_pipes() ? LEAT_PIPE_KERNEL : LEAT_PIPE_QUEUE, quick() ? 30 : 300);
    }
}

/* Whole pipes in the long form, LEAT_SOAK_RUNS of them; taskset(1) decides on which processors. */
static void no_wake_up_is_lost_at_a_limit_of_one_byte(void **state UNUSED)
{
    const char *wanted = getenv("LEAT_SOAK_RUNS");
    unsigned runs = wanted ? (unsigned)strtoul(wanted, NULL, 0) : quick() ? 30 : 200;
    for (unsigned i = 0; i < runs; i++)
        hunt_run(quick() ? 30 : 100, 1 + i % 3, 1 + i % 8);
}

static void no_byte_is_kept_back_from_who_waits(void **state UNUSED)
{
    int64_t until = soak_until();
    unsigned least = quick() ? 2 : 10;
    for (uint64_t seed = first_seed(), runs = 0; runs < least || clock_ns() < until; seed++, runs++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        echo_run(seed, quick() ? 300 : 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_agree_with_a_plain_array),
        cmocka_unit_test(several_writers_and_readers_lose_nothing),
        cmocka_unit_test(no_wake_up_is_lost_at_a_limit_of_one_byte),
        cmocka_unit_test(no_byte_is_kept_back_from_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
