/* SPDX-License-Identifier: MIT */
/* Where a transfer begins and ends: a part of a source, filters that want no more, digests that were not expected. */
#include "scene.h"

#include "pipelines.h"

static int run_for_a_while(leat_pipeline *p, leat_report **ret)
{
    assert_int_equal(leat_pipeline_start(p), 0);
    int r = leat_pipeline_wait(p, 20000, ret);
    if (r == -ETIMEDOUT) {
        leat_pipeline_cancel(p);
        leat_pipeline_wait(p, -1, NULL);
    }
    return r;
}

static leat_endpoint *borrowed(int fd)
{
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_fd(&e, fd, LEAT_BORROW), 0);
    return e;
}

/* ---- not one byte more ---- */

/* The descriptor can't be asked, so it is polled before each read. */
static bool can_not_be_asked(void *user, struct op *op, ssize_t *ret_result)
{
    int *fd = user;
    if (op->kind != OP_READ || op->fd[0] != *fd || !(op->flags & OP_NOWAIT))
        return true;
    *ret_result = -EOPNOTSUPP;
    return false;
}

static void what_was_asked_for_is_enough(void **state UNUSED)
{
    unit_needs(unit_pipes_end(), "pipes with an end");
    for (int i = 0; i < 4; i++) {
        struct leat_pipeline_options options = {
            .size = sizeof(options), .has_length = i % 2 == 0, .length = 3, .route = "chunk"};
        int fd[2];
        char to[4] = "";
        assert_int_equal(pipe(fd), 0);
        assert_int_equal(write(fd[1], "abc", 3), 3);
        leat_pipeline *p = pipeline_of(&options, borrowed(fd[0]), to_bytes(to, 3, NULL));
        if (i % 2) {
            leat_filter *head;
            assert_int_equal(leat_filter_head(&head, 3), 0);
            assert_int_equal(leat_pipeline_filter(p, head), 0);
        }
        if (i >= 2)
            op_interpose(can_not_be_asked, &fd[0]);
        int r = run_for_a_while(p, NULL);
        op_interpose(NULL, NULL);
        leat_pipeline_free(p);
        assert_int_equal(r, 0);
        assert_string_equal(to, "abc");
        close(fd[0]);
        close(fd[1]);
    }
}

/* ---- a later leg ends early ---- */

/* Passes on the first 8 bytes and says that this was all. */
static int first_eight(void *user, const void *in, size_t *in_n, void *out, size_t *out_n,
                       enum leat_filter_mode mode UNUSED)
{
    size_t *left = user, n = MIN(MIN(*left, *in_n), *out_n);
    memcpy(out, in, n);
    *in_n = *out_n = n;
    *left -= n;
    return *left == 0 ? LEAT_FILTER_ENDED : LEAT_FILTER_DONE;
}

/* As several programs in a group of a shell share standard input: what the filter used is gone, the rest is there. */
static void ends_at_eight(leat_filter *first, leat_filter *second, const char *expected)
{
    char to[9] = "";
    struct stage s = {0};
    put_file("numbers", "0123456789abcdefghij", 20);
    int fd = open("numbers", O_RDONLY | O_CLOEXEC);
    leat_pipeline *p = pipeline_of(NULL, borrowed(fd), to_bytes(to, 8, NULL));
    assert_int_equal(leat_pipeline_filter(p, first), 0);
    if (second)
        assert_int_equal(leat_pipeline_filter(p, second), 0);
    int r = run_for_a_while(p, &s.report);
    leat_pipeline_free(p);
    assert_int_equal(r, 0);
    assert_string_equal(to, expected);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 8);
    json_t *report = report_json(s.report);
    assert_int_equal(number(json_array_get(json_object_get(report, "hops"), 0), "delivered"), 8);
    json_decref(report);
    check_balance(&s);
    leat_report_free(s.report);
    close(fd);
}

static void what_a_filter_used_is_delivered(void **state UNUSED)
{
    leat_filter *skip, *head, *custom;
    size_t left = 8;
    struct leat_filter_ops ops = {.size = sizeof(ops), .transform = first_eight};
    assert_int_equal(leat_filter_skip(&skip, 5), 0);
    assert_int_equal(leat_filter_head(&head, 3), 0);
    ends_at_eight(skip, head, "567");
    assert_int_equal(leat_filter_custom(&custom, &ops, &left, NULL), 0);
    ends_at_eight(custom, NULL, "01234567");
}

/* ---- an offset behind the end ---- */

enum origin {
    BY_NAME,
    BY_DESCRIPTOR,
    BY_PIPE,
    BY_MEMORY,
    ORIGINS
};

static leat_endpoint *ten_bytes(enum origin origin)
{
    static const char bytes[] = "0123456789";
    leat_endpoint *e = NULL;
    int fd[2];
    put_file("ten", bytes, 10);
    switch (origin) {
    case BY_NAME:
        return spec("ten", LEAT_READ);
    case BY_DESCRIPTOR:
        fd[0] = open("ten", O_RDONLY | O_CLOEXEC);
        break;
    case BY_PIPE:
        assert_int_equal(pipe(fd), 0);
        assert_int_equal(write(fd[1], bytes, 10), 10);
        close(fd[1]);
        break;
    default:
        return from_bytes(bytes, 10);
    }
    assert_int_equal(leat_endpoint_from_fd(&e, fd[0], LEAT_TAKE), 0);
    return e;
}

static void expect_from(enum origin origin, uint64_t offset, enum leat_write_mode mode, int result)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .offset = offset};
    struct leat_endpoint_options to = {.size = sizeof(to), .write_mode = mode};
    leat_endpoint *sink;
    leat_report *report = NULL;
    put_file("target", OLD_TEXT, strlen(OLD_TEXT));
    assert_int_equal(leat_endpoint_open(&sink, "target", LEAT_WRITE, &to, NULL), 0);
    leat_pipeline *p = pipeline_of(&options, ten_bytes(origin), sink);
    int r = run_for_a_while(p, &report);
    if (r != result)
        fail_msg("origin %d, offset %llu: %d", (int)origin, (unsigned long long)offset, r);
    if (r < 0) {
        assert_int_equal(leat_report_error(report)->side, LEAT_SIDE_SOURCE);
        assert_non_null(strstr(leat_report_error(report)->text, "before the offset"));
        unit_holds("target", OLD_TEXT);
    }
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void an_offset_behind_the_end_is_refused(void **state UNUSED)
{
    static const uint64_t beyond[] = {11, 4096, INT64_MAX - 1, INT64_MAX};
    for (int origin = BY_NAME; origin < ORIGINS; origin++) {
        if (origin == BY_PIPE && !unit_pipes_end())
            continue;
        expect_from((enum origin)origin, 9, LEAT_WRITE_PUBLISH, 0);
        expect_from((enum origin)origin, 10, LEAT_WRITE_PUBLISH, 0);
        for (size_t i = 0; i < COUNT(beyond); i++) {
            expect_from((enum origin)origin, beyond[i], LEAT_WRITE_PUBLISH, -EINVAL);
            expect_from((enum origin)origin, beyond[i], LEAT_WRITE_IN_PLACE, -EINVAL);
            expect_from((enum origin)origin, beyond[i], LEAT_WRITE_APPEND, -EINVAL);
        }
    }
}

/* A descriptor that stands in the middle: the offset counts from there. */
static void an_offset_counts_from_where_a_descriptor_stands(void **state UNUSED)
{
    static const struct {
        uint64_t offset;
        int result;
    } offsets[] = {{6, 0}, {7, -EINVAL}, {INT64_MAX, -EINVAL}, {INT64_MAX - 3, -EINVAL}};
    put_file("ten", "0123456789", 10);
    for (size_t i = 0; i < COUNT(offsets); i++) {
        struct leat_pipeline_options options = {.size = sizeof(options), .offset = offsets[i].offset};
        int fd = open("ten", O_RDONLY | O_CLOEXEC);
        assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
        assert_int_equal(run_and_free(pipeline_of(&options, borrowed(fd), spec("null:", LEAT_WRITE))),
                         offsets[i].result);
        close(fd);
    }
}

/* A file of procfs has no size, and has an end all the same. */
static void files_without_a_size_have_an_end(void **state UNUSED)
{
    struct stat st;
    unit_needs(stat("/proc/version", &st) == 0 && st.st_size == 0, "procfs");
    for (uint64_t offset = 1; offset < 1000000; offset += 999990) {
        struct leat_pipeline_options options = {.size = sizeof(options), .offset = offset};
        assert_int_equal(
            run_and_free(pipeline_of(&options, spec("/proc/version", LEAT_READ), spec("null:", LEAT_WRITE))),
            offset == 1 ? 0 : -EINVAL);
    }
}

/* ---- a digest that was not expected ---- */

#define WRONG "crc32c:00000001"

static void expect_words(bool publishes, bool passes, const char *words)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = WRONG};
    char to[3];
    leat_report *report;
    leat_pipeline *p = pipeline_of(&options, from_bytes("abc", 3), NULL);
    if (publishes)
        assert_int_equal(leat_pipeline_sink(p, spec("new", LEAT_WRITE), NULL, NULL), 0);
    if (passes)
        assert_int_equal(leat_pipeline_sink(p, to_bytes(to, 3, NULL), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, &report), -EBADMSG);
    const char *text = leat_report_error(report)->text;
    if (!strstr(text, words) || (passes && strstr(text, "nothing was published")))
        fail_msg("%s", text);
    assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_FILTER, leat_report_error(report)->index), "digest");
    assert_int_equal(access("new", F_OK), -1);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void only_what_is_true_is_said_of_the_sinks(void **state UNUSED)
{
    expect_words(true, false, "nothing was published");
    expect_words(false, true, "the bytes were written already");
    expect_words(true, true, "no new file was published");
    expect_words(false, false, "not the expected one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_asked_for_is_enough),
        cmocka_unit_test(what_a_filter_used_is_delivered),
        cmocka_unit_test(an_offset_behind_the_end_is_refused),
        cmocka_unit_test(an_offset_counts_from_where_a_descriptor_stands),
        cmocka_unit_test(files_without_a_size_have_an_end),
        cmocka_unit_test(only_what_is_true_is_said_of_the_sinks),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
