/* SPDX-License-Identifier: MIT */
/* Unusual uses of pipelines and their parts: shared filters, parts that never open, questions asked early and late. */
#include "unit/flow/pipelines.h"
#include <poll.h>
#include <pthread.h>

/* The filter is in this pipeline twice. */
static void filters_behind_a_busy_one_are_freed(void **state UNUSED)
{
    leat_filter *digest = digest_of("sha256");
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(digest)), 0);
    assert_int_equal(leat_pipeline_filter(p, digest), 0);
    assert_int_equal(run_and_free(p), -EBUSY);
}

static void a_pipeline_that_did_not_start_leaves_the_filter_busy(void **state UNUSED)
{
    struct gate source = {.n = 3};
    leat_filter *digest = digest_of("sha256");
    leat_pipeline *p = pipeline_of(NULL, gate(&source), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(digest)), 0);
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&source);
    unit_write("from", "abc", 3);
    leat_pipeline *q = pipeline_of(NULL, spec("from", LEAT_READ), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_filter(q, leat_filter_ref(digest)), 0);
    unlink("from");
    assert_int_equal(run_and_free(q), -ENOENT);
    int r = leat_filter_digest_reset(digest); /* p is still in the middle of it */
    let_go(&source);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    leat_pipeline_free(p);
    leat_filter_free(digest);
    assert_int_equal(r, -EBUSY);
}

static void a_descriptor_asked_for_after_the_end_is_readable(void **state UNUSED)
{
    int fd;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("", 0), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_int_equal(leat_pipeline_fd(p, &fd), 0);
    struct pollfd set = {.fd = fd, .events = POLLIN};
    int n = poll(&set, 1, 0);
    leat_pipeline_free(p);
    assert_int_equal(n, 1);
}

static void a_source_is_no_sink(void **state UNUSED)
{
    unit_write("file", "old", 3);
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abcdef", 3), NULL);
    int r = leat_pipeline_sink(p, spec("file", LEAT_READ), NULL, NULL);
    int run = leat_pipeline_run(p, NULL);
    leat_pipeline_free(p);
    assert_true(r == -EINVAL || run == -EINVAL);
    unit_holds("file", "old");
}

/* Gives the endpoint to a pipeline that is new. */
static int use(leat_endpoint *endpoint, enum leat_direction direction)
{
    leat_pipeline *p = pipeline_of(NULL, NULL, NULL);
    int r = direction == LEAT_READ ? leat_pipeline_source(p, leat_endpoint_ref(endpoint))
                                   : leat_pipeline_sink(p, leat_endpoint_ref(endpoint), NULL, NULL);
    leat_pipeline_free(p);
    return r;
}

/* Two pipelines get it before either runs, and after the run it is used up as well. */
static void an_endpoint_serves_once(void **state UNUSED)
{
    char to[3];
    size_t size = 77;
    leat_endpoint *source = leat_endpoint_ref(from_bytes("abc", 3));
    leat_endpoint *sink = leat_endpoint_ref(to_bytes(to, 3, &size));
    leat_pipeline *p = pipeline_of(NULL, source, sink);
    assert_int_equal(use(source, LEAT_READ), -EBUSY);
    assert_int_equal(use(sink, LEAT_WRITE), -EBUSY);
    assert_int_equal(leat_pipeline_sink(p, leat_endpoint_ref(sink), NULL, NULL), -EBUSY);
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_int_equal(size, 3);
    assert_memory_equal(to, "abc", 3);
    assert_int_equal(use(source, LEAT_READ), -EBUSY);
    leat_pipeline_free(p);
    assert_int_equal(use(source, LEAT_READ), -EBUSY);
    assert_int_equal(use(sink, LEAT_WRITE), -EBUSY);
    leat_endpoint_close(source);
    leat_endpoint_close(sink);
}

/* A descriptor that may be read and written is a source or a sink, and not both. */
static void a_source_is_not_a_sink_too(void **state UNUSED)
{
    int fd[2];
    leat_endpoint *e;
    unit_socketpair(fd);
    assert_int_equal(leat_endpoint_from_fd(&e, fd[0], LEAT_TAKE), 0);
    leat_pipeline *p = pipeline_of(NULL, e, NULL);
    assert_int_equal(leat_pipeline_sink(p, leat_endpoint_ref(e), NULL, NULL), -EBUSY);
    leat_pipeline_free(p);
    close(fd[1]);
}

/* Whoever handed in callbacks is told how it ended, also if it never began. */
static void finish_is_called_when_another_part_does_not_open(void **state UNUSED)
{
    struct gate to = {.go = true};
    unit_write("from", "abc", 3);
    leat_pipeline *p = pipeline_of(NULL, spec("from", LEAT_READ), gate(&to));
    unlink("from");
    assert_int_equal(run_and_free(p), -ENOENT);
    assert_int_equal(to.finishes, 1);
}

static void *watch(void *user)
{
    for (int i = 0; i < 20000; i++) {
        struct leat_progress now = LEAT_INIT(struct leat_progress);
        leat_pipeline_progress(user, &now);
    }
    return NULL;
}

static void progress_may_be_asked_from_the_beginning(void **state UNUSED)
{
    pthread_t thread;
    leat_pipeline *p = pipeline_of(NULL, from_bytes("abc", 3), spec("null:", LEAT_WRITE));
    assert_int_equal(pthread_create(&thread, NULL, watch, p), 0);
    usleep(500);
    int r = leat_pipeline_run(p, NULL);
    pthread_join(thread, NULL);
    leat_pipeline_free(p);
    assert_int_equal(r, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_behind_a_busy_one_are_freed),
        cmocka_unit_test_teardown(a_pipeline_that_did_not_start_leaves_the_filter_busy, unit_empty),
        cmocka_unit_test(a_descriptor_asked_for_after_the_end_is_readable),
        cmocka_unit_test_teardown(a_source_is_no_sink, unit_empty),
        cmocka_unit_test(an_endpoint_serves_once),
        cmocka_unit_test(a_source_is_not_a_sink_too),
        cmocka_unit_test_teardown(finish_is_called_when_another_part_does_not_open, unit_empty),
        cmocka_unit_test(progress_may_be_asked_from_the_beginning),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
