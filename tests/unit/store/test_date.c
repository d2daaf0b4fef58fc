/* SPDX-License-Identifier: MIT */
/* Times in answers, compared with the C library's. */
#include "store/date.h"
#include "unit/unit.h"
#include <time.h>

static void test_iso(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } right[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2026-11-28T22:21:57Z", 1795904517},
        {"2026-11-28T22:21:57.123Z", 1795904517},
        {"2026-11-28t22:21:57z", 1795904517},
        {"2026-11-28T23:21:57+01:00", 1795904517},
        {"2026-11-28T17:51:57-0430", 1795904517},
        {"2000-02-29T12:00:00Z", 951825600},
        {"0001-01-01T00:00:00Z", -62135596800},
    };
    static const char *const wrong[] = {
        "",
        "2026-11-28",
        "2026-11-28T22:21:57",
        "2026-11-28T22:21:57X",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-11-28T24:00:00Z",
        "2026-11-28T22:60:00Z",
        "2026-11-28T22:21:61Z",
        "2026-11-28T22:21:57Z ",
        "+026-11-28T22:21:57Z",
        "2026-11-28T22:21:57+1",
        "2026-11-28T22:21:57+25:00",
        "2026-11-28T22:21",
    };
    int64_t seconds;
    for (size_t i = 0; i < COUNT(right); i++) {
        assert_int_equal(date_read_iso(right[i].text, &seconds), 0);
        assert_true(seconds == right[i].seconds);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(date_read_iso(wrong[i], &seconds), -EINVAL);
}

/* What the C library writes in any year is read back. */
static void test_all_years(void **state UNUSED)
{
    for (int64_t at = -62135596800; at < 253402300800; at += 86400 * 37 + 12345) {
        time_t when = (time_t)at;
        struct tm tm;
        char text[64], written[DATE_MAX];
        int64_t seconds;
        if ((int64_t)when != at || !gmtime_r(&when, &tm))
            continue;
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_int_equal(date_read_iso(text, &seconds), 0);
        assert_true(seconds == at);
        date_write(at, written);
        if (at > -30610224000) /* strftime may write a year before 1000 with fewer digits */
            assert_string_equal(written, text);
    }
}

static void test_http(void **state UNUSED)
{
    static const char *const wrong[] = {"",
                                        "Sat, 28 Nov 2026",
                                        "Sat, 28 Nov 2026 22:21:57",
                                        "Sat, 28 Nov 2026 22:21:57 CET",
                                        "Sat, 28 Nev 2026 22:21:57 GMT",
                                        "Sat, 31 Nov 2026 22:21:57 GMT",
                                        "Saturday, 28-Nov-26 22:21:57 GMT"};
    int64_t seconds;
    assert_int_equal(date_read_http("Sat, 28 Nov 2026 22:21:57 GMT", &seconds), 0);
    assert_true(seconds == 1795904517);
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(date_read_http(wrong[i], &seconds), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iso),
        cmocka_unit_test(test_all_years),
        cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
