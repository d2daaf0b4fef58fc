/* SPDX-License-Identifier: MIT */
/* labels: long
 * What a stream promises, one by one: answers at the end, bounds that block nobody for good, searches that look at each
 * byte once, misuse that is refused and changes nothing. */
#include "unit/unit.h"
#include <leat/stream.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

static leat_pool *pool_of(size_t chunk)
{
    struct leat_pool_options options = {.size = sizeof(options), .chunk_min = chunk, .chunk_max = chunk};
    leat_pool *pool;
    assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
    return pool;
}

static leat_stream *stream_of(size_t chunk)
{
    leat_stream *stream;
    leat_pool *pool = pool_of(chunk);
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    leat_pool_free(pool);
    return stream;
}

static leat_stream *bounded(uint64_t pause, uint64_t resume, uint64_t limit, int waits)
{
    struct leat_stream_options options = {
        .size = sizeof(options), .pause_at = pause, .resume_at = resume, .limit = limit, .waits = waits};
    leat_stream *stream;
    leat_pool *pool = pool_of(16);
    assert_int_equal(leat_stream_new(&stream, pool, &options, NULL), 0);
    leat_pool_free(pool);
    return stream;
}

static void put(leat_stream *stream, const char *text)
{
    assert_int_equal(leat_stream_append(stream, text, strlen(text)), 0);
}

static void is_text(struct leat_view *view, const char *text)
{
    assert_int_equal(view->length, strlen(text));
    assert_int_equal(leat_view_compare_bytes(view, text, strlen(text)), 0);
    assert_non_null(view->data);
    leat_view_release(view);
}

static void a_line_says(leat_stream *stream, const char *text)
{
    struct leat_view view;
    assert_int_equal(leat_stream_take_line(stream, 0, &view), 0);
    is_text(&view, text);
}

static uint64_t searched(leat_stream *stream)
{
    struct leat_stream_usage stats = LEAT_INIT(struct leat_stream_usage);
    leat_stream_stats(stream, &stats);
    return stats.bytes_searched;
}

/* ---- faults of others ---- */

static void no_more_is_committed_than_was_reserved(void **state UNUSED)
{
    leat_stream *stream = stream_of(4);
    void *room, *again;
    size_t n;
    assert_int_equal(leat_stream_commit(stream, 1), -EINVAL);
    assert_int_equal(leat_stream_reserve(stream, 4, &room, &n), 0);
    assert_int_equal(n, 4);
    assert_int_equal(leat_stream_commit(stream, 1 << 20), -EINVAL);
    assert_int_equal(leat_stream_commit(stream, SIZE_MAX), -EINVAL);
    assert_int_equal(leat_stream_length(stream), 0);
    memcpy(room, "abc", 3);
    assert_int_equal(leat_stream_reserve(stream, 1, &again, &n), -EBUSY);
    assert_int_equal(leat_stream_commit(stream, 3), 0); /* the reservation was still there */
    struct leat_view view;
    assert_int_equal(leat_stream_take(stream, 3, &view), 0);
    is_text(&view, "abc");
    leat_stream_free(stream);
}

static void a_line_across_chunks_is_whole(void **state UNUSED)
{
    leat_stream *stream = stream_of(4);
    put(stream, "test");
    put(stream, "ing\nnext\r");
    a_line_says(stream, "testing");
    struct leat_view view;
    assert_int_equal(leat_stream_take_line(stream, 0, &view), -EAGAIN);
    put(stream, "\n\r\n\n\rx\r\r\n");
    a_line_says(stream, "next");
    a_line_says(stream, "");
    a_line_says(stream, "");
    a_line_says(stream, "\rx\r"); /* one carriage return belongs to the line's end, no more */
    leat_stream_free(stream);
}

static void find_honours_start_and_end(void **state UNUSED)
{
    for (size_t chunk = 1; chunk <= 16; chunk *= 2) {
        leat_stream *stream = stream_of(chunk);
        size_t at = 99;
        put(stream, "..needle..needle");
        assert_int_equal(leat_stream_find(stream, "needle", 6, 0, 7, &at), -ENODATA); /* ends behind the end */
        assert_int_equal(at, 99);
        assert_int_equal(leat_stream_find(stream, "needle", 6, 0, 8, &at), 0);
        assert_int_equal(at, 2);
        assert_int_equal(leat_stream_find(stream, "needle", 6, 3, 15, &at), -ENODATA);
        assert_int_equal(leat_stream_find(stream, "needle", 6, 3, 16, &at), 0);
        assert_int_equal(at, 10);
        assert_int_equal(leat_stream_find(stream, "needle", 6, 2, SIZE_MAX, &at), 0);
        assert_int_equal(at, 2);
        assert_int_equal(leat_stream_find(stream, "n", 1, 3, 10, &at), -ENODATA);
        assert_int_equal(leat_stream_find(stream, "n", 1, 3, 17, &at), 0);
        assert_int_equal(leat_stream_find(stream, "x", 1, 0, 17, &at), -EAGAIN); /* one more byte may come in there */
        assert_int_equal(leat_stream_find(stream, "x", 1, 1000, SIZE_MAX, &at), -EAGAIN);
        assert_int_equal(leat_stream_find(stream, "x", 1, 2, 1, &at), -EINVAL);
        leat_stream_free(stream);
    }
}

/* Megabytes without a newline, in small pieces, asked for a line each time: each byte is looked at once. */
static void a_miss_is_not_searched_again(void **state UNUSED)
{
    leat_stream *stream;
    struct leat_view view;
    char piece[1024];
    size_t pieces = getenv("LEAT_TEST_QUICK") ? 4096 : 65536, at;
    memset(piece, '.', sizeof(piece));
    assert_int_equal(leat_stream_new(&stream, NULL, NULL, NULL), 0);
    for (size_t i = 0; i < pieces; i++) {
        assert_int_equal(leat_stream_append(stream, piece, sizeof(piece)), 0);
        assert_int_equal(leat_stream_take_line(stream, 0, &view), -EAGAIN);
    }
    assert_int_equal(searched(stream), pieces * sizeof(piece));
    /* Others, too, and the three of them do not drive each other out. */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(leat_stream_find(stream, "..x", 3, 0, SIZE_MAX, &at), -EAGAIN);
        assert_int_equal(leat_stream_take_until(stream, "\r\n\r\n", 4, 0, &view), -EAGAIN);
        assert_int_equal(leat_stream_take_until(stream, ";", 1, 0, &view), -EAGAIN);
        assert_int_equal(leat_stream_take_line(stream, 0, &view), -EAGAIN);
    }
    assert_int_equal(searched(stream), 4 * pieces * sizeof(piece));
    put(stream, "..\n");
    assert_int_equal(leat_stream_take_line(stream, 0, &view), 0);
    assert_int_equal(view.length, pieces * sizeof(piece) + 2);
    leat_view_release(&view);
    leat_stream_free(stream);
}

/* A separator that almost matches everywhere is no worse. */
static void a_needle_that_repeats_itself_is_found_in_one_pass(void **state UNUSED)
{
    leat_stream *stream = stream_of(64);
    char needle[200], text[2000];
    size_t at;
    memset(needle, 'a', sizeof(needle));
    memset(text, 'a', sizeof(text));
    needle[sizeof(needle) - 1] = 'b';
    for (size_t i = 0; i < sizeof(text); i += 100) {
        assert_int_equal(leat_stream_append(stream, text, 100), 0);
        assert_int_equal(leat_stream_find(stream, needle, sizeof(needle), 0, SIZE_MAX, &at), -EAGAIN);
    }
    assert_int_equal(searched(stream), sizeof(text));
    put(stream, "b");
    assert_int_equal(leat_stream_find(stream, needle, sizeof(needle), 0, SIZE_MAX, &at), 0);
    assert_int_equal(at, sizeof(text) + 1 - sizeof(needle));
    leat_stream_free(stream);
}

/* A hint that does not fit goes elsewhere, and what it left is used for what comes later. */
static void the_rest_of_a_chunk_is_not_lost(void **state UNUSED)
{
    leat_pool *pool = pool_of(64);
    struct leat_pool_usage stats = LEAT_INIT(struct leat_pool_usage);
    leat_stream *stream;
    void *room, *before;
    size_t n;
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_reserve(stream, 1, &before, &n), 0);
    memset(before, 'a', 40);
    assert_int_equal(leat_stream_commit(stream, 40), 0);
    assert_int_equal(leat_stream_reserve(stream, 64, &room, &n), 0); /* 24 are left */
    assert_int_equal(n, 64);
    memset(room, 'b', 64);
    assert_int_equal(leat_stream_commit(stream, 64), 0);
    assert_int_equal(leat_stream_reserve(stream, 10, &room, &n), 0);
    assert_ptr_equal(room, (char *)before + 40);
    assert_int_equal(n, 24);
    memset(room, 'c', 24);
    assert_int_equal(leat_stream_commit(stream, 24), 0);
    leat_pool_stats(pool, &stats);
    assert_int_equal(stats.in_use, 128); /* for 128 bytes */
    char all[128];
    assert_int_equal(leat_stream_read(stream, all, sizeof(all), &n), 0);
    assert_int_equal(n, 128);
    assert_true(all[0] == 'a' && all[39] == 'a' && all[40] == 'b' && all[103] == 'b' && all[104] == 'c');
    leat_stream_free(stream);
    leat_pool_free(pool);
}

static void a_search_keeps_the_limit(void **state UNUSED)
{
    leat_stream *stream = bounded(8, 4, 20, 0);
    struct leat_view view;
    void *room;
    size_t n;
    put(stream, "12345678");
    assert_int_equal(leat_stream_reserve(stream, 1, &room, &n), -EAGAIN);
    for (size_t i = 8; i < 20; i++) {
        assert_int_equal(leat_stream_take_line(stream, 0, &view), -EAGAIN);
        put(stream, "9");
    }
    assert_int_equal(leat_stream_take_line(stream, 0, &view), -EMSGSIZE);
    assert_int_equal(leat_stream_take_until(stream, "ab", 2, 0, &view), -EMSGSIZE);
    assert_int_equal(leat_stream_find(stream, "ab", 2, 0, SIZE_MAX, &n), -EMSGSIZE);
    assert_int_equal(leat_stream_take(stream, 21, &view), -EMSGSIZE);
    assert_int_equal(leat_stream_append(stream, "x", 1), -EAGAIN);
    assert_int_equal(leat_stream_length(stream), 20);
    assert_int_equal(leat_stream_take(stream, 20, &view), 0); /* it is all still there */
    leat_view_release(&view);
    leat_stream_free(stream);
}

/* ---- bounds ---- */

static void between_the_marks_it_is_what_it_was(void **state UNUSED)
{
    leat_stream *stream = bounded(10, 4, 100, 0);
    put(stream, "123456789");
    assert_int_equal(leat_stream_paused(stream), 0);
    put(stream, "0");
    assert_int_equal(leat_stream_paused(stream), 1);
    assert_int_equal(leat_stream_skip(stream, 5), 0);
    assert_int_equal(leat_stream_append(stream, "x", 1), -EAGAIN); /* 5 are more than 4 */
    assert_int_equal(leat_stream_skip(stream, 1), 0);
    put(stream, "12345");
    assert_int_equal(leat_stream_paused(stream), 0);
    leat_stream_free(stream);
}

static void who_needs_more_than_the_mark_gets_it(void **state UNUSED)
{
    leat_stream *stream = bounded(4, 2, 64, 0);
    struct leat_view view;
    put(stream, "abcd");
    assert_int_equal(leat_stream_append(stream, "e", 1), -EAGAIN);
    assert_int_equal(leat_stream_take(stream, 4 + 3, &view), -EAGAIN);
    put(stream, "e"); /* on */
    put(stream, "f");
    put(stream, "g");
    assert_int_equal(leat_stream_append(stream, "h", 1), -EAGAIN); /* it has what it wanted */
    assert_int_equal(leat_stream_take(stream, 7, &view), 0);
    is_text(&view, "abcdefg");
    leat_stream_free(stream);
}

static void what_can_never_fit_is_told_to_both(void **state UNUSED)
{
    leat_stream *stream = bounded(8, 4, 16, 0);
    struct leat_view view;
    put(stream, "0123456789");
    assert_int_equal(leat_stream_append(stream, "0123456789abcdefg", 17), -EMSGSIZE);
    assert_int_equal(leat_stream_append(stream, "abcdefg", 7), -EAGAIN); /* later, perhaps */
    assert_int_equal(leat_stream_take_line(stream, 0, &view), -EAGAIN);
    assert_int_equal(leat_stream_append(stream, "abcdefg", 7), -EMSGSIZE); /* the reader waits for it */
    void *room;
    size_t n;
    assert_int_equal(leat_stream_reserve(stream, 16, &room, &n), 0);
    assert_int_equal(n, 6); /* never past the limit */
    assert_int_equal(leat_stream_commit(stream, 6), 0);
    assert_int_equal(leat_stream_length(stream), 16);
    leat_stream_free(stream);
}

static void bounds_that_can_not_be(void **state UNUSED)
{
    static const struct {
        uint64_t pause_at, resume_at, limit;
        const char *text;
    } wrong[] = {
        {10, 10, 0, "resume_at must be less than pause_at"},
        {10, 11, 0, "resume_at must be less than pause_at"},
        {10, 5, 9, "pause_at must be at most limit"},
    };
    leat_stream *stream = NULL;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct leat_stream_options o = {
            .size = sizeof(o), .pause_at = wrong[i].pause_at, .resume_at = wrong[i].resume_at, .limit = wrong[i].limit};
        assert_int_equal(leat_stream_new(&stream, NULL, &o, &error), -EINVAL);
        assert_string_equal(error.text, wrong[i].text);
        assert_null(stream);
    }
}

/* ---- the end ---- */

static void the_end_comes_after_the_last_byte_each_time(void **state UNUSED)
{
    static const int codes[] = {0, -ECONNRESET};
    for (size_t i = 0; i < COUNT(codes); i++) {
        leat_stream *stream = stream_of(4);
        struct leat_view view = {NULL, 7, NULL};
        put(stream, "left over");
        assert_int_equal(leat_stream_finish(stream, 1), -EINVAL);
        assert_int_equal(leat_stream_finish(stream, codes[i]), 0);
        assert_int_equal(leat_stream_finish(stream, -EIO), -EPIPE);
        assert_int_equal(leat_stream_append(stream, "x", 1), -EPIPE);
        assert_int_equal(leat_stream_take(stream, 10, &view), -ENODATA);
        assert_int_equal(leat_stream_take_line(stream, 0, &view), -ENODATA);
        assert_int_equal(leat_stream_length(stream), 9);
        assert_int_equal(leat_stream_take_at_most(stream, 100, &view), 0);
        is_text(&view, "left over");
        for (int again = 0; again < 3; again++) {
            view.length = 7;
            assert_int_equal(leat_stream_take(stream, 1, &view), codes[i]);
            assert_int_equal(leat_stream_take_line(stream, 0, &view), codes[i]);
            assert_int_equal(leat_stream_take_at_most(stream, 1, &view), codes[i]);
            assert_true(view.data == NULL && view.length == (codes[i] ? 7 : 0)); /* untouched by a failure */
            assert_int_equal(leat_stream_skip(stream, 1), codes[i] ? codes[i] : -ENODATA);
        }
        leat_stream_free(stream);
    }
}

static void the_last_line_may_lack_its_newline(void **state UNUSED)
{
    leat_stream *stream = stream_of(4);
    struct leat_view view;
    put(stream, "one\ntwo");
    assert_int_equal(leat_stream_take_line(stream, LEAT_STREAM_REST, &view), 0);
    is_text(&view, "one");
    assert_int_equal(leat_stream_take_line(stream, LEAT_STREAM_REST, &view), -EAGAIN);
    leat_stream_finish(stream, 0);
    assert_int_equal(leat_stream_take_line(stream, LEAT_STREAM_REST, &view), 0);
    is_text(&view, "two");
    assert_int_equal(leat_stream_take_line(stream, LEAT_STREAM_REST, &view), 0);
    assert_null(view.data);
    leat_stream_free(stream);
}

/* ---- bytes of others, and memory ---- */

static void count_release(void *user, const void *bytes UNUSED, size_t n)
{
    *(size_t *)user += n;
}

static void a_reference_lasts_as_long_as_its_last_view(void **state UNUSED)
{
    static const char text[] = "somebody else's";
    leat_stream *stream = stream_of(4);
    struct leat_view view, part;
    size_t released = 0;
    assert_int_equal(leat_stream_append_ref(stream, text, 15, count_release, &released), 0);
    assert_int_equal(leat_stream_take(stream, 9, &view), 0);
    assert_ptr_equal(view.data, text); /* not a copy */
    assert_int_equal(leat_view_slice(&view, 4, 5, &part), 0);
    leat_view_release(&view);
    leat_stream_free(stream);
    assert_int_equal(released, 0);
    assert_memory_equal(part.data, "body ", 5);
    leat_view_release(&part);
    assert_int_equal(released, 15);
}

static void a_refused_reference_is_not_released(void **state UNUSED)
{
    leat_stream *stream = bounded(4, 2, 8, 0);
    size_t released = 0;
    put(stream, "1234");
    assert_int_equal(leat_stream_append_ref(stream, "x", 1, count_release, &released), -EAGAIN);
    leat_stream_finish(stream, 0);
    assert_int_equal(leat_stream_append_ref(stream, "x", 1, count_release, &released), -EPIPE);
    leat_stream_free(stream);
    assert_int_equal(released, 0);
}

static void a_pool_without_memory_loses_nothing(void **state UNUSED)
{
    struct leat_pool_options options = {.size = sizeof(options), .chunk_min = 16, .chunk_max = 64, .memory_limit = 100};
    leat_stream *stream;
    leat_pool *pool;
    struct leat_view view;
    char bytes[200];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, bytes, 10), 0);
    assert_int_equal(leat_stream_append(stream, bytes, sizeof(bytes)), -ENOMEM); /* all or none */
    assert_int_equal(leat_stream_length(stream), 10);
    assert_int_equal(leat_stream_append(stream, bytes, 80), 0); /* in smaller chunks, if need be */
    assert_int_equal(leat_stream_take(stream, 90, &view), 0);
    assert_int_equal(view.length, 90);
    leat_view_release(&view);
    assert_int_equal(leat_stream_append(stream, bytes, 80), 0);
    leat_stream_free(stream);
    leat_pool_free(pool);
}

static void chunks_grow_and_shrink_with_what_comes(void **state UNUSED)
{
    struct leat_pool_options options = {.size = sizeof(options), .chunk_min = 64, .chunk_max = 1024};
    struct leat_stream_usage stats = LEAT_INIT(struct leat_stream_usage);
    leat_stream *stream;
    leat_pool *pool;
    void *room;
    size_t n;
    assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    for (size_t expected = 128; expected <= 1024; expected *= 2) {
        leat_stream_reserve(stream, 1, &room, &n);
        leat_stream_commit(stream, n);
        leat_stream_stats(stream, &stats);
        assert_int_equal(stats.chunk_size, expected);
    }
    for (int i = 0; i < 40; i++) {
        leat_stream_reserve(stream, 1, &room, &n);
        leat_stream_commit(stream, 1);
    }
    leat_stream_stats(stream, &stats);
    assert_int_equal(stats.chunk_size, 64);
    leat_stream_free(stream);
    leat_pool_free(pool);
}

/* That a commit happens to fill the rest of a chunk says nothing of how much comes at once. */
static void chunks_of_small_commits_get_no_larger(void **state UNUSED)
{
    struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
    struct leat_stream_usage stats = LEAT_INIT(struct leat_stream_usage);
    for (size_t small = 1; small <= 64; small *= 4) {
        leat_stream *stream;
        void *room;
        size_t n;
        options.chunk_size = 16384;
        assert_int_equal(leat_stream_new(&stream, NULL, &options, NULL), 0);
        uint64_t before = 16384;
        for (size_t i = 0; i < 200000 / small; i++) {
            assert_int_equal(leat_stream_reserve(stream, small, &room, &n), 0);
            assert_int_equal(leat_stream_commit(stream, MIN(n, small)), 0);
            assert_int_equal(leat_stream_skip(stream, MIN(n, small)), 0);
            leat_stream_stats(stream, &stats);
            if (stats.chunk_size > before)
                fail_msg("commits of %zu: from %llu to %llu", small, (unsigned long long)before,
                         (unsigned long long)stats.chunk_size);
            before = stats.chunk_size;
        }
        assert_int_equal(before, 4096); /* the pool's smallest */
        leat_stream_free(stream);
    }
}

/* ---- two threads ---- */

#define MANY (getenv("LEAT_TEST_QUICK") ? 40000u : 300000u)

static void *write_numbers(void *user)
{
    leat_stream *stream = user;
    char text[16];
    for (unsigned i = 0; i < MANY; i++) {
        int n = snprintf(text, sizeof(text), "%u\n", i);
        void *room;
        size_t got;
        if (i % 3 == 0) {
            while (leat_stream_append(stream, text, (size_t)n) == -EAGAIN)
                if (leat_stream_reserve_wait(stream, 1, &room, &got, -1) == 0)
                    leat_stream_commit(stream, 0);
            continue;
        }
        for (size_t done = 0; done < (size_t)n; done += got) {
            if (leat_stream_reserve_wait(stream, (size_t)n, &room, &got, -1) < 0)
                return user;
            got = MIN(got, (size_t)n - done);
            memcpy(room, text + done, got);
            leat_stream_commit(stream, got);
        }
    }
    leat_stream_finish(stream, -EOWNERDEAD);
    return NULL;
}

static void two_threads_wait_for_each_other(void **state UNUSED)
{
    leat_stream *stream = bounded(64, 16, 256, 1);
    pthread_t thread;
    void *result;
    struct leat_view view;
    unsigned expected = 0;
    int r;
    assert_int_equal(pthread_create(&thread, NULL, write_numbers, stream), 0);
    for (;;) {
        r = leat_stream_take_line(stream, expected % 2 ? LEAT_STREAM_BORROW : 0, &view);
        if (r == -EAGAIN) {
            assert_int_equal(leat_stream_wait(stream, leat_stream_length(stream), -1), 0);
            continue;
        }
        if (r < 0)
            break;
        char text[16];
        size_t n = leat_view_copy(&view, 0, text, sizeof(text) - 1);
        text[n] = '\0';
        assert_int_equal(strtoul(text, NULL, 10), expected++);
        leat_view_release(&view);
    }
    assert_int_equal(r, -EOWNERDEAD);
    assert_int_equal(expected, MANY);
    pthread_join(thread, &result);
    assert_null(result);
    leat_stream_free(stream);
}

static void a_wait_has_an_end(void **state UNUSED)
{
    leat_stream *stream = bounded(4, 2, 8, 1), *alone = stream_of(4);
    void *room;
    size_t n;
    assert_int_equal(leat_stream_wait(stream, 0, 0), -EAGAIN);
    assert_int_equal(leat_stream_wait(stream, 0, 5), -ETIMEDOUT);
    assert_int_equal(leat_stream_wait(stream, 8, -1), -EMSGSIZE); /* 9 bytes are above the limit */
    put(stream, "1234");
    assert_int_equal(leat_stream_wait(stream, 3, 0), 0);
    assert_int_equal(leat_stream_wait(stream, 7, 0), -EAGAIN);
    put(stream, "5678"); /* the reader wanted so much */
    assert_int_equal(leat_stream_reserve_wait(stream, 1, &room, &n, 5), -ETIMEDOUT);
    assert_int_equal(leat_stream_wait(alone, 0, 0), -EOPNOTSUPP);
    leat_stream_finish(stream, 0);
    assert_int_equal(leat_stream_wait(stream, 100, -1), 0); /* the end is news */
    leat_stream_free(stream);
    leat_stream_free(alone);
}

/* The thread rules are looked after in builds without NDEBUG. */
static leat_stream *misused;

static void call_the_stream(void *user UNUSED, const void *bytes UNUSED, size_t n UNUSED)
{
    leat_stream_skip(misused, 0);
}

static void *call_from_a_thread(void *user)
{
    call_the_stream(user, NULL, 0);
    return NULL;
}

static void let_another_thread_call(void *user, const void *bytes UNUSED, size_t n UNUSED)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_from_a_thread, user) == 0)
        pthread_join(thread, NULL);
}

/* The callback comes in the middle of a call of the reading side, and makes another one. */
static void is_found_out(void (*callback)(void *user, const void *bytes, size_t n))
{
#ifdef NDEBUG
    skip();
#endif
    int status;
    pid_t child = fork();
    unit_needs(child >= 0, "processes");
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        signal(SIGABRT, SIG_DFL);
        misused = stream_of(4);
        leat_stream_append_ref(misused, "abc", 3, callback, NULL);
        put(misused, "d");
        leat_stream_skip(misused, 3); /* lets go of the bytes */
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_call_within_a_call_is_found_out(void **state UNUSED)
{
    is_found_out(call_the_stream);
}

static void two_threads_on_one_side_are_found_out(void **state UNUSED)
{
    is_found_out(let_another_thread_call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_is_committed_than_was_reserved),
        cmocka_unit_test(a_line_across_chunks_is_whole),
        cmocka_unit_test(find_honours_start_and_end),
        cmocka_unit_test(a_miss_is_not_searched_again),
        cmocka_unit_test(a_needle_that_repeats_itself_is_found_in_one_pass),
        cmocka_unit_test(the_rest_of_a_chunk_is_not_lost),
        cmocka_unit_test(a_search_keeps_the_limit),
        cmocka_unit_test(between_the_marks_it_is_what_it_was),
        cmocka_unit_test(who_needs_more_than_the_mark_gets_it),
        cmocka_unit_test(what_can_never_fit_is_told_to_both),
        cmocka_unit_test(bounds_that_can_not_be),
        cmocka_unit_test(the_end_comes_after_the_last_byte_each_time),
        cmocka_unit_test(the_last_line_may_lack_its_newline),
        cmocka_unit_test(a_reference_lasts_as_long_as_its_last_view),
        cmocka_unit_test(a_refused_reference_is_not_released),
        cmocka_unit_test(a_pool_without_memory_loses_nothing),
        cmocka_unit_test(chunks_grow_and_shrink_with_what_comes),
        cmocka_unit_test(chunks_of_small_commits_get_no_larger),
        cmocka_unit_test(two_threads_wait_for_each_other),
        cmocka_unit_test(a_wait_has_an_end),
        cmocka_unit_test(a_call_within_a_call_is_found_out),
        cmocka_unit_test(two_threads_on_one_side_are_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
