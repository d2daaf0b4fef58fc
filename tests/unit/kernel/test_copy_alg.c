/* SPDX-License-Identifier: MIT */
/* labels: glibc
 * Copies whose digest the kernel computes, through chunks and through tee and splice, against libcrypto's. Where the
 * kernel has no AF_ALG the report says so and the result is the same. */
#include "unit/flow/scene.h"

static const size_t sizes[] = {0, 1, 65535, 65536, 65537, (5 << 20) + 12345};

static const struct scene scenes[] = {
    {"file to null", KIND_FILE, {KIND_NULL}, NULL},
    {"file to file", KIND_FILE, {KIND_OLD_FILE}, NULL},
    {"file to pipe", KIND_FILE, {KIND_PIPE}, NULL},
    {"file to three", KIND_FILE, {KIND_FILE, KIND_PIPE, KIND_NULL}, NULL},
};

static bool kernel_has_it(void)
{
    leat_filter *filter;
    struct leat_digest_options options = {.size = sizeof(options), .provider = LEAT_DIGEST_KERNEL};
    struct stage s;
    stage_open(&s, &scenes[0], 1, NULL);
    assert_int_equal(leat_filter_digest(&filter, "sha256", &options, NULL), 0);
    leat_pipeline_filter(s.pipeline, filter);
    stage_run(&s);
    assert_int_equal(s.result, 0);
    json_t *report = report_json(s.report), *digest = json_array_get(json_object_get(report, "digests"), 0);
    bool kernel = strcmp(json_string_value(json_object_get(digest, "provider")), "kernel") == 0;
    if (!kernel) /* it has to say why */
        assert_true(json_string_length(json_object_get(digest, "provider_why")) > 0);
    json_decref(report);
    stage_close(&s);
    return kernel;
}

static uint64_t bytes_by(const struct stage *s, const char *name)
{
    json_t *report = report_json(s->report), *route;
    uint64_t n = 0;
    size_t i;
    json_array_foreach(json_object_get(json_array_get(json_object_get(report, "hops"), 0), "routes"), i,
                       route) if (strcmp(json_string_value(json_object_get(route, "route")), name) == 0) n +=
        number(route, "bytes");
    json_decref(report);
    return n;
}

static void copy_once(const struct scene *scene, size_t n, const char *route, bool kernel)
{
    struct stage s;
    leat_filter *filter;
    char hex[LEAT_DIGEST_HEX_MAX];
    struct leat_digest_options digest = {.size = sizeof(digest), .provider = LEAT_DIGEST_KERNEL};
    struct leat_pipeline_options options = {
        .size = sizeof(options), .route = route, .stability = LEAT_SOURCE_STABLE, .memory_limit = 1 << 20};
    assert_int_equal(leat_filter_digest(&filter, "sha256", &digest, NULL), 0);
    stage_open(&s, scene, n, &options);
    leat_pipeline_filter(s.pipeline, filter);
    stage_run(&s);
    assert_int_equal(s.result, 0);
    check_balance(&s);
    for (size_t i = 0; i < sinks_of(scene); i++)
        check_sink_whole(&s, i);
    assert_int_equal(leat_report_digest(s.report, "sha256", hex, sizeof(hex)), 0);
    assert_string_equal(hex, hex_of_content(s.content, n, "sha256"));
    if (kernel && strcmp(route, "chunk") != 0)
        assert_int_equal(bytes_by(&s, "splice"), n);
    else
        assert_int_equal(bytes_by(&s, "splice"), 0);
    stage_close(&s);
}

static void digests_are_the_same(void **state)
{
    (void)state;
    bool kernel = kernel_has_it();
    print_message("digests by %s\n", kernel ? "the kernel" : "libcrypto: the kernel has no AF_ALG");
    for (size_t c = 0; c < sizeof(scenes) / sizeof(scenes[0]); c++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            copy_once(&scenes[c], sizes[i], "prefer:splice", kernel);
            copy_once(&scenes[c], sizes[i], "chunk", kernel);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests_are_the_same)};
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
