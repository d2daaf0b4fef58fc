/* SPDX-License-Identifier: MIT */
/* A copy in one call, and the numbers of its report. */
#include "unit/flow/pipelines.h"
#include <fcntl.h>
#include <unistd.h>

#define N ((size_t)3000000)

static void make_source(void)
{
    uint8_t *bytes = malloc(N);
    int fd = open("in", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(bytes && fd >= 0);
    for (size_t i = 0; i < N; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t at = 0; at < N;) {
        ssize_t w = write(fd, bytes + at, N - at);
        assert_true(w > 0);
        at += (size_t)w;
    }
    close(fd);
    free(bytes);
}

static size_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) < 0 ? SIZE_MAX : (size_t)st.st_size;
}

static void a_copy_in_one_call(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_copy("in", "out", NULL, NULL, &error), 0);
    assert_int_equal(error.code, 0);
    assert_int_equal(size_of("out"), N);
    assert_int_equal(leat_copy("in", "out", NULL, NULL, NULL), 0);
}

static void the_numbers_add_up(void **state UNUSED)
{
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    struct leat_totals totals = LEAT_INIT(struct leat_totals);
    struct leat_hop hop = LEAT_INIT(struct leat_hop);
    struct leat_hop_route route = LEAT_INIT(struct leat_hop_route);
    struct leat_sink_outcome outcome = LEAT_INIT(struct leat_sink_outcome);
    char hex[LEAT_DIGEST_HEX_MAX];
    leat_report *report;
    options.digest = "crc32c";
    assert_int_equal(leat_copy("in", "out", &options, &report, NULL), 0);
    assert_int_equal(leat_report_totals(report, &totals), 0);
    assert_int_equal(totals.code, 0);
    assert_true(totals.bytes == N && totals.hops == 1 && totals.sinks == 1 && totals.digests == 1);
    assert_true(totals.seconds > 0 && totals.memory_peak > 0);
    assert_int_equal(leat_report_hop_at(report, 0, &hop), 0);
    assert_string_equal(hop.from, "in");
    assert_string_equal(hop.to, "out");
    assert_true(hop.taken == N && hop.taken == hop.delivered + hop.held + hop.discarded && hop.routes > 0);
    uint64_t by_route = 0;
    for (size_t i = 0; i < hop.routes; i++) {
        assert_int_equal(leat_report_route_at(report, 0, i, &route), 0);
        assert_true(route.route[0] && route.engine[0] && route.bytes);
        by_route += route.bytes;
    }
    assert_true(by_route == hop.delivered);
    assert_int_equal(leat_report_sink_at(report, 0, &outcome), 0);
    assert_string_equal(outcome.spec, "out");
    assert_string_equal(outcome.status, "done");
    assert_true(outcome.bytes == N && !outcome.error);
    assert_int_equal(leat_report_digest(report, "crc32c", hex, sizeof(hex)), 0);
    assert_int_equal(leat_report_hop_at(report, 1, &hop), -ENOENT);
    assert_int_equal(leat_report_route_at(report, 0, hop.routes, &route), -ENOENT);
    assert_int_equal(leat_report_route_at(report, 1, 0, &route), -ENOENT);
    assert_int_equal(leat_report_sink_at(report, 1, &outcome), -ENOENT);
    totals.size = hop.size = route.size = outcome.size = 0;
    assert_int_equal(leat_report_totals(report, &totals), -EINVAL);
    assert_int_equal(leat_report_hop_at(report, 0, &hop), -EINVAL);
    assert_int_equal(leat_report_route_at(report, 0, 0, &route), -EINVAL);
    assert_int_equal(leat_report_sink_at(report, 0, &outcome), -EINVAL);
    leat_report_free(report);
}

static void failures_are_named(void **state UNUSED)
{
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    struct leat_pipeline_options pipeline = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_sink_outcome outcome = LEAT_INIT(struct leat_sink_outcome);
    leat_report *report = (leat_report *)&options;
    unlink("none");
    assert_int_equal(leat_copy("missing", "none", NULL, &report, &error), -ENOENT);
    assert_null(report);
    assert_true(error.code == -ENOENT && error.side == LEAT_SIDE_SOURCE && strstr(error.text, "missing") == NULL);
    assert_string_equal(error.node, "missing");
    assert_int_equal(leat_copy("in", "missing/none", NULL, NULL, &error), -ENOENT);
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_string_equal(error.node, "missing/none");
    assert_int_equal(leat_copy("in", "nowhere:x", NULL, NULL, &error), -EINVAL);
    options.digest = "no such digest";
    int r = leat_copy("in", "none", &options, NULL, &error);
    assert_true(r == -ENOENT || r == -ELIBACC); /* without libcrypto, which might have it */
    assert_true(r == -ELIBACC ? error.text[0] : strstr(error.text, "no such digest") != NULL);
    options.digest = NULL;
    pipeline.progress_ms = -1;
    options.pipeline = &pipeline;
    assert_int_equal(leat_copy("in", "none", &options, NULL, &error), -EINVAL);
    pipeline.progress_ms = 0;
    options.size = 1;
    assert_int_equal(leat_copy("in", "none", &options, NULL, &error), -EINVAL);
    options.size = sizeof(options);
    pipeline.expect = "crc32c:00000000";
    assert_int_equal(leat_copy("in", "none", &options, &report, &error), -EBADMSG);
    assert_string_equal(error.operation, "verify");
    assert_int_equal(leat_report_sink_at(report, 0, &outcome), 0);
    assert_string_equal(outcome.status, "mismatch");
    leat_report_free(report);
    assert_int_equal(size_of("none"), SIZE_MAX);
}

struct watcher {
    unsigned calls, stop_after;
    uint64_t last;
};

static int watch(void *user, const struct leat_progress *now)
{
    struct watcher *w = user;
    assert_true(now->bytes >= w->last && (!now->has_total || now->total == N));
    w->last = now->bytes;
    return ++w->calls == w->stop_after;
}

static void progress_is_told_and_may_cancel(void **state UNUSED)
{
    struct watcher watcher = {0};
    struct leat_pipeline_options pipeline = LEAT_INIT(struct leat_pipeline_options);
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    options.pipeline = &pipeline;
    pipeline.progress = watch;
    pipeline.user = &watcher;
    pipeline.progress_ms = 5;
    assert_int_equal(leat_copy("in", "out", &options, NULL, &error), 0);
    assert_true(watcher.calls >= 1 && watcher.last == N);
    watcher = (struct watcher){.stop_after = 2};
    pipeline.rate = 1000; /* it would take 50 minutes */
    assert_int_equal(leat_copy("in", "stopped", &options, NULL, &error), -ECANCELED);
    assert_int_equal(error.code, -ECANCELED);
    assert_int_equal(size_of("stopped"), SIZE_MAX);
}

static int begin(void **state)
{
    int r = unit_folder(state);
    if (r == 0)
        make_source();
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_in_one_call),
        cmocka_unit_test(the_numbers_add_up),
        cmocka_unit_test(failures_are_named),
        cmocka_unit_test(progress_is_told_and_may_cancel),
    };
    return cmocka_run_group_tests(tests, begin, unit_folder_gone);
}
