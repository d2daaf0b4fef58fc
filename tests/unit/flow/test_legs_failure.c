/* SPDX-License-Identifier: MIT */
/* engines: uring
 * Legs that fail, are cancelled, or stopped because nobody wants more: who is told of what, and that nothing is
 * published which is not right. */
#include "base/fd.h"
#include "legs.h"
#include <pthread.h>
#include <sys/stat.h>

#define N 1000000

static leat_report *report;

/* Runs it into a file that is there, beside a meter that counts what came out. The error must have side and code. */
static const struct leat_error *fail_with(leat_pipeline *p, int code, enum leat_side side)
{
    leat_report_free(report);
    assert_int_equal(leat_pipeline_run(p, &report), code);
    const struct leat_error *error = leat_report_error(report);
    assert_non_null(error);
    assert_int_equal(error->code, code);
    assert_int_equal(error->side, side);
    assert_true(error->text[0] && error->node && error->operation);
    leat_pipeline_free(p);
    return error;
}

static leat_pipeline *into_old_file(leat_endpoint *source, struct machine_plan first, struct machine_plan second)
{
    unit_write("old", "the old file", 12);
    leat_pipeline *p = pipeline_of(NULL, source, spec("old", LEAT_WRITE));
    leat_pipeline_filter(p, digest_of("crc32c"));
    leat_pipeline_filter(p, machine(first));
    leat_pipeline_filter(p, machine(second));
    return p;
}

/* ---- filters ---- */

static void a_transform_fails(void **state UNUSED)
{
    static const uint64_t behind[] = {0, 1, PAGE, 600000, N - 1};
    for (size_t i = 0; i < COUNT(behind); i++)
        for (uint32_t which = 0; which < 2; which++) {
            struct machine_plan bad = {.every = 1, .times = 1, .fails = true, .behind = behind[i]};
            leat_pipeline *p = which ? into_old_file(from_bytes(letters, N), machine_same, bad)
                                     : into_old_file(from_bytes(letters, N), bad, machine_drip);
            const struct leat_error *error = fail_with(p, -EILSEQ, LEAT_SIDE_FILTER);
            assert_int_equal(error->index, 1 + which);
            assert_string_equal(error->node, "machine");
            assert_string_equal(error->text, "It was told to fail");
            assert_true(error->offset <= behind[i]);
            unit_holds("old", "the old file");
            check_balance(report, 3);
        }
}

/* Of a call "again" means that it is to be made once more: of a filter it is a failure as any other. */
static void a_transform_fails_with_again(void **state UNUSED)
{
    struct machine_plan bad = {.every = 1, .times = 1, .fails = true, .behind = 600000, .code = -EAGAIN};
    for (uint32_t which = 0; which < 2; which++)
        assert_int_equal(
            fail_with(into_old_file(from_bytes(letters, N), which ? machine_same : bad, which ? bad : machine_same),
                      -EAGAIN, LEAT_SIDE_FILTER)
                ->index,
            1 + which);
    unit_holds("old", "the old file");
}

static void a_filter_breaks_its_word(void **state UNUSED)
{
    for (unsigned lies = 1; lies <= 3; lies++) {
        struct machine_plan bad = {.every = 1, .times = 1, .lies = lies};
        const struct leat_error *error =
            fail_with(into_old_file(from_bytes(letters, N), bad, machine_same), -EPROTO, LEAT_SIDE_FILTER);
        assert_string_equal(error->operation, "transform");
        unit_holds("old", "the old file");
    }
}

static void a_filter_serves_one_place_at_a_time(void **state UNUSED)
{
    leat_filter *twice = machine(machine_same);
    unit_write("old", "the old file", 12);
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), spec("old", LEAT_WRITE));
    leat_pipeline_filter(p, leat_filter_ref(twice));
    leat_pipeline_filter(p, leat_filter_ref(twice));
    assert_int_equal(fail_with(p, -EBUSY, LEAT_SIDE_FILTER)->index, 1);
    unit_holds("old", "the old file");
    p = pipeline_of(NULL, from_bytes(letters, N), spec("old", LEAT_WRITE));
    leat_pipeline_filter(p, twice);
    assert_int_equal(run_and_free(p), 0);
}

/* ---- sources and sinks ---- */

struct breaking {
    size_t left;
};

static int breaking_read(void *user, void *bytes, size_t n, size_t *ret_n)
{
    struct breaking *b = user;
    if (b->left == 0)
        return -EIO;
    *ret_n = MIN(n, b->left);
    b->left -= *ret_n;
    memset(bytes, 'x', *ret_n);
    return 0;
}

/* Its failure is no end: what holds back is not asked to finish. */
static void the_source_fails(void **state UNUSED)
{
    static const size_t behind[] = {0, 1, 700000};
    for (size_t i = 0; i < COUNT(behind); i++) {
        struct breaking b = {.left = behind[i]};
        struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = breaking_read};
        leat_endpoint *source;
        leat_filter *hoard = machine(machine_hoard);
        assert_int_equal(leat_endpoint_from_callbacks(&source, &callbacks, &b, NULL), 0);
        unit_write("old", "the old file", 12);
        leat_pipeline *p = pipeline_of(NULL, source, spec("old", LEAT_WRITE));
        leat_pipeline_filter(p, machine(machine_same));
        leat_pipeline_filter(p, leat_filter_ref(hoard));
        const struct leat_error *error = fail_with(p, -EIO, LEAT_SIDE_SOURCE);
        assert_int_equal(error->offset, behind[i]);
        assert_string_equal(error->node, "callback");
        assert_int_equal(((struct machine *)hoard)->finishes, 0);
        unit_holds("old", "the old file");
        check_balance(report, 3);
        leat_filter_free(hoard);
    }
}

static void the_sink_fails(void **state UNUSED)
{
    static uint8_t to[1000];
    size_t got = 77;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), to_bytes(to, sizeof(to), &got));
    leat_pipeline_filter(p, machine(machine_drip));
    leat_pipeline_filter(p, machine(machine_twice));
    const struct leat_error *error = fail_with(p, -ENOSPC, LEAT_SIDE_SINK);
    assert_int_equal(error->index, 0);
    assert_int_equal(error->offset, 1000);
    assert_int_equal(got, 77);
    check_balance(report, 3);
}

static void the_reader_has_gone(void **state UNUSED)
{
    int fd[2];
    leat_endpoint *sink;
    unit_needs(unit_pipes_end(), "pipes with an end");
    assert_int_equal(fd_pipe(fd), 0);
    fd_close(fd[0]);
    assert_int_equal(leat_endpoint_from_fd(&sink, fd[1], LEAT_TAKE), 0);
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), sink);
    leat_pipeline_filter(p, machine(machine_same));
    fail_with(p, -EPIPE, LEAT_SIDE_SINK);
    check_balance(report, 2);
}

static void a_sink_that_can_not_be_opened(void **state UNUSED)
{
    struct gate from = {.go = true, .n = 1000};
    assert_int_equal(mkdir("gone", 0700), 0);
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("gone/file", LEAT_WRITE));
    leat_pipeline_filter(p, machine(machine_same));
    assert_int_equal(rmdir("gone"), 0);
    fail_with(p, -ENOENT, LEAT_SIDE_SINK);
    assert_int_equal(from.asked, 0);
    assert_int_equal(from.finishes, 1);
}

/* ---- who keeps it waiting ---- */

#define IDLE_MS 30

static leat_endpoint *impatient(int fd)
{
    char name[32];
    leat_endpoint *source;
    struct leat_endpoint_options options = {.size = sizeof(options), .idle_timeout_ms = IDLE_MS};
    snprintf(name, sizeof(name), "fd:%d", fd);
    assert_int_equal(leat_endpoint_open(&source, name, LEAT_READ, &options, NULL), 0);
    return source;
}

static void a_source_that_says_nothing(void **state UNUSED)
{
    int fd[2];
    assert_int_equal(fd_pipe(fd), 0);
    assert_int_equal(write(fd[1], letters, 1000), 1000);
    fail_with(into_old_file(impatient(fd[0]), machine_same, machine_hoard), -ETIMEDOUT, LEAT_SIDE_SOURCE);
    unit_holds("old", "the old file");
    fd_close(fd[0]);
    fd_close(fd[1]);
}

/* It is the sink behind the transform that keeps everybody waiting. */
static void who_is_not_waited_for_is_not_blamed(void **state UNUSED)
{
    int fd[2];
    struct gate to = {.at_most = 1 << 20};
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 2 * PAGE};
    unit_needs(unit_pipes_end(), "pipes with an end");
    assert_int_equal(fd_pipe(fd), 0);
    assert_int_equal(write(fd[1], letters, 60000), 60000);
    leat_pipeline *p = pipeline_of(&options, impatient(fd[0]), gate(&to));
    leat_pipeline_filter(p, machine(machine_same));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&to);
    usleep(3 * IDLE_MS * 1000);
    fd[1] = fd_close(fd[1]);
    let_go(&to);
    assert_int_equal(leat_pipeline_wait(p, 20000, NULL), 0);
    assert_int_equal(to.done, 60000);
    leat_pipeline_free(p);
    fd_close(fd[0]);
}

/* ---- nobody wants more ---- */

/* The source would keep it waiting for ever; it is let go without having been read to its end. */
static void what_wants_no_more_is_not_waited_for(void **state UNUSED)
{
    for (int full = 0; full < 2; full++) {
        int fd[2];
        size_t got = 0;
        uint8_t to[100];
        leat_endpoint *source;
        struct machine_plan ends = {.every = 1, .times = 1, .ends = true, .behind = full ? 100 : 50};
        assert_int_equal(fd_pipe(fd), 0);
        assert_int_equal(write(fd[1], letters, full ? 60000 : 50), full ? 60000 : 50);
        assert_int_equal(leat_endpoint_from_fd(&source, fd[0], LEAT_TAKE), 0);
        leat_pipeline *p = pipeline_of(NULL, source, to_bytes(to, sizeof(to), &got));
        leat_pipeline_filter(p, machine(machine_same));
        leat_pipeline_filter(p, machine(ends));
        assert_int_equal(leat_pipeline_start(p), 0);
        assert_int_equal(leat_pipeline_wait(p, 20000, NULL), 0);
        assert_int_equal(got, ends.behind);
        assert_memory_equal(to, letters, got);
        leat_pipeline_free(p);
        fd_close(fd[1]);
    }
}

/* ---- cancelled ---- */

static void cancel_it(leat_pipeline *p, size_t hops)
{
    assert_int_equal(leat_pipeline_cancel(p), 0);
    leat_report_free(report);
    assert_int_equal(leat_pipeline_wait(p, 20000, &report), -ECANCELED);
    check_balance(report, hops);
    leat_pipeline_free(p);
}

static void cancelled_before_it_runs(void **state UNUSED)
{
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), spec("new", LEAT_WRITE));
    leat_pipeline_filter(p, machine(machine_same));
    leat_pipeline_cancel(p);
    assert_int_equal(run_and_free(p), -ECANCELED);
    assert_int_equal(access("new", F_OK), -1);
}

static void cancelled_while_it_opens(void **state UNUSED)
{
    unit_fifo("fifo");
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), spec("fifo", LEAT_WRITE));
    leat_pipeline_filter(p, machine(machine_same));
    assert_int_equal(leat_pipeline_start(p), 0);
    usleep(10000);
    cancel_it(p, 2);
}

/* The first leg waits for the source, the others for it; or the last for its sink, and the others until it goes on. */
static void cancelled_while_it_waits(void **state UNUSED)
{
    for (int sink = 0; sink < 2; sink++) {
        struct gate from = {.n = N, .go = sink}, to = {.go = !sink};
        leat_pipeline *p = pipeline_of(NULL, gate(&from), gate(&to));
        leat_pipeline_filter(p, machine(machine_same));
        leat_pipeline_filter(p, machine(machine_twice));
        assert_int_equal(leat_pipeline_start(p), 0);
        wait_until_asked(sink ? &to : &from);
        cancel_it(p, 3);
        assert_int_equal(from.finishes, 1);
        assert_int_equal(from.finish_code, -ECANCELED);
        assert_int_equal(to.finish_code, -ECANCELED);
    }
}

struct later {
    leat_pipeline *pipeline;
    unsigned us;
};

static void *cancel_later(void *user)
{
    const struct later *later = user;
    usleep(later->us);
    leat_pipeline_cancel(later->pipeline);
    return NULL;
}

static void cancelled_in_the_middle(void **state UNUSED)
{
    for (int i = 0; i < (getenv("LEAT_TEST_QUICK") ? 10 : 100); i++) {
        pthread_t thread;
        unlink("new");
        leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), spec("new", LEAT_WRITE));
        leat_pipeline_filter(p, digest_of("sha256"));
        leat_pipeline_filter(p, machine(machine_same));
        leat_pipeline_filter(p, machine(i % 2 ? machine_half : machine_hoard));
        struct later later = {.pipeline = p, .us = (unsigned)i * 40};
        pthread_create(&thread, NULL, cancel_later, &later);
        int r = leat_pipeline_run(p, NULL);
        pthread_join(thread, NULL);
        assert_true(r == 0 || r == -ECANCELED);
        assert_int_equal(access("new", F_OK), r == 0 ? 0 : -1);
        leat_pipeline_free(p);
    }
}

static int drop_report(void **state)
{
    leat_report_free(report);
    return unit_folder_gone(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_transform_fails, unit_empty),
        cmocka_unit_test_teardown(a_transform_fails_with_again, unit_empty),
        cmocka_unit_test_teardown(a_filter_breaks_its_word, unit_empty),
        cmocka_unit_test_teardown(a_filter_serves_one_place_at_a_time, unit_empty),
        cmocka_unit_test_teardown(the_source_fails, unit_empty),
        cmocka_unit_test(the_sink_fails),
        cmocka_unit_test(the_reader_has_gone),
        cmocka_unit_test_teardown(a_sink_that_can_not_be_opened, unit_empty),
        cmocka_unit_test_teardown(a_source_that_says_nothing, unit_empty),
        cmocka_unit_test(who_is_not_waited_for_is_not_blamed),
        cmocka_unit_test(what_wants_no_more_is_not_waited_for),
        cmocka_unit_test(cancelled_before_it_runs),
        cmocka_unit_test_teardown(cancelled_while_it_opens, unit_empty),
        cmocka_unit_test(cancelled_while_it_waits),
        cmocka_unit_test_teardown(cancelled_in_the_middle, unit_empty),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, begin_legs, drop_report);
}
