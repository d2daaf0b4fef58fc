/* SPDX-License-Identifier: MIT */
/* engines: uring
 * Filters that transform, and the legs between them: what comes out, what is bounded, and what is told. */
#include "legs.h"

/* ---- what comes out ---- */

static const size_t sizes[] = {0, 1, 2, PAGE - 1, PAGE, PAGE + 1, 512 * 1024 - 1, 512 * 1024 + 1, 3000001};

static size_t sizes_wanted(void)
{
    return COUNT(sizes) - (getenv("LEAT_TEST_QUICK") ? 1 : 0);
}

static void check_result(const struct machine_plan *plan, size_t plans, size_t n, uint64_t memory)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = memory};
    size_t want = n, got = SIZE_MAX;
    uint8_t *model = modelled(plan, plans, &want), *out = malloc(want + 1);
    leat_report *report;
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, n), to_bytes(out, want, &got));
    for (size_t i = 0; i < plans; i++)
        leat_pipeline_filter(p, machine(plan[i]));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(got, want);
    assert_memory_equal(out, model, want);
    assert_int_equal(leat_report_bytes(report), want);
    check_balance(report, plans + 1);
    assert_true(number_of(report, "memory_peak") <= (memory ? memory : 16 << 20));
    leat_report_free(report);
    leat_pipeline_free(p);
    free(model);
    free(out);
}

static void each_transform_in_each_size(void **state UNUSED)
{
    const struct machine_plan plans[] = {machine_same, machine_twice, machine_half, machine_hoard, machine_drip};
    for (size_t i = 0; i < COUNT(plans); i++)
        for (size_t k = 0; k < sizes_wanted(); k++) {
            check_result(&plans[i], 1, sizes[k], 0);
            if (sizes[k] < 1000000)
                check_result(&plans[i], 1, sizes[k], 2 * PAGE);
        }
}

static void several_in_a_row(void **state UNUSED)
{
    const struct machine_plan row[] = {machine_twice, machine_drip, machine_half, machine_hoard,
                                       machine_half,  machine_same, machine_twice};
    for (size_t k = 0; k < sizes_wanted(); k += getenv("LEAT_TEST_QUICK") ? 3 : 1)
        check_result(row, COUNT(row), sizes[k] / 2, k % 2 ? 0 : (COUNT(row) + 1) * PAGE);
}

/* What wants no more ends the stream there, wherever in it that is. */
static void one_that_ends(void **state UNUSED)
{
    static const uint64_t behind[] = {0, 1, PAGE, PAGE + 1, 600000, 2999999, 3000000, UINT64_MAX};
    for (size_t i = 0; i < COUNT(behind); i += getenv("LEAT_TEST_QUICK") ? 2 : 1) {
        struct machine_plan row[] = {machine_drip, machine_twice, machine_half};
        row[1].ends = true;
        row[1].behind = behind[i];
        check_result(row + 1, 1, 3000000, 0);
        check_result(row, COUNT(row), 100000, 4 * PAGE);
    }
}

static void a_bomb_is_bounded(void **state UNUSED)
{
    struct machine_plan row[] = {machine_bomb, machine_bomb, machine_half};
    check_result(row, 1, 10000, 2 * PAGE);
    check_result(row, 3, 7, 4 * PAGE);
    row[1].ends = true;
    row[1].behind = 5000;
    check_result(row, 3, 20000, 4 * PAGE);
}

static void holes_come_as_zeros(void **state UNUSED)
{
    static const char *const routes[] = {NULL, "chunk"};
    for (size_t i = 0; i < COUNT(routes); i++)
        for (int32_t cache = LEAT_CACHE_KEEP; cache <= LEAT_CACHE_DIRECT; cache++) {
            struct leat_pipeline_options options = {
                .size = sizeof(options), .route = routes[i], .cache = cache, .sparse = LEAT_SPARSE_ALWAYS};
            unit_write("sparse", "begin", 5);
            assert_int_equal(truncate("sparse", 1 << 17), 0);
            leat_pipeline *p = pipeline_of(&options, spec("sparse", LEAT_READ), spec("copy", LEAT_WRITE));
            leat_pipeline_filter(p, digest_of("crc32c"));
            leat_pipeline_filter(p, machine(machine_twice));
            assert_int_equal(run_and_free(p), 0);
            uint8_t *bytes = calloc(1, 2 << 17);
            int fd = open("copy", O_RDONLY | O_CLOEXEC);
            assert_int_equal(read(fd, bytes, 2 << 17), 2 << 17);
            close(fd);
            assert_memory_equal(bytes, "bbeeggiinn\0", 11);
            assert_memory_equal(bytes + 10, bytes + 11, (2 << 17) - 11); /* each as the one before: 0 */
            free(bytes);
        }
}

static void several_sinks_behind_a_transform(void **state UNUSED)
{
    enum {
        N = 300000
    };
    uint8_t *to[3];
    size_t got[3] = {0}, want = N;
    uint8_t *model = modelled(&machine_twice, 1, &want);
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), NULL);
    leat_pipeline_filter(p, machine(machine_twice));
    for (size_t i = 0; i < 3; i++) {
        to[i] = malloc(want);
        leat_pipeline_sink(p, to_bytes(to[i], i == 1 ? 1000 : want, &got[i]), NULL, NULL);
    }
    assert_int_equal(leat_pipeline_run(p, &report), -ENOSPC);
    const struct leat_error *error = leat_report_error(report);
    assert_int_equal(error->side, LEAT_SIDE_SINK);
    assert_int_equal(error->index, 1);
    check_balance(report, 4);
    leat_report_free(report);
    leat_pipeline_free(p);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(got[i], i == 1 ? 0 : want);
        if (i != 1)
            assert_memory_equal(to[i], model, want);
        free(to[i]);
    }
    free(model);
}

/* ---- who looks on ---- */

static void observers_see_their_place(void **state UNUSED)
{
    static const char *const algorithms[] = {"md5", "crc32c", "sha256"};
    const struct machine_plan row[] = {machine_twice, machine_half};
    const char *algorithm, *hex;
    enum {
        N = 1000001
    };
    leat_filter *meter[3];
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, N), NULL);
    for (size_t i = 0; i < 3; i++) {
        leat_pipeline_filter(p, digest_of(algorithms[i]));
        assert_int_equal(leat_filter_meter(&meter[i]), 0);
        leat_pipeline_filter(p, leat_filter_ref(meter[i]));
        if (i < 2)
            leat_pipeline_filter(p, machine(row[i]));
    }
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    for (size_t i = 0; i < 3; i++) {
        size_t n = N;
        uint64_t passed;
        uint8_t *model = modelled(row, i, &n);
        assert_int_equal(leat_report_digest_at(report, i, &algorithm, &hex), 0);
        assert_string_equal(algorithm, algorithms[i]);
        assert_string_equal(hex, hex_of(model, n, algorithm));
        leat_filter_bytes(meter[i], &passed);
        assert_int_equal(passed, n);
        leat_filter_free(meter[i]);
        free(model);
    }
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* One that nobody computes is that of the source's bytes; else it is where its filter is. */
static void what_is_expected(void **state UNUSED)
{
    enum {
        N = 100000
    };
    size_t n = N;
    uint8_t *model = modelled(&machine_twice, 1, &n);
    char of_source[8 + LEAT_DIGEST_HEX_MAX], of_result[8 + LEAT_DIGEST_HEX_MAX];
    snprintf(of_source, sizeof(of_source), "sha256:%s", hex_of(letters, N, "sha256"));
    snprintf(of_result, sizeof(of_result), "sha256:%s", hex_of(model, n, "sha256"));
    for (int behind = 0; behind < 2; behind++)
        for (int right = 0; right < 2; right++) {
            struct leat_pipeline_options options = {.size = sizeof(options),
                                                    .expect = behind == right ? of_result : of_source};
            leat_pipeline *p = pipeline_of(&options, from_bytes(letters, N), spec("expected", LEAT_WRITE));
            leat_pipeline_filter(p, machine(machine_twice));
            if (behind)
                leat_pipeline_filter(p, digest_of("sha256"));
            assert_int_equal(run_and_free(p), right ? 0 : -EBADMSG);
            assert_int_equal(access("expected", F_OK), right ? 0 : -1);
            unlink("expected");
        }
    free(model);
}

static void the_part_is_of_the_source(void **state UNUSED)
{
    struct leat_pipeline_options options = {
        .size = sizeof(options), .offset = 1000, .length = 500, .has_length = 1, .rate = 1 << 30};
    uint8_t to[2000];
    size_t got = 0, n = 500;
    uint8_t *model = machine_model(machine_twice, memcpy(malloc(500), letters + 1000, 500), &n);
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, 5000), to_bytes(to, sizeof(to), &got));
    leat_pipeline_filter(p, machine(machine_twice));
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(got, 1000);
    assert_memory_equal(to, model, got);
    free(model);
}

/* ---- what is told ---- */

static void the_plan_names_the_joint(void **state UNUSED)
{
    char *text;
    json_t *root, *hops;
    leat_pipeline *p = pipeline_of(NULL, spec("/dev/null", LEAT_READ), spec("to", LEAT_WRITE));
    leat_pipeline_filter(p, digest_of("crc32c"));
    leat_pipeline_filter(p, machine(machine_same));
    leat_pipeline_filter(p, machine(machine_same));
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_JSON, &text), 0);
    root = json_loads(text, 0, NULL);
    free(text);
    hops = json_object_get(root, "hops");
    assert_int_equal(json_array_size(hops), 3);
    static const char *const names[] = {"/dev/null", "machine", "machine", "to"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(hops, i), "from")), names[i]);
        assert_string_equal(json_string_value(json_object_get(json_array_get(hops, i), "to")), names[i + 1]);
    }
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "memory"), "codecs")), 2000);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "memory"), "minimum")), 3 * PAGE);
    json_decref(root);
    assert_int_equal(leat_pipeline_explain(p, LEAT_FORMAT_TEXT, &text), 0);
    assert_non_null(strstr(text, "hop     machine to to"));
    assert_non_null(strstr(text, "machine (makes other bytes of them)"));
    free(text);
    leat_pipeline_free(p);
}

static void too_little_memory_is_refused(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 2 * PAGE - 1};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, 10), spec("to", LEAT_WRITE));
    leat_pipeline_filter(p, machine(machine_same));
    assert_int_equal(leat_pipeline_check(p, &error), -ENOBUFS);
    assert_non_null(strstr(error.text, "minimum of 8192"));
    leat_pipeline_free(p);
}

static void what_never_ends_needs_somebody_who_ends_it(void **state UNUSED)
{
    struct machine_plan ends = {.every = 1, .times = 1, .ends = true, .behind = 100000};
    struct leat_pipeline_options options = {.size = sizeof(options), .rate = 1 << 30};
    leat_pipeline *p = pipeline_of(&options, spec("zero:", LEAT_READ), spec("null:", LEAT_WRITE));
    assert_int_equal(leat_pipeline_check(p, NULL), -EINVAL);
    leat_pipeline_filter(p, machine(ends));
    leat_report *report;
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_bytes(report), 100000);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static void progress_has_no_total(void **state UNUSED)
{
    struct gate to = {.at_most = 100};
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, 1000), gate(&to));
    leat_pipeline_filter(p, machine(machine_twice));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&to);
    leat_pipeline_progress(p, &now);
    assert_int_equal(now.has_total, 0);
    assert_int_equal(now.bytes, 0);
    let_go(&to);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    leat_pipeline_progress(p, &now);
    assert_int_equal(now.bytes, 2000);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_transform_in_each_size),
        cmocka_unit_test(several_in_a_row),
        cmocka_unit_test(one_that_ends),
        cmocka_unit_test(a_bomb_is_bounded),
        cmocka_unit_test_teardown(holes_come_as_zeros, unit_empty),
        cmocka_unit_test(several_sinks_behind_a_transform),
        cmocka_unit_test(observers_see_their_place),
        cmocka_unit_test_teardown(what_is_expected, unit_empty),
        cmocka_unit_test(the_part_is_of_the_source),
        cmocka_unit_test(the_plan_names_the_joint),
        cmocka_unit_test(too_little_memory_is_refused),
        cmocka_unit_test(what_never_ends_needs_somebody_who_ends_it),
        cmocka_unit_test(progress_has_no_total),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, begin_legs, unit_folder_gone);
}
