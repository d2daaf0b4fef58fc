/* SPDX-License-Identifier: MIT */
/* timeout: 300
 * engines: uring
 * A buffer in a pipeline: both sides go on independently, the bytes stay the same, and whatever fails or cancels on
 * either side, no hop loses a byte. */
#include "base/op.h"
#include "legs.h"
#include "node/filter.h"
#include <pthread.h>

static const char *folder; /* NULL: buffers are in memory alone */
static uint64_t memory;

static leat_filter *buffer(uint64_t bytes, int32_t start, int32_t stop)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    leat_filter *filter;
    options.bytes = bytes;
    options.file = folder;
    options.memory = memory;
    options.start = start;
    options.stop = stop;
    assert_int_equal(leat_filter_buffer(&filter, &options, NULL), 0);
    return filter;
}

static void add(leat_pipeline *p, leat_filter *filter)
{
    assert_int_equal(leat_pipeline_filter(p, filter), 0);
}

static void options_are_checked(void **state UNUSED)
{
    static const struct leat_buffer_options wrong[] = {
        {.size = sizeof(wrong[0])},
        {.size = sizeof(wrong[0]), .bytes = UINT64_MAX},
        {.size = sizeof(wrong[0]), .bytes = 1, .start = -1},
        {.size = sizeof(wrong[0]), .bytes = 1, .start = 101},
        {.size = sizeof(wrong[0]), .bytes = 1, .stop = -1},
        {.size = sizeof(wrong[0]), .bytes = 1, .stop = 101},
        {.size = sizeof(wrong[0]), .bytes = 1, .memory = 1},
        {.size = sizeof(wrong[0]), .bytes = 1, .file = ""},
        {.size = 1},
    };
    static const char *const text[COUNT(wrong)] = {
        "bytes must be from 1 to 9223372036854775807",
        "bytes must be from 1 to 9223372036854775807",
        "start must be from 0 to 100",
        "start must be from 0 to 100",
        "stop must be from 0 to 100",
        "stop must be from 0 to 100",
        "file must be given with memory",
        "file must name a folder, or be NULL",
        "The options are not those of this version",
    };
    leat_filter *filter = NULL;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        assert_int_equal(leat_filter_buffer(&filter, &wrong[i], &error), -EINVAL);
        assert_string_equal(error.text, text[i]);
        assert_string_equal(error.node, "buffer");
    }
    assert_int_equal(leat_filter_buffer(&filter, NULL, NULL), -EINVAL);
    assert_null(filter);
    leat_filter_free(buffer(1, 0, 0));
    leat_filter_free(buffer(INT64_MAX, 100, 100));
}

static void texts_are_read(void **state UNUSED)
{
    static const struct {
        const char *text;
        int result;
        uint64_t at, bytes;
        int32_t start, stop;
    } rows[] = {
        {"64M", 0, 0, 64 << 20, 0, 0},
        {"1,start=0,stop=1", 0, 0, 1, 0, 1},
        {"1K,stop=100,start=100", 0, 0, 1024, 100, 100},
        {"", -EINVAL, 0, 0, 0, 0},
        {"0", -EINVAL, 0, 0, 0, 0},
        {"-1", -EINVAL, 0, 0, 0, 0},
        {"x", -EINVAL, 0, 0, 0, 0},
        {"9000000T", -EINVAL, 0, 0, 0, 0},
        {"99999999999999T", -ERANGE, 0, 0, 0, 0},
        {"64M,", -EINVAL, 4, 0, 0, 0},
        {"64M,start", -EINVAL, 4, 0, 0, 0},
        {"64M,start=", -EINVAL, 10, 0, 0, 0},
        {"64M,start=101", -EINVAL, 10, 0, 0, 0},
        {"64M,start=99999999999", -EINVAL, 10, 0, 0, 0},
        {"64M,start=1,stop=0", -EINVAL, 17, 0, 0, 0},
        {"64M,start=1x", -EINVAL, 10, 0, 0, 0},
        {"64M,none=1", -EINVAL, 4, 0, 0, 0},
        {"64M,lock,start=5", 0, 0, 64 << 20, 5, 0},
        {"64M,locks", -EINVAL, 8, 0, 0, 0},
        {"64M,file=", -EINVAL, 9, 0, 0, 0},
        {"64M,memory=1M", -EINVAL, 11, 0, 0, 0},
        {"64M,memory=x,file=a", -EINVAL, 11, 0, 0, 0},
        {"64M,memory=0,file=a", -EINVAL, 11, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
        struct leat_error error = LEAT_INIT(struct leat_error);
        int r = leat_filter_buffer_parse(&options, rows[i].text, &error);
        if (r != rows[i].result || options.bytes != rows[i].bytes || options.start != rows[i].start ||
            options.stop != rows[i].stop || error.offset != rows[i].at || (r < 0) != (error.text[0] != '\0'))
            fail_msg("'%s': %d, at %llu: %s", rows[i].text, r, (unsigned long long)error.offset, error.text);
    }
}

static void a_folder_is_the_rest_of_the_text(void **state UNUSED)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    assert_int_equal(leat_filter_buffer_parse(&options, "1G,lock,memory=4K,file=a,start=1", NULL), 0);
    assert_string_equal(options.file, "a,start=1");
    assert_int_equal(options.memory, 4096);
    assert_int_equal(options.lock, 1);
    assert_int_equal(options.start, 0);
}

/* Any size and any levels, with and without other filters on both sides. The source is read into the buffer's memory,
 * unless a digest looks at the bytes before. */
static void the_bytes_stay_the_same(void **state UNUSED)
{
    static const uint64_t sizes[] = {1, 2, 4095, 4096, 100000, 10000000};
    static const size_t lengths[] = {0, 1, 4097, 300000};
    static uint8_t out[sizeof(letters)];
    const size_t turns = getenv("LEAT_TEST_QUICK") ? 300 : 4096; /* in which a small buffer is filled and emptied */
    for (size_t i = 0; i < COUNT(sizes) * COUNT(lengths) * 8; i++) {
        uint64_t size = sizes[i % COUNT(sizes)];
        size_t n = MIN(lengths[i / COUNT(sizes) % COUNT(lengths)], size * turns), got = SIZE_MAX;
        unsigned way = (unsigned)(i / COUNT(sizes) / COUNT(lengths));
        leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, n), to_bytes(out, sizeof(out), &got));
        leat_filter *before = digest_of("xxh3"), *behind = digest_of("crc32c");
        if (way & 1)
            add(p, machine(machine_same));
        if (way & 4)
            add(p, leat_filter_ref(before));
        add(p, buffer(size, way & 2 ? 100 : 0, way & 2 ? 1 : 100));
        if (way & 1)
            add(p, buffer(1000, 0, 0));
        add(p, leat_filter_ref(behind));
        leat_report *report;
        assert_int_equal(leat_pipeline_run(p, &report), 0);
        check_balance(report, 2 + 2 * (way & 1));
        assert_int_equal(got, n);
        assert_memory_equal(out, letters, n);
        char hex[LEAT_DIGEST_HEX_MAX];
        if (way & 4) {
            assert_int_equal(leat_filter_digest_hex(before, "xxh3", hex, sizeof(hex)), 0);
            assert_string_equal(hex, hex_of(letters, n, "xxh3"));
        }
        assert_int_equal(leat_filter_digest_hex(behind, "crc32c", hex, sizeof(hex)), 0);
        assert_string_equal(hex, hex_of(letters, n, "crc32c"));
        leat_filter_free(before);
        leat_filter_free(behind);
        leat_report_free(report);
        leat_pipeline_free(p);
    }
}

/* A source that has given so many bytes, and a sink that takes none yet. */
struct held {
    struct gate source, sink;
    leat_pipeline *p;
};

static void hold(struct held *h, size_t n, leat_filter *filter)
{
    *h = (struct held){.source = {.go = true, .n = n, .at_most = 5000}};
    h->p = pipeline_of(NULL, gate(&h->source), gate(&h->sink));
    add(h->p, filter);
    assert_int_equal(leat_pipeline_start(h->p), 0);
}

static int finish(struct held *h, leat_report **ret)
{
    leat_report *report;
    int r = leat_pipeline_wait(h->p, -1, &report);
    check_balance(report, 2);
    leat_pipeline_free(h->p);
    if (ret)
        *ret = report;
    else
        leat_report_free(report);
    return r;
}

static void wait_until_taken(const struct held *h, size_t n)
{
    for (int i = 0; i < 30000 && atomic_load(&h->source.done) < n; i++)
        usleep(1000);
    assert_true(h->source.done >= n);
}

/* The source and the sink are functions, so both legs share a thread; the buffer fills all the same. */
static void it_fills_while_the_sink_sleeps(void **state UNUSED)
{
    struct held h;
    hold(&h, 10000000, buffer(4000000, 0, 0));
    wait_until_asked(&h.sink);
    wait_until_taken(&h, 4000000);
    let_go(&h.sink);
    assert_int_equal(finish(&h, NULL), 0);
    assert_int_equal(h.sink.done, 10000000);
}

static void a_cancel_ends_a_full_one(void **state UNUSED)
{
    struct held h;
    hold(&h, 10000000, buffer(1000000, 0, 0));
    wait_until_taken(&h, 1000000);
    assert_int_equal(leat_pipeline_cancel(h.p), 0);
    assert_int_equal(finish(&h, NULL), -ECANCELED);
}

/* As with every joint, a failure in front stops what is behind. */
static void a_source_fails_while_it_is_full(void **state UNUSED)
{
    struct held h;
    leat_report *report;
    hold(&h, 10000000, buffer(1000000, 0, 0));
    wait_until_taken(&h, 1000000);
    h.source.result = -EIO;
    let_go(&h.sink);
    assert_int_equal(finish(&h, &report), -EIO);
    assert_int_equal(leat_report_error(report)->side, LEAT_SIDE_SOURCE);
    assert_int_equal(leat_report_error(report)->offset, h.source.done);
    assert_true(h.sink.done <= h.source.done);
    leat_report_free(report);
}

static void a_sink_fails_while_it_is_full(void **state UNUSED)
{
    struct held h;
    leat_report *report;
    hold(&h, 10000000, buffer(1000000, 0, 0));
    wait_until_taken(&h, 1000000);
    h.sink.result = -ENOSPC;
    let_go(&h.sink);
    assert_int_equal(finish(&h, &report), -ENOSPC);
    assert_int_equal(leat_report_error(report)->side, LEAT_SIDE_SINK);
    leat_report_free(report);
}

/* What is behind wants no more: the pipeline ends well, and what is in the buffer is dropped. */
/* The file is there before a byte moves, and no name is left. */
static void a_folder_that_is_none(void **state UNUSED)
{
    static uint8_t out[100];
    size_t got;
    leat_report *report;
    folder = "no/such/folder";
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, 100), to_bytes(out, sizeof(out), &got));
    add(p, buffer(100000, 0, 0));
    folder = NULL;
    assert_int_equal(leat_pipeline_run(p, &report), -ENOENT);
    const struct leat_error *error = leat_report_error(report);
    assert_true(error->side == LEAT_SIDE_FILTER && strcmp(error->node, "buffer") == 0 && error->taken == 0);
    assert_non_null(strstr(error->text, "no/such/folder"));
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* The struct of a buffer says what the JSON says. */
static void check_outcome(const leat_report *report, size_t index, json_t *told)
{
    struct leat_buffer_outcome b = LEAT_INIT(struct leat_buffer_outcome);
    assert_int_equal(leat_report_buffer_at(report, index, &b), 0);
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"filter", b.filter}, {"size", b.bytes},  {"top", b.top},  {"left", b.left},
                   {"full", b.full},     {"empty", b.empty}, {"file", b.file}};
    for (size_t i = 0; i < COUNT(numbers); i++)
        if ((uint64_t)json_integer_value(json_object_get(told, numbers[i].name)) != numbers[i].value)
            fail_msg("%s: %llu", numbers[i].name, (unsigned long long)numbers[i].value);
    json_t *why = json_object_get(told, "file_why");
    assert_true(b.file_code <= 0 && !b.file_code == !why);
    if (why)
        assert_string_equal(leat_errno_name(b.file_code), json_string_value(why));
}

/* Two buffers, of which the second stands behind another filter: the report has both, and no third one. */
static void the_report_numbers_all_buffers(void **state UNUSED)
{
    static uint8_t out[sizeof(letters)];
    struct leat_totals totals = LEAT_INIT(struct leat_totals);
    struct leat_buffer_outcome past = LEAT_INIT(struct leat_buffer_outcome);
    size_t got;
    leat_report *report;
    leat_filter *meter;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, sizeof(letters)), to_bytes(out, sizeof(out), &got));
    assert_int_equal(leat_filter_meter(&meter), 0);
    add(p, buffer(1000000, 0, 0));
    add(p, meter);
    add(p, buffer(2000000, 0, 0));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_totals(report, &totals), 0);
    assert_int_equal(totals.buffers, 2);
    assert_true(totals.memory_codecs > 0);
    assert_int_equal(leat_report_buffer_at(report, 2, &past), -ENOENT);
    assert_int_equal(leat_report_buffer_at(report, SIZE_MAX, &past), -ENOENT);
    json_t *root = json_of(report), *list = json_object_get(root, "buffers");
    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < 2; i++)
        check_outcome(report, i, json_array_get(list, i));
    assert_int_equal(leat_report_buffer_at(report, 1, &past), 0);
    assert_int_equal(past.filter, 2);
    assert_true(past.bytes >= 2000000);
    json_decref(root);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* So much is taken that most of it is in the file. */
static void it_fills_its_file(void **state UNUSED)
{
    struct held h;
    leat_report *report;
    folder = ".";
    memory = 100000;
    hold(&h, 10000000, buffer(4000000, 0, 0));
    folder = NULL;
    memory = 0;
    wait_until_taken(&h, 4000000);
    assert_int_equal(unit_entries(), 0);
    let_go(&h.sink);
    assert_int_equal(finish(&h, &report), 0);
    json_t *root = json_of(report), *told = json_array_get(json_object_get(root, "buffers"), 0);
    assert_true(json_integer_value(json_object_get(told, "file")) > 3000000);
    assert_null(json_object_get(told, "file_why"));
    check_outcome(report, 0, told);
    json_decref(root);
    leat_report_free(report);
    assert_int_equal(h.sink.done, 10000000);
}

static unsigned punches;

/* `user` points to whether the file system can do it. */
static bool count_punches(void *user, struct op *op, ssize_t *ret_result)
{
    if (op->kind != OP_PUNCH)
        return true;
    assert_true(op->fd[1] >= 0 && op->offset[1] >= 0 && op->length % PAGE == 0);
    punches++;
    *ret_result = *(bool *)user ? (ssize_t)op->length : -EOPNOTSUPP;
    return false;
}

static void blocks_are_freed_as_it_drains(void **state UNUSED)
{
    for (int can = 0; can <= 1; can++) {
        struct held h;
        leat_report *report;
        bool works = can;
        punches = 0;
        folder = ".";
        memory = 100000;
        op_interpose(count_punches, &works);
        hold(&h, 4000000, buffer(4000000, 0, 0));
        folder = NULL;
        memory = 0;
        wait_until_taken(&h, 4000000);
        assert_int_equal(punches, 0);
        let_go(&h.sink);
        assert_int_equal(finish(&h, &report), 0);
        op_interpose(NULL, NULL);
        leat_report_free(report);
        assert_int_equal(h.sink.done, 4000000);
        assert_true(works ? punches > 10 : punches == 1); /* what can't be done is not tried again */
    }
}

static unsigned file_writes;

/* What the disk does not take stays in memory. */
static bool refuse_writes(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    if (op->kind != OP_WRITE || op->call || op->offset[1] < 0 || ++file_writes < 5)
        return true;
    *ret_result = -ENOSPC;
    return false;
}

static void its_disk_is_full(void **state UNUSED)
{
    static uint8_t out[sizeof(letters)];
    size_t got;
    leat_report *report;
    folder = ".";
    memory = 100000;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, sizeof(letters)), to_bytes(out, sizeof(out), &got));
    add(p, buffer(2000000, 100, 0));
    folder = NULL;
    memory = 0;
    file_writes = 0;
    op_interpose(refuse_writes, NULL);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    op_interpose(NULL, NULL);
    assert_true(got == sizeof(letters) && memcmp(out, letters, got) == 0);
    json_t *root = json_of(report), *told = json_array_get(json_object_get(root, "buffers"), 0);
    assert_string_equal(json_string_value(json_object_get(told, "file_why")), "ENOSPC");
    check_outcome(report, 0, told);
    char *text;
    assert_int_equal(leat_report_text(report, &text), 0);
    assert_non_null(strstr(text, "which took no more: No space left"));
    leat_free(text);
    json_decref(root);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void nobody_wants_the_rest(void **state UNUSED)
{
    static uint8_t out[100];
    size_t got;
    leat_filter *head;
    leat_pipeline *p = pipeline_of(NULL, spec("zero:", LEAT_READ), to_bytes(out, sizeof(out), &got));
    add(p, buffer(100000, 0, 0));
    assert_int_equal(leat_filter_head(&head, 77), 0);
    add(p, head);
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(got, 77);
}

/* The legs have threads of their own, so that a source that blocks holds up no sink, and the other way round. */
static void each_side_has_a_thread(void **state UNUSED)
{
    int before = unit_threads();
    unit_needs(before >= 0, "a procfs");
    struct gate source = {.go = false, .n = 10};
    leat_pipeline *p = pipeline_of(NULL, gate(&source), spec("null:", LEAT_WRITE));
    add(p, buffer(100, 0, 0));
    add(p, buffer(100, 0, 0));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&source);
    assert_int_equal(unit_threads(), before + 3);
    let_go(&source);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    leat_pipeline_free(p);
}

static void one_serves_several_pipelines(void **state UNUSED)
{
    static uint8_t out[sizeof(letters)];
    leat_filter *filter = buffer(50000, 10, 90);
    for (int i = 0; i < 3; i++) {
        size_t got;
        leat_pipeline *p =
            pipeline_of(NULL, from_bytes(letters, 200000), to_bytes(out, i == 1 ? 7 : sizeof(out), &got));
        add(p, leat_filter_ref(filter));
        assert_int_equal(run_and_free(p), i == 1 ? -ENOSPC : 0);
        assert_true(i == 1 || (got == 200000 && memcmp(out, letters, got) == 0));
    }
    leat_filter_free(filter);
}

static void the_option(void **state UNUSED)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    static uint8_t out[sizeof(letters)];
    size_t got;
    char text[] = "64K,start=10";
    options.buffer = text;
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, 200000), to_bytes(out, sizeof(out), &got));
    memset(text, 'x', sizeof(text) - 1);
    add(p, digest_of("xxh3"));
    assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_FILTER, 0), "digest");
    assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_FILTER, 1), "buffer");
    assert_int_equal(run_and_free(p), 0);
    assert_true(got == 200000 && memcmp(out, letters, got) == 0);
    p = pipeline_of(&options, from_bytes(letters, 1), to_bytes(out, sizeof(out), &got));
    assert_int_equal(leat_pipeline_check(p, &error), -EINVAL);
    assert_non_null(strstr(error.text, "no size"));
    assert_int_equal(run_and_free(p), -EINVAL);
}

static void progress_counts_what_waits(void **state UNUSED)
{
    struct held h;
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    hold(&h, 10000000, buffer(1000000, 0, 0));
    wait_until_taken(&h, 1000000);
    for (int i = 0; i < 30000 && now.buffered < 1000000; i++) {
        usleep(1000);
        assert_int_equal(leat_pipeline_progress(h.p, &now), 0);
    }
    assert_int_equal(now.buffered, 1000000);
    let_go(&h.sink);
    assert_int_equal(finish(&h, NULL), 0);
}

/* ---- at random ---- */

static pthread_mutex_t chaos_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t dice;

static unsigned roll(unsigned sides)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice >> 33) % sides;
}

static unsigned fail_one_in;

static bool disturb(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    bool moves = op->kind == OP_READ || op->kind == OP_WRITE, goes = true;
    pthread_mutex_lock(&chaos_lock);
    switch (moves ? roll(6) : 5) {
    case 0:
        *ret_result = -EAGAIN;
        goes = false;
        break;
    case 1:
    case 2:
        op->length = op->length > 1 ? 1 + roll((unsigned)MIN(op->length, 1u << 30)) : op->length;
        break;
    case 3:
        *ret_result = -EIO;
        goes = !fail_one_in || roll(fail_one_in) != 0;
        break;
    default:
        break;
    }
    pthread_mutex_unlock(&chaos_lock);
    return goes;
}

static void *cancel_soon(void *user)
{
    usleep(100);
    leat_pipeline_cancel(user);
    return NULL;
}

static void run_at_random(unsigned seed)
{
    static uint8_t out[sizeof(letters)];
    pthread_t canceller;
    leat_report *report;
    dice = seed;
    size_t n = roll(2) ? roll(3000) : roll(1000000), got = SIZE_MAX;
    uint64_t size = roll(2) ? 1 + n / 500 + roll(10000) : 1 + roll(2000000);
    bool from_file = roll(2), cancels = roll(8) == 0;
    fail_one_in = roll(4) ? 0 : 1 + roll(300);
    unit_write("from", letters, n);
    leat_endpoint *sink = roll(2) ? to_bytes(out, sizeof(out), &got) : spec("to", LEAT_WRITE);
    leat_pipeline *p = pipeline_of(NULL, from_file ? spec("from", LEAT_READ) : from_bytes(letters, n), sink);
    folder = roll(2) ? "." : NULL;
    memory = folder ? 1 + roll(200000) : 0;
    add(p, buffer(size, roll(2) ? (int32_t)roll(101) : 0, (int32_t)roll(101)));
    folder = NULL;
    memory = 0;
    op_interpose(disturb, NULL);
    assert_int_equal(leat_pipeline_start(p), 0);
    if (cancels)
        pthread_create(&canceller, NULL, cancel_soon, p);
    int r = leat_pipeline_wait(p, -1, &report);
    if (cancels)
        pthread_join(canceller, NULL);
    op_interpose(NULL, NULL);
    check_balance(report, 2);
    if (r != 0 && !(r == -EIO && fail_one_in) && !(r == -ECANCELED && cancels))
        fail_msg("seed %u: %d: %s", seed, r, leat_report_error(report)->text);
    if (r == 0 && got != SIZE_MAX)
        assert_true(got == n && memcmp(out, letters, n) == 0);
    leat_report_free(report);
    leat_pipeline_free(p);
    struct stat st;
    if (r == 0 && got == SIZE_MAX)
        assert_true(stat("to", &st) == 0 && (size_t)st.st_size == n);
    unlink("to");
}

static void random_schedules(void **state UNUSED)
{
    for (unsigned seed = 1; seed <= 300; seed++)
        run_at_random(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(the_bytes_stay_the_same),
        cmocka_unit_test(it_fills_while_the_sink_sleeps),
        cmocka_unit_test(a_cancel_ends_a_full_one),
        cmocka_unit_test(a_source_fails_while_it_is_full),
        cmocka_unit_test(a_sink_fails_while_it_is_full),
        cmocka_unit_test(a_folder_is_the_rest_of_the_text),
        cmocka_unit_test(a_folder_that_is_none),
        cmocka_unit_test(the_report_numbers_all_buffers),
        cmocka_unit_test(it_fills_its_file),
        cmocka_unit_test(blocks_are_freed_as_it_drains),
        cmocka_unit_test(its_disk_is_full),
        cmocka_unit_test(nobody_wants_the_rest),
        cmocka_unit_test(each_side_has_a_thread),
        cmocka_unit_test(one_serves_several_pipelines),
        cmocka_unit_test(the_option),
        cmocka_unit_test(progress_counts_what_waits),
        cmocka_unit_test_teardown(random_schedules, unit_empty),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, begin_legs, unit_folder_gone);
}
