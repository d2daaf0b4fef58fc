/* SPDX-License-Identifier: MIT */
/* Filters of the caller's own: observers see every byte and the zeros of holes, transforms work in pieces and rooms of
 * every size, and what they do wrong is named. */
#include "drive.h"
#include "feed.h"
#include "unit/unit.h"
#include <leat/pipe.h>
#include <pthread.h>

/* Everything that a test's functions know and say. */
struct own {
    struct bytes seen;
    unsigned starts, frees;
    int answer;        /* of start, observe and transform */
    size_t took, gave; /* what `lie` says */
    bool held;         /* a CR that may belong to an LF */
};

static int own_start(void *user)
{
    struct own *own = user;
    own->starts++;
    own->held = false;
    return own->answer;
}

static void own_free(void *user)
{
    ((struct own *)user)->frees++;
}

static int see(void *user, const void *bytes, size_t n)
{
    struct own *own = user;
    bytes_add(&own->seen, bytes, n);
    return own->answer;
}

static int lie(void *user, const void *in UNUSED, size_t *in_n, void *out UNUSED, size_t *out_n,
               enum leat_filter_mode mode UNUSED)
{
    struct own *own = user;
    *in_n = own->took;
    *out_n = own->gave;
    return own->answer;
}

/* CR LF becomes LF; a CR of its own stays. */
static int to_unix(void *user, const void *in, size_t *in_n, void *out, size_t *out_n, enum leat_filter_mode mode)
{
    struct own *own = user;
    const char *from = in;
    char *to = out;
    size_t i = 0, n = 0;
    for (; i < *in_n && n < *out_n; i++) {
        if (own->held && from[i] != '\n') {
            to[n++] = '\r';
            own->held = false;
            if (n == *out_n)
                break;
        }
        own->held = from[i] == '\r';
        if (!own->held)
            to[n++] = from[i];
    }
    bool all = i == *in_n;
    if (all && mode != LEAT_FILTER_MORE && own->held && n < *out_n) {
        to[n++] = '\r';
        own->held = false;
    }
    *in_n = i;
    *out_n = n;
    return all && (mode == LEAT_FILTER_MORE || !own->held) ? LEAT_FILTER_DONE : LEAT_FILTER_FULL;
}

/* Passes what comes in front of the first full stop, and no more. */
static int to_full_stop(void *user UNUSED, const void *in, size_t *in_n, void *out, size_t *out_n,
                        enum leat_filter_mode mode UNUSED)
{
    const char *stop = memchr(in, '.', *in_n);
    size_t want = stop ? (size_t)(stop - (const char *)in) : *in_n, n = MIN(want, *out_n);
    memcpy(out, in, n);
    *out_n = n;
    *in_n = n + (stop && n == want);
    return n < want ? LEAT_FILTER_FULL : stop ? LEAT_FILTER_ENDED : LEAT_FILTER_DONE;
}

typedef int (*transform_fn)(void *, const void *, size_t *, void *, size_t *, enum leat_filter_mode);

static leat_filter *make(struct own *own, int (*observe)(void *, const void *, size_t), transform_fn transform)
{
    leat_filter *filter;
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    ops.name = "own";
    ops.start = own_start;
    ops.observe = observe;
    ops.transform = transform;
    ops.free = own_free;
    assert_int_equal(leat_filter_custom(&filter, &ops, own, NULL), 0);
    assert_string_equal(filter->ops->name, "own");
    return filter;
}

static void an_observer_sees_all_and_zeros_in_holes(void **state UNUSED)
{
    static uint8_t expected[100000 + 200001 + 5];
    struct own own = {0};
    struct feed feed;
    uint64_t bytes;
    leat_filter *filter = make(&own, see, NULL);
    assert_int_equal(filter->ops->caps, FILTER_OBSERVES);
    for (size_t i = 0; i < 100000; i++)
        expected[i] = pattern(i);
    memset(expected + sizeof(expected) - 5, 'x', 5);
    feed_init(&feed);
    assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
    feed_bytes(&feed, filter, expected, 100000);
    feed_hole(&feed, filter, 200001);
    feed_bytes(&feed, filter, (const uint8_t *)"xxxxx", 5);
    assert_int_equal(own.seen.n, sizeof(expected));
    assert_memory_equal(own.seen.data, expected, sizeof(expected));
    leat_filter_bytes(filter, &bytes);
    assert_true(bytes == sizeof(expected));
    assert_int_equal(own.starts, 1);
    leat_filter_free(filter);
    assert_int_equal(own.frees, 1);
    feed_destroy(&feed);
    bytes_free(&own.seen);
}

/* In a hole it is asked once, not for each piece of it. */
static void an_observer_may_fail(void **state UNUSED)
{
    for (int hole = 0; hole < 2; hole++) {
        struct own own = {.answer = -EDOM};
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct feed feed;
        leat_filter *filter = make(&own, see, NULL);
        feed_init(&feed);
        struct chunk *chunk = feed_get(&feed);
        chunk->length = hole ? 1 << 20 : 3;
        chunk->hole = hole;
        memcpy(chunk->data, "abc", 3);
        assert_int_equal(filter->ops->observe(filter, chunk, &error), -EDOM);
        assert_true(own.seen.n <= 65536);
        assert_int_equal(error.code, -EDOM);
        assert_int_equal(error.side, LEAT_SIDE_FILTER);
        assert_string_equal(error.node, "own");
        assert_string_equal(error.operation, "observe");
        chunk_unref(chunk);
        leat_filter_free(filter);
        feed_destroy(&feed);
        bytes_free(&own.seen);
    }
}

static void a_start_may_fail(void **state UNUSED)
{
    struct own own = {.answer = -EACCES};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_filter *filter = make(&own, NULL, to_unix);
    assert_int_equal(filter->ops->start(filter, 0, &error), -EACCES);
    assert_string_equal(error.operation, "start");
    leat_filter_free(filter);
}

static void a_transform_works_across_every_cut(void **state UNUSED)
{
    static const char in[] = "one\r\ntwo\r\r\n\rthree\n\r\n\r\r\r", out[] = "one\ntwo\r\n\rthree\n\n\r\r\r";
    struct own own = {0};
    leat_filter *filter = make(&own, NULL, to_unix);
    assert_int_equal(filter->ops->caps, FILTER_TRANSFORMS);
    for (size_t piece = 1; piece < sizeof(in); piece++)
        for (size_t room = 1; room < sizeof(out); room++)
            for (int empty = 0; empty < 2; empty++) {
                struct bytes got CLEANUP_BYTES = {0};
                struct drive how = {.piece = piece, .room = room, .finish_empty = empty};
                assert_int_equal(drive(filter, in, sizeof(in) - 1, how, &got, NULL), 0);
                assert_int_equal(got.n, sizeof(out) - 1);
                assert_memory_equal(got.data, out, got.n);
            }
    leat_filter_free(filter);
}

static void a_transform_may_end_the_stream(void **state UNUSED)
{
    static const char in[] = "a sentence. And more. And more";
    for (size_t piece = 1; piece < sizeof(in); piece++)
        for (size_t room = 1; room < 12; room++) {
            struct own own = {0};
            struct bytes got CLEANUP_BYTES = {0};
            leat_filter *filter = make(&own, NULL, to_full_stop);
            struct drive how = {.piece = piece, .room = room};
            assert_int_equal(drive(filter, in, sizeof(in) - 1, how, &got, NULL), LEAT_FILTER_ENDED);
            assert_int_equal(got.n, 10);
            assert_memory_equal(got.data, "a sentence", 10);
            leat_filter_free(filter);
        }
}

static void mistakes_are_named(void **state UNUSED)
{
    static const struct {
        int answer;
        unsigned took, gave;
        int code;
        const char *text;
    } rows[] = {
        {LEAT_FILTER_FULL, 0, 0, -EPROTO, "its output is full, and has put nothing"},
        {LEAT_FILTER_FULL, 1, 0, LEAT_FILTER_FULL, NULL},
        {LEAT_FILTER_FULL, 0, 1, LEAT_FILTER_FULL, NULL},
        {LEAT_FILTER_DONE, 2, 0, -EPROTO, "has not taken all"},
        {LEAT_FILTER_DONE, 3, 0, LEAT_FILTER_DONE, NULL},
        {LEAT_FILTER_DONE, 4, 0, -EPROTO, "more bytes than there were"},
        {LEAT_FILTER_DONE, 3, 6, -EPROTO, "more bytes than there were"},
        {LEAT_FILTER_ENDED, 0, 0, LEAT_FILTER_ENDED, NULL},
        {3, 3, 5, -EPROTO, "none of enum leat_filter_answer"},
        {-EDOM, 77, 77, -EDOM, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct own own = {.answer = rows[i].answer, .took = rows[i].took, .gave = rows[i].gave};
        struct leat_error error = LEAT_INIT(struct leat_error);
        uint8_t room[5];
        struct filter_buffers b = {(const uint8_t *)"abc", 3, room, 5};
        leat_filter *filter = make(&own, NULL, lie);
        assert_int_equal(filter->ops->transform(filter, &b, LEAT_FILTER_MORE, &error), rows[i].code);
        if (rows[i].text) {
            assert_int_equal(error.side, LEAT_SIDE_FILTER);
            assert_string_equal(error.node, "own");
            assert_non_null(strstr(error.text, rows[i].text));
            assert_true(b.in_n == 3 && b.out_n == 5);
        } else {
            assert_true(b.in_n == 3 - rows[i].took && b.out_n == 5 - rows[i].gave);
        }
        leat_filter_free(filter);
    }
}

static void is_refused(const struct leat_filter_ops *ops, struct own *own, const char *node, const char *text)
{
    leat_filter *filter = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_filter_custom(&filter, ops, own, &error), -EINVAL);
    assert_null(filter);
    assert_string_equal(error.node, node);
    assert_string_equal(error.text, text);
}

static void it_observes_or_transforms(void **state UNUSED)
{
    leat_filter *filter = NULL;
    struct own own = {0};
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    ops.free = own_free;
    assert_int_equal(leat_filter_custom(&filter, NULL, NULL, NULL), -EINVAL);
    is_refused(&ops, &own, "custom", "observe or transform must be given, and the other one must be NULL");
    ops.name = "see";
    ops.observe = see;
    ops.transform = to_unix;
    is_refused(&ops, &own, "see", "observe or transform must be given, and the other one must be NULL");
    ops.observe = NULL;
    ops.thread = 1;
    is_refused(&ops, &own, "see",
               "thread is for observe alone; a pipeline runs what stands between two transforms on threads");
    ops.observe = see;
    ops.size = 1;
    is_refused(&ops, &own, "custom", "The functions are not those of this version");
    ops.name = NULL;
    assert_null(filter);
    assert_int_equal(own.frees, 0);                         /* what is not made is not freed */
    ops.size = offsetof(struct leat_filter_ops, transform); /* of an older caller, who knows no transform */
    assert_int_equal(leat_filter_custom(&filter, &ops, &own, NULL), 0);
    assert_int_equal(filter->ops->caps, FILTER_OBSERVES);
    assert_string_equal(filter->ops->name, "custom");
    assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
    leat_filter_free(filter);
}

/* ---- on a thread of its own ---- */

/* Waits at the first chunk until the test opens the gate, and fails at byte number fail_at. */
struct beside {
    pthread_mutex_t gate;
    pthread_t thread;
    uint64_t seen, fail_at;
    bool bad;
};

static int watch(void *user, const void *bytes, size_t n)
{
    struct beside *b = user;
    if (b->seen == 0)
        pthread_mutex_lock(&b->gate);
    if (b->seen == 0)
        pthread_mutex_unlock(&b->gate);
    b->thread = pthread_self();
    for (size_t i = 0; i < n; i++)
        b->bad |= ((const uint8_t *)bytes)[i] != (uint8_t)((b->seen + i) * 7);
    b->seen += n;
    return b->fail_at && b->seen >= b->fail_at ? -EBADMSG : 0;
}

static leat_filter *beside(struct beside *b)
{
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    leat_filter *filter;
    ops.observe = watch;
    ops.thread = 1;
    assert_int_equal(pthread_mutex_init(&b->gate, NULL), 0);
    assert_int_equal(leat_filter_custom(&filter, &ops, b, NULL), 0);
    return filter;
}

static uint8_t much[256 * 1024];

static void open_pipe(leat_writer **ret_writer, leat_reader **ret_reader, leat_filter **filters, size_t n)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.filters = filters;
    options.filter_count = n;
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = (uint8_t)(i * 7);
    assert_int_equal(leat_pipe_open(ret_writer, ret_reader, &options, NULL), 0);
}

/* The bytes pass while the observers have not seen one of them; at the end they have seen all. */
static void observers_on_threads_hold_up_nothing(void **state UNUSED)
{
    struct beside b[2] = {{.seen = 0}, {.seen = 0}};
    leat_filter *filters[] = {beside(&b[0]), beside(&b[1])};
    static uint8_t back[sizeof(much)];
    leat_writer *writer;
    leat_reader *reader;
    size_t n;
    open_pipe(&writer, &reader, filters, 2);
    pthread_mutex_lock(&b[0].gate);
    pthread_mutex_lock(&b[1].gate);
    assert_int_equal(leat_writer_write(writer, much, sizeof(much), NULL, 30000), 0);
    assert_int_equal(leat_reader_read_full(reader, back, sizeof(back), &n, 30000), 0);
    assert_int_equal(n, sizeof(much));
    assert_memory_equal(back, much, sizeof(much));
    pthread_mutex_unlock(&b[0].gate);
    pthread_mutex_unlock(&b[1].gate);
    assert_int_equal(leat_writer_finish(writer, 30000), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(b[i].seen, sizeof(much));
        assert_false(b[i].bad);
        assert_false(pthread_equal(b[i].thread, pthread_self()));
    }
    assert_false(pthread_equal(b[0].thread, b[1].thread));
    leat_writer_close(writer);
    leat_reader_close(reader);
}

static void a_failure_on_a_thread_fails_the_pipe(void **state UNUSED)
{
    struct beside b = {.fail_at = 1};
    leat_filter *filter = beside(&b);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_writer *writer;
    leat_reader *reader;
    uint8_t byte;
    size_t n;
    open_pipe(&writer, &reader, &filter, 1);
    assert_int_equal(leat_writer_write(writer, much, 1, NULL, 30000), 0);
    assert_int_equal(leat_writer_finish(writer, 30000), -EPIPE); /* at the latest here */
    int r = leat_reader_read(reader, &byte, 1, &n, 30000);
    if (r == 0) /* the byte went on before the thread had seen it */
        r = leat_reader_read(reader, &byte, 1, &n, 30000);
    assert_int_equal(r, -EBADMSG);
    assert_int_equal(leat_reader_error(reader, &error), 0);
    assert_true(error.code == -EBADMSG && error.index == 0);
    assert_string_equal(error.operation, "observe");
    leat_writer_close(writer);
    leat_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_observer_sees_all_and_zeros_in_holes),
        cmocka_unit_test(an_observer_may_fail),
        cmocka_unit_test(a_start_may_fail),
        cmocka_unit_test(a_transform_works_across_every_cut),
        cmocka_unit_test(a_transform_may_end_the_stream),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(it_observes_or_transforms),
        cmocka_unit_test(observers_on_threads_hold_up_nothing),
        cmocka_unit_test(a_failure_on_a_thread_fails_the_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
