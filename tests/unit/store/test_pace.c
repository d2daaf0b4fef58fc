/* SPDX-License-Identifier: MIT */
/* How many connections: driven by a clock of its own. */
#include "../unit.h"
#include "store/pace.h"

#define MS   INT64_C(1000000)
#define LEFT (UINT64_C(1) << 40)

/* Runs for so long with a server that gives `each` bytes per ms and connection, up to `most` in all. */
static uint64_t run(struct pace *pace, uint64_t each, uint64_t most, int64_t ms, bool behind)
{
    static int64_t now = 1;
    uint64_t bytes = 0;
    for (int64_t i = 0; i < ms; i++) {
        now += MS;
        bytes += MIN(pace->connections * each, most);
        pace_look(pace, now, bytes, LEFT, behind);
        assert_true(pace->connections >= 1 && pace->connections <= pace->most);
    }
    return bytes;
}

static void test_each_one_helps(void **state UNUSED)
{
    struct pace pace;
    pace_init(&pace, 0, PACE_MOST);
    assert_int_equal(pace.connections, 1);
    run(&pace, 1000, UINT64_MAX, 10000, false);
    assert_int_equal(pace.connections, PACE_MOST);
    assert_true(pace.settled);
}

static void test_the_line_is_full(void **state UNUSED)
{
    struct pace pace;
    pace_init(&pace, 0, PACE_MOST);
    run(&pace, 1000, 3000, 10000, false);
    assert_int_equal(pace.connections, 3);
    assert_non_null(strstr(pace.why, "with 4 connections"));
    pace_init(&pace, 0, PACE_MOST);
    run(&pace, 1000, 1000, 10000, false);
    assert_int_equal(pace.connections, 1);
    assert_non_null(strstr(pace.why, "with 2 connections"));
}

static void test_slow_sinks_and_short_rests(void **state UNUSED)
{
    struct pace pace;
    pace_init(&pace, 0, PACE_MOST);
    run(&pace, 1000, UINT64_MAX, 5000, true);
    assert_int_equal(pace.connections, 1);
    assert_non_null(strstr(pace.why, "sinks"));
    pace_init(&pace, 0, PACE_MOST);
    pace_look(&pace, 1, 0, LEFT, false);
    pace_look(&pace, 1 + 1000 * MS, 1000, 999, false);
    assert_int_equal(pace.connections, 1);
    assert_non_null(strstr(pace.why, "less than a second"));
}

/* A second connection is there, and from now on the sinks take no more than `rate` bytes per ms. */
static void slow_down(struct pace *pace, uint64_t rate)
{
    int64_t now = 1;
    pace_init(pace, 0, PACE_MOST);
    for (uint64_t bytes = 0; pace->connections == 1; now += MS)
        pace_look(pace, now, bytes += 1000, LEFT, false);
    for (uint64_t bytes = 0, i = 0; i < 1000; i++, now += MS)
        pace_look(pace, now, bytes += rate, LEFT, i % 2);
}

static void test_sinks_that_become_slow(void **state UNUSED)
{
    struct pace pace;
    slow_down(&pace, 1000);
    assert_true(pace.settled);
    assert_int_equal(pace.connections, 1);
    slow_down(&pace, 1900);
    assert_true(pace.settled);
    assert_int_equal(pace.connections, 2);
    assert_non_null(strstr(pace.why, "sinks"));
}

static void test_what_is_asked_for(void **state UNUSED)
{
    struct pace pace;
    pace_init(&pace, 5, 12);
    assert_int_equal(pace.connections, 5);
    run(&pace, 1000, UINT64_MAX, 2000, false);
    assert_int_equal(pace.connections, 5);
    pace_init(&pace, 64, 2);
    assert_int_equal(pace.connections, 2);
    assert_non_null(strstr(pace.why, "memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_one_helps),
        cmocka_unit_test(test_the_line_is_full),
        cmocka_unit_test(test_slow_sinks_and_short_rests),
        cmocka_unit_test(test_sinks_that_become_slow),
        cmocka_unit_test(test_what_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
