/* SPDX-License-Identifier: MIT */
/* labels: long
 * LEAT_CACHE_DROP: the disk has every byte of a sink before its pages are dropped, and before the run ends. This
 * program has sync_file_range, fdatasync and posix_fadvise of its own, which note what they are asked for, in which
 * order. */
#include "unit/flow/scene.h"

#include "unit/flow/pipelines.h"
#include <sys/syscall.h>

#define SIZE ((20u << 20) + 4711) /* several windows of write-back */

static ino_t source;
static int refusal;         /* what sync_file_range fails with; 0: it works */
static unsigned disk_fails; /* the waiting call with this number fails by EIO, counted from 1; 0: none */
static unsigned waits, flushes;
static uint64_t written_back; /* the disk has the bytes up to here, */
static bool all_written_back; /* or all that were written */
static bool all_dropped;
static unsigned early; /* drops of pages that the disk did not have */

static bool is_sink(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino != source;
}

int sync_file_range(int fd, off64_t offset, off64_t n, unsigned flags)
{
    bool whole = flags & SYNC_FILE_RANGE_WAIT_AFTER;
    waits += whole;
    errno = whole && waits == disk_fails ? EIO : refusal;
    if (errno)
        return -1;
    int r = (int)syscall(SYS_sync_file_range, fd, offset, n, flags);
    if (r == 0 && whole && n == 0)
        all_written_back = true;
    else if (r == 0 && whole)
        written_back = MAX(written_back, (uint64_t)offset + (uint64_t)n);
    return r;
}

int fdatasync(int fd)
{
    flushes++;
    all_written_back = true;
    return (int)syscall(SYS_fdatasync, fd);
}

int posix_fadvise(int fd, off_t offset, off_t n, int advice)
{
    if (advice == POSIX_FADV_DONTNEED && is_sink(fd)) {
        early += !all_written_back && (n == 0 || (uint64_t)offset + (uint64_t)n > written_back);
        all_dropped = all_written_back && offset == 0 && n == 0;
    }
    return (int)syscall(SYS_fadvise64, fd, offset, n, advice);
}

static bool note_write(void *user UNUSED, struct op *op, ssize_t *ret_result UNUSED)
{
    bool writes = op->kind == OP_WRITE || op->kind == OP_COPY_RANGE || op->kind == OP_SPLICE ||
                  op->kind == OP_SENDFILE || op->kind == OP_TRUNCATE || op->kind == OP_PUNCH;
    if (writes && is_sink(op->fd[1]))
        all_written_back = all_dropped = false;
    return true;
}

static int run_once(const char *route, enum leat_write_mode mode, char text[200])
{
    struct leat_pipeline_options options = {.size = sizeof(options), .route = route, .cache = LEAT_CACHE_DROP};
    struct leat_endpoint_options to = {.size = sizeof(to), .write_mode = mode};
    leat_endpoint *sink;
    leat_report *report;
    waits = flushes = early = 0;
    written_back = 0;
    all_written_back = all_dropped = false;
    assert_int_equal(leat_endpoint_open(&sink, "sink", LEAT_WRITE, &to, NULL), 0);
    leat_pipeline *p = pipeline_of(&options, spec("source", LEAT_READ), sink);
    op_interpose(note_write, NULL);
    int r = leat_pipeline_run(p, &report);
    op_interpose(NULL, NULL);
    if (text && leat_report_error(report))
        snprintf(text, 200, "%s", leat_report_error(report)->operation);
    leat_report_free(report);
    leat_pipeline_free(p);
    return r;
}

static const char *const routes[] = {"auto", "chunk", "prefer:offload", "prefer:splice"};
static const enum leat_write_mode modes[] = {LEAT_WRITE_PUBLISH, LEAT_WRITE_IN_PLACE};

static void check(const char *route)
{
    if (early || !all_written_back || !all_dropped)
        fail_msg("%s: %u drops were early; %s, %s", route, early,
                 all_written_back ? "all is on the disk" : "not all is on the disk",
                 all_dropped ? "all is dropped" : "not all is dropped");
}

static void the_disk_has_all_at_the_end(void **state UNUSED)
{
    refusal = 0;
    for (size_t i = 0; i < COUNT(routes); i++)
        for (size_t k = 0; k < COUNT(modes); k++) {
            assert_int_equal(run_once(routes[i], modes[k], NULL), 0);
            assert_true(waits > 0 && flushes == 0);
            check(routes[i]);
        }
}

/* A filter of system calls forbids it. */
static void without_the_call_files_are_flushed(void **state UNUSED)
{
    refusal = ENOSYS;
    for (size_t i = 0; i < COUNT(routes); i++) {
        assert_int_equal(run_once(routes[i], LEAT_WRITE_PUBLISH, NULL), 0);
        assert_true(flushes > 0);
        check(routes[i]);
    }
    refusal = 0;
}

/* At each wait: the first ones while bytes move, the last one at the end. */
static void a_disk_that_fails_is_told(void **state UNUSED)
{
    char text[200];
    for (size_t i = 0; i < COUNT(routes); i++) {
        disk_fails = 0;
        unlink("sink");
        assert_int_equal(run_once(routes[i], LEAT_WRITE_PUBLISH, NULL), 0);
        unlink("sink");
        for (unsigned n = waits; n > 0; n--) {
            disk_fails = n;
            assert_int_equal(run_once(routes[i], LEAT_WRITE_PUBLISH, text), -EIO);
            assert_string_equal(text, "sync_file_range");
            assert_int_equal(access("sink", F_OK), -1);
        }
        disk_fails = 0;
    }
}

static int make_source(void **state)
{
    struct stat st;
    int r = enter_directory(state);
    uint8_t *bytes = make_content(SIZE);
    put_file("source", bytes, SIZE);
    free(bytes);
    if (r == 0 && (r = stat("source", &st)) == 0)
        source = st.st_ino;
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_disk_has_all_at_the_end),
        cmocka_unit_test(without_the_call_files_are_flushed),
        cmocka_unit_test(a_disk_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, make_source, leave_directory);
}
