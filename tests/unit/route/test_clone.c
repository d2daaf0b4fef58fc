/* SPDX-License-Identifier: MIT */
/* The clone route, on file systems that need not have it: OP_CLONE is made by copying here, so that what happens
 * between the clones of several sinks can be arranged.
 * labels: glibc */
#include "unit/flow/scene.h"

#define SIZE  ((size_t)300000)
#define SINKS 3

static struct fake {
    unsigned calls;
    int code[SINKS]; /* of the call with that number; 0: it works */
    void (*before)(unsigned call);
    int readback; /* what reading a sink says, if not 0 */
    bool sparse;  /* the source begins with a hole */
} fake;

static ssize_t copy_all(int from, int to)
{
    static uint8_t bytes[SIZE + 1];
    ssize_t n = pread(from, bytes, sizeof(bytes), 0);
    assert_int_equal(ftruncate(to, 0), 0);
    assert_int_equal(pwrite(to, bytes, (size_t)n, 0), n);
    return 0;
}

static bool clones(void *user, struct op *op, ssize_t *ret_result)
{
    (void)user;
    if (op->kind == OP_READ && fake.readback && (fcntl(op->fd[0], F_GETFL) & O_ACCMODE) == O_RDWR) {
        *ret_result = fake.readback;
        return false;
    }
    if (op->kind != OP_CLONE)
        return true;
    unsigned call = fake.calls++;
    if (fake.before)
        fake.before(call);
    *ret_result = call < SINKS && fake.code[call] ? fake.code[call] : copy_all(op->fd[0], op->fd[1]);
    return false;
}

static leat_endpoint *open_anywhere(const char *path, enum leat_direction direction)
{
    leat_endpoint *endpoint;
    assert_int_equal(leat_endpoint_open(&endpoint, path, direction, NULL, NULL), 0);
    endpoint->node.file_system = NULL; /* it is asked, whatever it is */
    return endpoint;
}

/* To sink0, sink1, ... `filter` may be NULL; it is taken. */
static void clone_to(struct stage *s, size_t sinks, leat_filter *filter, leat_filter *other)
{
    static const struct scene scene = {"clones", KIND_FILE, {KIND_FILE, KIND_FILE, KIND_FILE}, NULL};
    *s = (struct stage){.scene = &scene, .n = SIZE, .content = make_content(SIZE)};
    put_file("source", s->content, SIZE);
    if (fake.sparse) {
        int fd = open("source", O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_int_equal(pwrite(fd, s->content, SIZE - 65536, 65536), (ssize_t)(SIZE - 65536));
        close(fd);
    }
    assert_int_equal(leat_pipeline_new(&s->pipeline, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(s->pipeline, open_anywhere("source", LEAT_READ)), 0);
    for (size_t i = 0; i < sinks; i++) {
        snprintf(s->path[i], sizeof(s->path[i]), "sink%zu", i);
        unlink(s->path[i]);
        assert_int_equal(leat_pipeline_sink(s->pipeline, open_anywhere(s->path[i], LEAT_WRITE), NULL, NULL), 0);
    }
    if (filter)
        assert_int_equal(leat_pipeline_filter(s->pipeline, filter), 0);
    if (other)
        assert_int_equal(leat_pipeline_filter(s->pipeline, other), 0);
    op_interpose(clones, NULL);
    s->result = leat_pipeline_run(s->pipeline, &s->report);
    op_interpose(NULL, NULL);
    leat_pipeline_free(s->pipeline);
}

static leat_filter *sha256(void)
{
    leat_filter *filter;
    assert_int_equal(leat_filter_digest(&filter, "sha256", NULL, NULL), 0);
    return filter;
}

static void write_to_source(unsigned call)
{
    int fd = open("source", O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &call, sizeof(call), 4096), (ssize_t)sizeof(call));
    close(fd);
}

/* A source that is written to meanwhile: every sink is what the digest says, though only one is read back. */
static void all_clones_are_alike(void **state)
{
    (void)state;
    struct stage s;
    char hex[LEAT_DIGEST_HEX_MAX];
    fake = (struct fake){.before = write_to_source};
    clone_to(&s, SINKS, sha256(), NULL);
    assert_int_equal(s.result, 0);
    assert_int_equal(fake.calls, SINKS);
    check_balance(&s);
    assert_int_equal(leat_report_digest(s.report, "sha256", hex, sizeof(hex)), 0);
    for (size_t i = 0; i < SINKS; i++) {
        size_t n;
        uint8_t *bytes = get_file(s.path[i], &n);
        assert_int_equal(n, SIZE);
        assert_string_equal(hex, hex_of_content(bytes, n, "sha256"));
        free(bytes);
    }
    stage_close(&s);
}

/* Any clone fails, for its sink or for good: the others have it all, and every sum is right. */
static void each_clone_fails(void **state)
{
    (void)state;
    static const int codes[] = {0, -ENOSPC, -EXDEV};
    for (unsigned i = 0; i < 27; i++) {
        struct stage s;
        leat_filter *meter;
        uint64_t passed;
        assert_int_equal(leat_filter_meter(&meter), 0);
        fake = (struct fake){.code = {codes[i % 3], codes[i / 3 % 3], codes[i / 9]}};
        clone_to(&s, SINKS, sha256(), leat_filter_ref(meter));
        check_balance(&s);
        for (size_t k = 0; k < SINKS; k++)
            if (leat_report_sink_error(s.report, k))
                check_sink_untouched(&s, k);
            else
                check_sink_whole(&s, k);
        leat_filter_bytes(meter, &passed);
        assert_int_equal(passed, i == 13 ? 0 : SIZE); /* 13: no room anywhere */
        leat_filter_free(meter);
        stage_close(&s);
    }
}

static void zero_source(unsigned call)
{
    int fd = open("source", O_RDWR | O_CLOEXEC);
    if (call == 1) { /* all of it is a hole from now on */
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(ftruncate(fd, SIZE), 0);
    }
    close(fd);
}

/* The source had bytes when the first clone was made, and has holes when the copy begins anew. */
static void holes_after_a_step_down(void **state)
{
    (void)state;
    struct stage s;
    char hex[LEAT_DIGEST_HEX_MAX];
    fake = (struct fake){.before = zero_source, .code = {0, -EXDEV}, .sparse = true};
    clone_to(&s, 2, sha256(), NULL);
    assert_int_equal(s.result, 0);
    assert_int_equal(leat_report_digest(s.report, "sha256", hex, sizeof(hex)), 0);
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        uint8_t *bytes = get_file(s.path[i], &n);
        assert_int_equal(n, SIZE);
        assert_string_equal(hex, hex_of_content(bytes, n, "sha256"));
        free(bytes);
    }
    stage_close(&s);
}

static void cut_source(unsigned call)
{
    if (call == 0)
        assert_int_equal(truncate("source", SIZE / 2), 0);
}

static void a_source_that_shrinks(void **state)
{
    (void)state;
    struct stage s;
    fake = (struct fake){.before = cut_source};
    clone_to(&s, 1, NULL, NULL);
    assert_int_equal(s.result, -ESTALE);
    check_sink_untouched(&s, 0);
    stage_close(&s);
}

/* What could not be read back is not published, and no sink is called done. */
static void a_clone_that_cannot_be_read(void **state)
{
    (void)state;
    struct stage s;
    fake = (struct fake){.readback = -EIO};
    clone_to(&s, 2, sha256(), NULL);
    assert_int_equal(s.result, -EIO);
    json_t *json = report_json(s.report);
    for (size_t i = 0; i < 2; i++) {
        json_t *sink = json_array_get(json_object_get(json, "sinks"), i);
        check_sink_untouched(&s, i);
        assert_string_equal(json_string_value(json_object_get(sink, "status")), "failed");
    }
    assert_int_equal(json_array_size(json_object_get(json, "digests")), 0);
    json_decref(json);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_clones_are_alike),        cmocka_unit_test(each_clone_fails),
        cmocka_unit_test(holes_after_a_step_down),     cmocka_unit_test(a_source_that_shrinks),
        cmocka_unit_test(a_clone_that_cannot_be_read),
    };
    if (!has_route("clone")) {
        printf("this build has no clone route\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
