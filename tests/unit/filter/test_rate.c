/* SPDX-License-Identifier: MIT */
/* labels: plain
 * serial: yes
 * The rate and meter filters: the average is kept from 1 KB/s to 10 GB/s, bursts are small, and what did not pass is
 * not paid for. */
#include "node/filter.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static leat_filter *make(uint64_t per_second)
{
    leat_filter *filter = NULL;
    assert_int_equal(leat_filter_rate(&filter, per_second), 0);
    assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
    return filter;
}

static void sleep_until(int64_t deadline_ns)
{
    int64_t left = deadline_ns - clock_ns();
    if (left > 0)
        nanosleep(&(struct timespec){left / 1000000000, left % 1000000000}, NULL);
}

struct tally {
    uint64_t bytes, calls, largest;
    double seconds;
};

/* A transfer without work: passes what it may for so long. */
static struct tally pass(leat_filter *filter, uint64_t want, double seconds)
{
    struct tally t = {0};
    int64_t start = clock_ns(), end = start + (int64_t)(seconds * 1e9);
    for (;;) {
        int64_t deadline = 0;
        uint64_t n = filter->ops->allowance(filter, want, &deadline);
        if (n == 0) {
            assert_true(deadline > 0);
            if (deadline > end)
                break;
            sleep_until(deadline);
            continue;
        }
        assert_true(n <= want);
        filter_count(filter, n);
        t.bytes += n;
        t.calls++;
        t.largest = MAX(t.largest, n);
        if (clock_ns() >= end)
            break;
    }
    t.seconds = (double)(clock_ns() - start) / 1e9;
    return t;
}

/* Never more than the rate and one burst; not much less, as far as a busy machine lets us wake in time. */
static void check_rate(uint64_t per_second, uint64_t want, double seconds)
{
    leat_filter *filter = make(per_second);
    struct tally t = pass(filter, want, seconds);
    double most = (double)per_second * (t.seconds + 0.021) + 2;
    double least = (double)per_second * seconds * 0.5 - 2;
    if ((double)t.bytes > most || (double)t.bytes < least)
        fail_msg("%ju bytes in %.3f s at %ju bytes/s", (uintmax_t)t.bytes, t.seconds, (uintmax_t)per_second);
    if ((double)t.largest > (double)per_second * 0.021 + 2)
        fail_msg("a burst of %ju at %ju bytes/s", (uintmax_t)t.largest, (uintmax_t)per_second);
    uint64_t counted = 0;
    assert_int_equal(leat_filter_bytes(filter, &counted), 0);
    assert_true(counted == t.bytes);
    leat_filter_free(filter);
}

static void test_rates(void **state UNUSED)
{
    check_rate(10, 65536, 0.5);
    check_rate(1000, 65536, 0.5);
    check_rate(1000000, 65536, 0.3);
    check_rate(1000000000, 1 << 20, 0.3);
    check_rate(10000000000, 1 << 20, 0.3);
}

/* No system calls of a few bytes at a high rate: what is granted is what was wanted, or a good part of a burst. */
static void test_grants_are_large(void **state UNUSED)
{
    leat_filter *filter = make(100000000);
    struct tally t = pass(filter, 1 << 18, 0.3);
    assert_true(t.bytes / t.calls >= 1 << 17);
    leat_filter_free(filter);
}

static void test_asking_takes_nothing(void **state UNUSED)
{
    leat_filter *filter = make(1000000);
    int64_t deadline;
    assert_int_equal(filter->ops->allowance(filter, 10000, &deadline), 10000);
    assert_int_equal(filter->ops->allowance(filter, 10000, &deadline), 10000);
    filter_count(filter, 1); /* moved less than granted */
    assert_int_equal(filter->ops->allowance(filter, 10000, &deadline), 10000);
    leat_filter_free(filter);
}

/* Who took more than was granted waits for it later. */
static void test_debt(void **state UNUSED)
{
    leat_filter *filter = make(1000000);
    int64_t deadline = 0, now = clock_ns();
    filter_count(filter, 70000); /* 20 ms are in the bucket: 50 ms of debt */
    assert_int_equal(filter->ops->allowance(filter, 1000, &deadline), 0);
    assert_true(deadline > now + 40000000 && deadline < now + 1000000000);
    leat_filter_free(filter);
}

static void test_no_limit(void **state UNUSED)
{
    leat_filter *filter = make(0);
    int64_t deadline;
    assert_true(filter->ops->allowance(filter, UINT64_MAX, &deadline) == UINT64_MAX);
    filter_count(filter, 1u << 30);
    assert_int_equal(filter->ops->allowance(filter, 1 << 20, &deadline), 1 << 20);

    /* A limit that begins later does not ask for what passed before. */
    assert_int_equal(leat_filter_rate_set(filter, 1000), 0);
    assert_int_equal(filter->ops->allowance(filter, 1 << 20, &deadline), 21);
    assert_int_equal(leat_filter_rate_set(filter, UINT64_MAX), 0);
    assert_true(filter->ops->allowance(filter, 1, &deadline) <= 1);
    leat_filter_free(filter);
}

/* Nobody sleeps so long that a new rate comes too late. */
static void test_change(void **state UNUSED)
{
    leat_filter *filter = make(1);
    int64_t deadline = 0;
    assert_int_equal(filter->ops->allowance(filter, 1, &deadline), 1);
    filter_count(filter, 1);
    assert_int_equal(filter->ops->allowance(filter, 1, &deadline), 0);
    assert_true(deadline <= clock_ns() + 100000000);
    assert_int_equal(leat_filter_rate_set(filter, 1000000000), 0);
    sleep_until(clock_ns() + 2000000);
    assert_int_equal(filter->ops->allowance(filter, 100000, &deadline), 100000);
    leat_filter_free(filter);
}

static void *change_often(void *user)
{
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(leat_filter_rate_set(user, i * 1000000), 0);
    return NULL;
}

static void test_change_while_running(void **state UNUSED)
{
    leat_filter *filter = make(1000000);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, change_often, filter), 0);
    struct tally t = pass(filter, 65536, 0.1);
    pthread_join(thread, NULL);
    assert_true(t.bytes > 0);
    leat_filter_free(filter);
}

static void test_meter(void **state UNUSED)
{
    leat_filter *filter = NULL;
    uint64_t bytes = 1;
    assert_int_equal(leat_filter_meter(&filter), 0);
    assert_int_equal(filter->ops->caps, 0);
    assert_int_equal(leat_filter_bytes(filter, &bytes), 0);
    assert_true(bytes == 0);
    filter_count(filter, 5000000000u);
    filter_count(filter, 1);
    assert_int_equal(leat_filter_bytes(filter, &bytes), 0);
    assert_true(bytes == 5000000001u);
    assert_int_equal(leat_filter_rate_set(filter, 1), -EINVAL);
    assert_ptr_equal(leat_filter_ref(filter), filter);
    leat_filter_free(filter);
    leat_filter_free(filter);
    leat_filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_grants_are_large),
        cmocka_unit_test(test_asking_takes_nothing),
        cmocka_unit_test(test_debt),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_change_while_running),
        cmocka_unit_test(test_meter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
