/* SPDX-License-Identifier: MIT */
/* The function `progress` of a pipeline: which thread calls it and when, what it may call, and that it cancels. */
#include "unit/flow/pipelines.h"
#include <pthread.h>
#include <unistd.h>

#define N ((size_t)300000)

struct watcher {
    pthread_t thread;
    leat_pipeline *pipeline;
    unsigned calls, stop_after;
    bool asks; /* calls what it may call, and what it may not */
    uint64_t last;
    double seconds;
};

static uint8_t bytes[N];

static void ask(struct watcher *w)
{
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    leat_report *report = (leat_report *)w;
    assert_int_equal(leat_pipeline_progress(w->pipeline, &now), 0);
    assert_true(now.bytes >= w->last);
    assert_string_equal(leat_pipeline_name(w->pipeline, LEAT_SIDE_SOURCE, 0), "memory");
    for (int timeout = -1; timeout <= 1; timeout++)
        assert_int_equal(leat_pipeline_wait(w->pipeline, timeout, &report), -EDEADLK);
    assert_ptr_equal(report, w);
    assert_int_equal(leat_pipeline_start(w->pipeline), -EBUSY);
}

static int watch(void *user, const struct leat_progress *now)
{
    struct watcher *w = user;
    assert_true(pthread_equal(w->thread, pthread_self()));
    assert_true(now->size == sizeof(*now) && now->bytes >= w->last && now->bytes <= N && now->seconds >= w->seconds);
    assert_true(!now->has_total || now->total == N);
    w->last = now->bytes;
    w->seconds = now->seconds;
    if (w->asks)
        ask(w);
    return ++w->calls == w->stop_after ? -EDOM : 0;
}

/* A pipeline that tells the watcher; `rate` 0: no limit. */
static leat_pipeline *watched(struct watcher *w, uint64_t rate, leat_engine *engine, const char *sink)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.rate = rate;
    options.shared_engine = engine;
    options.progress = watch;
    options.user = w;
    options.progress_ms = 3;
    w->thread = pthread_self();
    w->pipeline = pipeline_of(&options, from_bytes(bytes, N), spec(sink, LEAT_WRITE));
    return w->pipeline;
}

static void the_last_call_has_all_bytes(void **state UNUSED)
{
    for (int asks = 0; asks <= 1; asks++) {
        struct watcher w = {.asks = asks};
        leat_report *report = NULL;
        leat_pipeline *p = watched(&w, 0, NULL, "null:");
        assert_int_equal(leat_pipeline_run(p, &report), 0);
        assert_non_null(report);
        assert_true(w.calls >= 1 && w.last == N);
        leat_report_free(report);
        unsigned calls = w.calls;
        assert_int_equal(leat_pipeline_wait(p, -1, NULL), -EINVAL); /* the end was told */
        leat_pipeline_free(p);
        assert_int_equal(w.calls, calls);
    }
}

static void it_is_called_while_the_run_goes_on(void **state UNUSED)
{
    struct watcher w = {.asks = true, .stop_after = 4};
    leat_pipeline *p = watched(&w, 1000, NULL, "stopped"); /* it would take five minutes */
    leat_report *report = NULL;
    assert_int_equal(leat_pipeline_run(p, &report), -ECANCELED);
    assert_int_equal(leat_report_error(report)->code, -ECANCELED);
    assert_true(w.calls > w.stop_after); /* the end is told after a cancel as well */
    assert_int_equal(access("stopped", F_OK), -1);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* Only the thread that waits calls it, however short each wait is. */
static void waits_call_it(leat_engine *engine)
{
    struct watcher w = {.stop_after = 3};
    leat_report *report = (leat_report *)&w;
    leat_pipeline *p = watched(&w, 1000, engine, "null:");
    int r;
    assert_int_equal(leat_pipeline_start(p), 0);
    usleep(20000);
    assert_int_equal(w.calls, 0);
    for (int timeout = 0; (r = leat_pipeline_wait(p, timeout, &report)) == (timeout ? -ETIMEDOUT : -EAGAIN);) {
        assert_ptr_equal(report, &w);
        timeout = !timeout;
    }
    assert_int_equal(r, -ECANCELED);
    assert_true(w.calls > w.stop_after);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void a_wait_calls_it(void **state UNUSED)
{
    leat_engine *engine;
    waits_call_it(NULL);
    assert_int_equal(leat_engine_new(&engine, NULL, NULL), 0);
    waits_call_it(engine);
    struct watcher w = {0};
    leat_pipeline *p = watched(&w, 0, engine, "null:");
    assert_int_equal(leat_pipeline_run(p, NULL), 0);
    assert_true(w.calls >= 1 && w.last == N);
    leat_pipeline_free(p);
    leat_engine_free(engine);
}

static void a_free_does_not_call_it(void **state UNUSED)
{
    struct watcher w = {0};
    leat_pipeline *p = watched(&w, 1000, NULL, "null:");
    assert_int_equal(leat_pipeline_start(p), 0);
    leat_pipeline_free(p);
    assert_int_equal(w.calls, 0);
}

/* The time limit of the source is not taken for that of a wait. */
static void a_run_may_fail_with_etimedout(void **state UNUSED)
{
    struct watcher w = {.thread = pthread_self()};
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_endpoint_options silent = LEAT_INIT(struct leat_endpoint_options);
    leat_endpoint *in;
    leat_report *report = NULL;
    char name[20];
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    snprintf(name, sizeof(name), "fd:%d", fd[0]);
    silent.idle_timeout_ms = 30;
    assert_int_equal(leat_endpoint_open(&in, name, LEAT_READ, &silent, NULL), 0);
    options.progress = watch;
    options.user = &w;
    options.progress_ms = 1;
    leat_pipeline *p = pipeline_of(&options, in, spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_run(p, &report), -ETIMEDOUT);
    assert_non_null(report);
    assert_int_equal(leat_report_error(report)->code, -ETIMEDOUT);
    assert_true(w.calls > 1);
    leat_report_free(report);
    leat_pipeline_free(p);
    close(fd[0]);
    close(fd[1]);
}

static void a_run_that_is_refused_tells_its_end(void **state UNUSED)
{
    struct watcher w = {.thread = pthread_self()};
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    options.progress = watch;
    options.user = &w;
    options.progress_ms = -1;
    leat_pipeline *p = pipeline_of(&options, from_bytes(bytes, N), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_check(p, &error), -EINVAL);
    assert_non_null(strstr(error.text, "progress_ms"));
    assert_int_equal(leat_pipeline_run(p, NULL), -EINVAL);
    assert_int_equal(w.calls, 1);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_call_has_all_bytes),
        cmocka_unit_test(it_is_called_while_the_run_goes_on),
        cmocka_unit_test(a_wait_calls_it),
        cmocka_unit_test(a_free_does_not_call_it),
        cmocka_unit_test(a_run_may_fail_with_etimedout),
        cmocka_unit_test(a_run_that_is_refused_tells_its_end),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
