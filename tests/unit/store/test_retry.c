/* SPDX-License-Identifier: MIT */
/* How long a failed request waits, and when it is given up. */
#include "store/retry.h"
#include "unit/unit.h"

static void test_delays_double_and_end(void **state UNUSED)
{
    struct retry retry;
    retry_init(&retry, 0);
    for (int i = 0; i < 8; i++) {
        int64_t longest = MIN(100 << i, 20000), delay = retry_delay_ms(&retry);
        assert_in_range(delay, longest / 2, longest);
    }
    assert_int_equal(retry_delay_ms(&retry), -1);
    retry_progress(&retry);
    assert_in_range(retry_delay_ms(&retry), 50, 100);
}

static void test_the_server_says_when(void **state UNUSED)
{
    struct retry retry;
    retry_init(&retry, 0);
    retry_after(&retry, 3);
    assert_int_equal(retry_delay_ms(&retry), 3000);
    retry_after(&retry, -1);
    assert_in_range(retry_delay_ms(&retry), 100, 200);
    retry_after(&retry, 121);
    assert_int_equal(retry_delay_ms(&retry), -1);
}

static void test_a_number_of_retries(void **state UNUSED)
{
    struct retry retry;
    retry_init(&retry, 2);
    assert_true(retry_delay_ms(&retry) > 0 && retry_delay_ms(&retry) > 0);
    assert_int_equal(retry_delay_ms(&retry), -1);
    retry_init(&retry, -1);
    assert_int_equal(retry_delay_ms(&retry), -1);
    retry_init(&retry, INT32_MAX);
    for (int i = 0; i < 100; i++)
        assert_in_range(retry_delay_ms(&retry), 50, 20000);
}

/* Clients that were refused at the same time come back at different times. */
static void test_delays_differ(void **state UNUSED)
{
    struct retry a, b;
    retry_init(&a, 0);
    retry_init(&b, 0);
    b.random = a.random + 2;
    bool same = true;
    for (int i = 0; i < 8; i++)
        same &= retry_delay_ms(&a) == retry_delay_ms(&b);
    assert_false(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays_double_and_end),
        cmocka_unit_test(test_the_server_says_when),
        cmocka_unit_test(test_a_number_of_retries),
        cmocka_unit_test(test_delays_differ),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
