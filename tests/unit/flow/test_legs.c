/* engines: uring
 * Filters that transform, and the legs between them: what comes out, what is bounded, who is told of which failure. */
#include "machine.h"
#include "pipelines.h"
#include <jansson.h>

static uint8_t in[3000000], out[8000000];

static void fill_in(void)
{
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7 + i / 256);
}

/* Each leg keeps what it has taken in sight. */
static void check_balance(const leat_report *report, size_t hops)
{
    char *text;
    size_t i;
    json_t *hop;
    assert_int_equal(leat_report_json(report, &text), 0);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "hops")), hops);
    json_array_foreach(json_object_get(root, "hops"), i, hop)
    {
        json_int_t sum = 0;
        static const char *const parts[] = {"delivered", "held", "discarded"};
        for (size_t k = 0; k < COUNT(parts); k++)
            sum += json_integer_value(json_object_get(hop, parts[k]));
        assert_int_equal(json_integer_value(json_object_get(hop, "taken")), sum);
    }
    json_decref(root);
    free(text);
}

static void transforms_run_one_after_the_other(void **state UNUSED)
{
    size_t got = 0;
    leat_report *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(in, sizeof(in)), to_bytes(out, sizeof(out), &got));
    leat_pipeline_filter(p, digest_of("sha256"));
    leat_pipeline_filter(p, machine(machine_twice));
    leat_pipeline_filter(p, machine(machine_half));
    leat_pipeline_filter(p, machine(machine_drip));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(got, sizeof(in));
    assert_memory_equal(in, out, got);
    check_balance(report, 4);
    leat_report_free(report);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(transforms_run_one_after_the_other)};
    if (engine_missing())
        return 77;
    fill_in();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
