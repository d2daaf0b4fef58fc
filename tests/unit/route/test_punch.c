/* SPDX-License-Identifier: MIT */
/* Holes in a file that is written in place: they are punched, and where the file system can't, zeros are written. */
#include "base/op.h"
#include "base/platform.h"
#include "unit/unit.h"
#include <leat/leat.h>

#define SIZE (4u * 1024 * 1024)

static unsigned punched;

static bool refuse(void *user, struct op *op, ssize_t *ret_result)
{
    if (op->kind != OP_PUNCH)
        return true;
    punched++;
    *ret_result = -*(int *)user;
    return false;
}

static bool count(void *user UNUSED, struct op *op, ssize_t *ret_result UNUSED)
{
    punched += op->kind == OP_PUNCH;
    return true;
}

/* "head", a hole, "body" in the middle, a hole. */
static void make_source(void)
{
    unit_needs(strcmp(platform.name, "posix") != 0, "a call that finds holes");
    int fd = open("source", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "head", 4, 0), 4);
    assert_int_equal(pwrite(fd, "body", 4, SIZE / 2), 4);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    unit_needs((uint64_t)st.st_blocks * 512 < SIZE, "holes");
}

static void make_target(void)
{
    static char old[SIZE + 1000];
    memset(old, 'x', sizeof(old));
    unit_write("target", old, sizeof(old));
}

static void assert_copied(enum leat_sparse sparse)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .sparse = sparse};
    struct leat_endpoint_options in_place = {.size = sizeof(in_place), .write_mode = LEAT_WRITE_IN_PLACE};
    leat_pipeline *p;
    leat_endpoint *in, *out;
    assert_int_equal(leat_pipeline_new(&p, &options, NULL), 0);
    assert_int_equal(leat_endpoint_open(&in, "source", LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&out, "target", LEAT_WRITE, &in_place, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, in), 0);
    assert_int_equal(leat_pipeline_sink(p, out, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    leat_pipeline_free(p);
    static char a[SIZE + 1], b[SIZE + 1];
    int from = open("source", O_RDONLY | O_CLOEXEC), to = open("target", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(from, a, sizeof(a)), SIZE);
    assert_int_equal(read(to, b, sizeof(b)), SIZE);
    assert_memory_equal(a, b, SIZE);
    close(from);
    close(to);
}

static void holes_are_punched(void **state UNUSED)
{
    struct stat st;
    make_source();
    for (int sparse = LEAT_SPARSE_AUTO; sparse <= LEAT_SPARSE_ALWAYS; sparse++) {
        make_target();
        punched = 0;
        op_interpose(count, NULL);
        assert_copied((enum leat_sparse)sparse);
        op_interpose(NULL, NULL);
        assert_true(punched >= 1);
        assert_int_equal(stat("target", &st), 0);
        if (punched >= 2) /* the first was not refused: this platform and file system can */
            assert_true((uint64_t)st.st_blocks * 512 < SIZE / 2);
    }
}

/* Whatever the call says. */
static void zeros_are_written_instead(void **state UNUSED)
{
    static int codes[] = {EOPNOTSUPP, ENOSYS, EINVAL, EIO, EPERM, EAGAIN, 0};
    make_source();
    for (size_t i = 0; i < COUNT(codes); i++) {
        make_target();
        punched = 0;
        op_interpose(refuse, &codes[i]);
        assert_copied(LEAT_SPARSE_AUTO);
        op_interpose(NULL, NULL);
        assert_int_equal(punched, 1);
    }
}

static void never_means_never(void **state UNUSED)
{
    make_source();
    make_target();
    punched = 0;
    op_interpose(count, NULL);
    assert_copied(LEAT_SPARSE_NEVER);
    op_interpose(NULL, NULL);
    assert_int_equal(punched, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(holes_are_punched, unit_empty),
        cmocka_unit_test_teardown(zeros_are_written_instead, unit_empty),
        cmocka_unit_test_teardown(never_means_never, unit_empty),
    };
    return cmocka_run_group_tests_name("punch", tests, unit_folder, unit_folder_gone);
}
