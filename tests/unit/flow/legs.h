/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of legs: letters to send through machines, the model of the result, and checks of a report. */
#ifndef TESTS_FLOW_LEGS_H
#define TESTS_FLOW_LEGS_H

#include "machine.h"
#include "pipelines.h"
#include <jansson.h>

static uint8_t letters[3000001];

static inline int begin_legs(void **state)
{
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (uint8_t)(i * 7 + i / 256);
    return unit_folder(state);
}

/* Returns what a row of machines makes of the first *n letters. */
static inline uint8_t *modelled(const struct machine_plan *plan, size_t plans, size_t *n)
{
    uint8_t *bytes = memcpy(malloc(*n + 1), letters, *n);
    for (size_t i = 0; i < plans; i++)
        bytes = machine_model(plan[i], bytes, n);
    return bytes;
}

static inline const char *hex_of(const void *bytes, size_t n, const char *algorithm)
{
    static char hex[LEAT_DIGEST_HEX_MAX];
    leat_filter *filter = digest_of(algorithm);
    leat_pipeline *p = pipeline_of(NULL, from_bytes(bytes, n), NULL);
    leat_pipeline_filter(p, leat_filter_ref(filter));
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(leat_filter_digest_hex(filter, algorithm, hex, sizeof(hex)), 0);
    leat_filter_free(filter);
    return hex;
}

static inline json_t *json_of(const leat_report *report)
{
    char *text;
    assert_int_equal(leat_report_json(report, &text), 0);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static inline uint64_t number_of(const leat_report *report, const char *key)
{
    json_t *root = json_of(report);
    uint64_t n = (uint64_t)json_integer_value(json_object_get(root, key));
    json_decref(root);
    return n;
}

/* Checks that no hop lost a byte. */
static inline void check_balance(const leat_report *report, size_t hops)
{
    static const char *const parts[] = {"delivered", "held", "discarded"};
    json_t *root = json_of(report), *hop;
    size_t i;
    assert_int_equal(json_array_size(json_object_get(root, "hops")), hops);
    json_array_foreach(json_object_get(root, "hops"), i, hop)
    {
        json_int_t sum = 0;
        for (size_t k = 0; k < COUNT(parts); k++)
            sum += json_integer_value(json_object_get(hop, parts[k]));
        assert_int_equal(json_integer_value(json_object_get(hop, "taken")), sum);
    }
    json_decref(root);
}

#endif
