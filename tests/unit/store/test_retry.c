/* How long a failed request waits, and when it is given up. */
#include "store/retry.h"
#include "unit/unit.h"

static void test_delays_double_and_end(void **state UNUSED)
{
    struct retry retry;
    retry_init(&retry);
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
    retry_init(&retry);
    retry_after(&retry, 3);
    assert_int_equal(retry_delay_ms(&retry), 3000);
    retry_after(&retry, -1);
    assert_in_range(retry_delay_ms(&retry), 100, 200);
    retry_after(&retry, 121);
    assert_int_equal(retry_delay_ms(&retry), -1);
}

/* Clients that were refused at the same time come back at different times. */
static void test_delays_differ(void **state UNUSED)
{
    struct retry a, b;
    retry_init(&a);
    retry_init(&b);
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
        cmocka_unit_test(test_delays_differ),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
