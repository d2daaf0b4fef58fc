/* SPDX-License-Identifier: MIT */
/* Numbers at their ends, and values with nothing in them: what promises something is refused when it is empty, and the
 * largest number is a number like any other. */
#include "unit/unit.h"
#include <leat/leat.h>

#define MOST "18446744073709551615"

/* ---- filters ---- */

static void a_list_of_digests_names_each(void **state UNUSED)
{
    static const char *const bad[] = {"", ",", "crc32c,", ",crc32c", "crc32c,,crc32c", " crc32c", "nonsense"};
    char long_name[2000];
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    leat_filter *filter = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (leat_filter_digest(&filter, bad[i], NULL, NULL) >= 0)
            fail_msg("'%s' is taken for digests", bad[i]);
    assert_true(leat_filter_digest(&filter, long_name, NULL, NULL) < 0);
    assert_int_equal(leat_filter_digest(&filter, NULL, NULL, NULL), -EINVAL);
    assert_null(filter); /* untouched on failure */
}

static void a_digest_needs_its_room(void **state UNUSED)
{
    char hex[LEAT_DIGEST_HEX_MAX] = "";
    size_t n;
    leat_filter *filter;
    assert_int_equal(leat_filter_digest(&filter, "crc32c", NULL, NULL), 0);
    for (size_t capacity = 0; capacity <= 8; capacity++)
        assert_int_equal(leat_filter_digest_hex(filter, "crc32c", hex, capacity), -ENOSPC);
    assert_int_equal(leat_filter_digest_hex(filter, "crc32c", hex, 9), 0);
    assert_string_equal(hex, "00000000");
    for (size_t capacity = 0; capacity < 4; capacity++)
        assert_int_equal(leat_filter_digest_bytes(filter, "crc32c", hex, capacity, &n), -ENOSPC);
    assert_int_equal(leat_filter_digest_bytes(filter, "crc32c", hex, 4, &n), 0);
    assert_int_equal(n, 4);
    assert_int_equal(leat_filter_digest_hex(filter, "", hex, sizeof(hex)), -ENOENT);
    assert_int_equal(leat_filter_digest_hex(filter, "sha256", hex, sizeof(hex)), -ENOENT);
    leat_filter_free(filter);
}

static void options_of_codecs_have_values_in_range(void **state UNUSED)
{
    static const char *const bad[] = {
        "level",
        "level=",
        "level=,",
        "=",
        ",",
        "level=3,",
        "level=99999999999999999999",
        ("level=" MOST),
        "level=-1e9",
        "level=-99999999999999999999",
        "workers=-1",
        "workers=65",
        "workers=",
        "windowlog=0",
        "x=1",
    };
    leat_filter *filter = NULL;
    int there = leat_filter_codec(&filter, "gzip", "");
    if (there == 0)
        leat_filter_free(filter);
    for (size_t i = 0; i < COUNT(bad); i++) {
        int r = leat_filter_codec(&filter, "gzip", bad[i]);
        if (r != (there == 0 ? -EINVAL : -ENOENT))
            fail_msg("gzip with '%s': %d", bad[i], r);
    }
    assert_int_equal(leat_filter_codec(&filter, "", NULL), -ENOENT);
    assert_int_equal(leat_filter_codec(&filter, "nonsense", NULL), -ENOENT);
    assert_int_equal(leat_filter_exec(&filter, ""), -EINVAL);
    assert_int_equal(leat_filter_exec(&filter, " \t\n"), -EINVAL);
}

/* Writes ten bytes through a filter of that number, and gives how many come out. */
static size_t pass_ten(int (*make)(leat_filter **ret, uint64_t n), uint64_t number)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_filter *filter;
    leat_writer *writer;
    leat_reader *reader;
    char bytes[20];
    size_t done;
    assert_int_equal(make(&filter, number), 0);
    options.filters = &filter;
    options.filter_count = 1;
    assert_int_equal(leat_pipe_open(&writer, &reader, &options, NULL), 0);
    int r = leat_writer_write(writer, "0123456789", 10, NULL, 30000);
    assert_true(r == 0 || r == -EPIPE); /* one that wants no more */
    r = leat_writer_finish(writer, -1);
    assert_true(r == 0 || r == -EPIPE);
    assert_int_equal(leat_reader_read_full(reader, bytes, sizeof(bytes), &done, 30000), 0);
    leat_writer_close(writer);
    leat_reader_close(reader);
    return done;
}

static void counts_and_rates_may_be_any_number(void **state UNUSED)
{
    static const uint64_t large[] = {11, INT32_MAX, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < COUNT(large); i++) {
        assert_int_equal(pass_ten(leat_filter_skip, large[i]), 0);
        assert_int_equal(pass_ten(leat_filter_head, large[i]), 10);
        if (large[i] > 11)
            assert_int_equal(pass_ten(leat_filter_rate, large[i]), 10);
    }
    assert_int_equal(pass_ten(leat_filter_skip, 0), 10);
    assert_int_equal(pass_ten(leat_filter_head, 0), 0);
    assert_int_equal(pass_ten(leat_filter_rate, 0), 10); /* no limit */
}

static void a_rate_may_change_to_any_number(void **state UNUSED)
{
    static const uint64_t rates[] = {0, 1, UINT64_MAX, 1, 0, INT64_MAX, UINT64_MAX - 1};
    leat_filter *filter, *other;
    uint64_t n;
    assert_int_equal(leat_filter_rate(&filter, 1), 0);
    for (size_t i = 0; i < COUNT(rates); i++)
        assert_int_equal(leat_filter_rate_set(filter, rates[i]), 0);
    assert_int_equal(leat_filter_bytes(filter, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(leat_filter_meter(&other), 0);
    assert_int_equal(leat_filter_rate_set(other, 1), -EINVAL);
    leat_filter_free(other);
    leat_filter_free(filter);
}

/* ---- the text of a pipeline ---- */

static int parse(const char *text, struct leat_error *error)
{
    leat_pipeline *p;
    int r = leat_pipeline_parse(&p, text, NULL, error);
    if (r == 0)
        leat_pipeline_free(p);
    return r;
}

static void a_value_with_nothing_in_it_is_refused(void **state UNUSED)
{
    static const char *const bad[] = {
        "",
        "|",
        "null:",
        "null: |",
        "| null:",
        "null: | | null:",
        "digest:",
        "digest:,",
        "rate:",
        "rate:0",
        "skip:",
        "head:",
        "exec:",
        "exec:' '",
        "zstd:",
        "zstd:level=",
        "unzstd:",
        "unzstd:windowlog=",
        "gzip:",
        "gunzip:",
        "meter:",
        "nonsense:",
        ":",
        "''",
        "rate:-1",
        "head:+1",
        "head:1e3",
        "head:" MOST "0",
        "rate:" MOST "0",
        "skip:" MOST "0",
        "head:9999999999T",
        "head:.5",
    };
    static const char *const settings[] = {
        "idle-timeout=", "idle-timeout", "connect-timeout=", "slow-sink=", "slow-sink",
        "sync=",         "append=",      "idle-timeout=0",   "=",          "''"};
    char text[200];
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        bool filter = i >= 6;
        snprintf(text, sizeof(text), filter ? "null: | %s | null:" : "%s", bad[i]);
        if (parse(text, &error) >= 0)
            fail_msg("'%s' is taken", text);
        assert_true(error.text[0] && error.offset <= strlen(text));
    }
    for (size_t i = 0; i < COUNT(settings); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        snprintf(text, sizeof(text), "null: | null: %s", settings[i]);
        if (parse(text, &error) >= 0)
            fail_msg("'%s' is taken", text);
        assert_true(error.text[0] && error.offset <= strlen(text));
    }
}

static void the_largest_numbers_are_numbers(void **state UNUSED)
{
    static const char *const good[] = {
        "null: | rate:" MOST " | skip:" MOST " | head:" MOST " | meter | null:",
        "null: | rate:1 | skip:0 | head:0 | null:",
        "null: idle-timeout=2147483647ms connect-timeout=none | null: idle-timeout=1ms",
        "zero: | head:" MOST " | head:10 | skip:" MOST " | null:",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        leat_pipeline *p;
        if (leat_pipeline_parse(&p, good[i], NULL, &error) < 0)
            fail_msg("%s: %s", good[i], error.text);
        int r = leat_pipeline_run(p, NULL);
        if (r < 0)
            fail_msg("%s: %d", good[i], r);
        leat_pipeline_free(p);
    }
}

/* ---- streams, views, records, pools ---- */

static const size_t ends[] = {SIZE_MAX,      SIZE_MAX - 1,  SIZE_MAX - 7,     SIZE_MAX - 8,
                              SIZE_MAX - 15, SIZE_MAX - 63, SIZE_MAX / 2 + 1, SIZE_MAX / 2};

static void a_stream_may_be_asked_for_any_number(void **state UNUSED)
{
    leat_stream *stream;
    struct leat_view view = {NULL, 0, NULL};
    void *room;
    size_t n;
    assert_int_equal(leat_stream_new(&stream, NULL, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, "0123456789", 10), 0);
    for (size_t i = 0; i < COUNT(ends); i++) {
        assert_int_equal(leat_stream_peek(stream, ends[i], &view), -EAGAIN);
        assert_int_equal(leat_stream_take(stream, ends[i], &view), -EAGAIN);
        assert_int_equal(leat_stream_skip(stream, ends[i]), -EAGAIN);
        assert_int_equal(leat_stream_find(stream, "x", 1, 0, ends[i], &n), -EAGAIN);
        assert_int_equal(leat_stream_find(stream, "5", 1, 0, ends[i], &n), 0);
        assert_int_equal(n, 5);
        assert_int_equal(leat_stream_find(stream, "5", 1, ends[i], SIZE_MAX, &n),
                         ends[i] == SIZE_MAX ? -ENODATA : -EAGAIN);
        assert_int_equal(leat_stream_find(stream, "5", 1, ends[i], 3, &n), -EINVAL);
        assert_int_equal(leat_stream_reserve(stream, ends[i], &room, &n), 0);
        assert_true(n >= 1);
        assert_int_equal(leat_stream_commit(stream, ends[i]), -EINVAL);
        assert_int_equal(leat_stream_commit(stream, 0), 0);
    }
    assert_int_equal(leat_stream_take_at_most(stream, SIZE_MAX, &view), 0);
    assert_int_equal(view.length, 10);
    leat_view_release(&view);
    leat_stream_free(stream);
}

static void a_wait_may_be_for_any_number(void **state UNUSED)
{
    struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
    leat_stream *stream;
    options.waits = 1;
    assert_int_equal(leat_stream_new(&stream, NULL, &options, NULL), 0);
    for (size_t i = 0; i < COUNT(ends); i++)
        assert_int_equal(leat_stream_wait(stream, ends[i], 0), -EAGAIN);
    leat_stream_free(stream);
}

static void bounds_of_a_stream_may_be_any_number(void **state UNUSED)
{
    static const uint64_t large[] = {UINT64_MAX, UINT64_MAX - 1,  (uint64_t)INT64_MAX + 1,
                                     INT64_MAX,  UINT64_MAX / 16, UINT64_MAX / 16 + 1};
    for (size_t i = 0; i < COUNT(large); i++) {
        for (int which = 0; which < 4; which++) {
            struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
            leat_stream *stream;
            void *room;
            size_t n;
            options.chunk_size = which == 0 ? large[i] : 0;
            options.pause_at = which == 1 || which == 3 ? large[i] : 0;
            options.limit = which >= 2 ? large[i] : 0;
            assert_int_equal(leat_stream_new(&stream, NULL, &options, NULL), 0);
            assert_int_equal(leat_stream_reserve(stream, 1, &room, &n), 0);
            memset(room, 0, n);
            assert_int_equal(leat_stream_commit(stream, n), 0);
            assert_int_equal(leat_stream_paused(stream), 0);
            leat_stream_free(stream);
        }
    }
}

/* Of one piece and of several. */
static void parts_of_a_view_may_be_any_number(void **state UNUSED)
{
    static char bytes[3000], copy[4000];
    for (int pieces = 1; pieces <= 2; pieces++) {
        leat_stream *stream;
        struct leat_view view, part = {NULL, 0, NULL};
        size_t n;
        assert_int_equal(leat_stream_new(&stream, NULL, NULL, NULL), 0);
        for (int i = 0; i < pieces; i++)
            assert_int_equal(leat_stream_append_ref(stream, bytes, sizeof(bytes), NULL, NULL), 0);
        size_t length = (size_t)pieces * sizeof(bytes);
        assert_int_equal(leat_stream_take(stream, length, &view), 0);
        for (size_t i = 0; i < COUNT(ends); i++) {
            assert_int_equal(leat_view_slice(&view, ends[i], 1, &part), -ERANGE);
            assert_int_equal(leat_view_slice(&view, 1, ends[i], &part), -ERANGE);
            assert_int_equal(leat_view_slice(&view, ends[i], ends[i], &part), -ERANGE);
            assert_int_equal(leat_view_copy(&view, ends[i], copy, 10), 0);
            assert_int_equal(leat_view_copy(&view, length - 10, copy, ends[i]), 10);
            assert_int_equal(leat_view_find(&view, "x", 1, ends[i], &n), -ENODATA);
        }
        leat_view_release(&view);
        leat_stream_free(stream);
    }
}

static void a_record_that_is_too_long_is_refused(void **state UNUSED)
{
    struct leat_record *record = NULL;
    for (size_t i = 0; i < COUNT(ends); i++)
        if (ends[i] > SIZE_MAX / 2 + 1) /* less may be asked of malloc, and a sanitizer does not like that */
            assert_int_equal(leat_record_new(&record, NULL, ends[i]), -ENOMEM);
    assert_null(record);
}

static void limits_of_a_pool_may_be_any_number(void **state UNUSED)
{
    static const uint64_t large[] = {UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 62, (uint64_t)1 << 32,
                                     UINT64_MAX - 4095};
    for (size_t i = 0; i < COUNT(large); i++) {
        struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
        leat_pool *pool = NULL;
        options.chunk_min = large[i];
        assert_int_equal(leat_pool_new(&pool, &options, NULL), -EINVAL);
        options.chunk_min = 0;
        options.chunk_max = large[i];
        assert_int_equal(leat_pool_new(&pool, &options, NULL), -EINVAL);
        options.chunk_max = 0;
        options.memory_limit = options.keep = large[i];
        assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
        leat_pool_free(pool);
    }
}

/* What can't be there is refused before it is looked at. */
static void filters_that_are_not_there_are_refused(void **state UNUSED)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_writer *writer;
    leat_reader *reader;
    leat_filter *none[2] = {NULL, NULL};
    options.filter_count = 2;
    assert_int_equal(leat_pipe_open(&writer, &reader, &options, &error), -EINVAL);
    assert_true(error.text[0]);
    options.filters = none;
    assert_int_equal(leat_pipe_open(&writer, &reader, &options, NULL), -EINVAL);
    options.filters = NULL;
    options.filter_count = SIZE_MAX;
    assert_int_equal(leat_pipe_open(&writer, &reader, &options, NULL), -EINVAL);
}

/* The filters are freed, if the struct has them. */
static void pipe_options_of_another_version_are_refused(void **state UNUSED)
{
    struct {
        struct leat_pipe_options known;
        uint64_t unknown;
    } options = {.known = LEAT_INIT(struct leat_pipe_options), .unknown = 1};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_writer *writer = NULL;
    leat_reader *reader = NULL;
    leat_filter *filter[1];
    assert_int_equal(leat_filter_meter(&filter[0]), 0);
    options.known.size = sizeof(options);
    options.known.filters = filter;
    options.known.filter_count = 1;
    assert_int_equal(leat_pipe_open(&writer, &reader, &options.known, &error), -E2BIG);
    assert_string_equal(error.text, "The options are not those of this version");
    assert_string_equal(error.node, "pipe");
    options.known = (struct leat_pipe_options){.size = 1};
    assert_int_equal(leat_pipe_open(&writer, &reader, &options.known, &error), -EINVAL);
    assert_string_equal(error.text, "The options are not those of this version");
    assert_int_equal(leat_pipe_open(&writer, &reader, &options.known, NULL), -EINVAL);
    assert_true(!writer && !reader);
}

/* ---- nothing at all ---- */

static void nothing_may_be_freed(void **state UNUSED)
{
    struct leat_view none = {NULL, 0, NULL};
    leat_free(NULL);
    leat_pool_free(NULL);
    leat_stream_free(NULL);
    leat_connection_close(NULL);
    leat_writer_close(NULL);
    leat_reader_close(NULL);
    leat_stages_free(NULL);
    leat_pull_free(NULL);
    leat_group_free(NULL);
    leat_filter_free(NULL);
    leat_record_free(NULL);
    leat_endpoint_close(NULL);
    leat_pipeline_free(NULL);
    leat_report_free(NULL);
    leat_engine_free(NULL);
    leat_channel_close(NULL);
    leat_view_release(&none);
    assert_true(none.data == NULL && none.length == 0 && none.owner == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_digests_names_each),
        cmocka_unit_test(a_digest_needs_its_room),
        cmocka_unit_test(options_of_codecs_have_values_in_range),
        cmocka_unit_test(counts_and_rates_may_be_any_number),
        cmocka_unit_test(a_rate_may_change_to_any_number),
        cmocka_unit_test(a_value_with_nothing_in_it_is_refused),
        cmocka_unit_test(the_largest_numbers_are_numbers),
        cmocka_unit_test(a_stream_may_be_asked_for_any_number),
        cmocka_unit_test(a_wait_may_be_for_any_number),
        cmocka_unit_test(bounds_of_a_stream_may_be_any_number),
        cmocka_unit_test(parts_of_a_view_may_be_any_number),
        cmocka_unit_test(a_record_that_is_too_long_is_refused),
        cmocka_unit_test(limits_of_a_pool_may_be_any_number),
        cmocka_unit_test(filters_that_are_not_there_are_refused),
        cmocka_unit_test(pipe_options_of_another_version_are_refused),
        cmocka_unit_test(nothing_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
