/* SPDX-License-Identifier: MIT */
/* Sizes: exact up to the last byte, every suffix, and what is none. Times likewise. */
#include "base/units.h"
#include "unit/unit.h"
#include <leat/base.h>
#include <locale.h>

static void is(const char *text, uint64_t expected)
{
    uint64_t n = 77;
    int r = leat_size_parse(text, &n);
    if (r != 0 || n != expected)
        fail_msg("'%s': %d, %llu", text, r, (unsigned long long)n);
}

static void is_refused(const char *text, int code)
{
    uint64_t n = 77;
    int r = leat_size_parse(text, &n);
    if (r != code || n != 77)
        fail_msg("'%s': %d, %llu", text ? text : "NULL", r, (unsigned long long)n);
}

static void whole_numbers_are_exact(void **state UNUSED)
{
    is("0", 0);
    is("000", 0);
    is("1", 1);
    is("010", 10);
    is("9007199254740993", UINT64_C(9007199254740993)); /* no double has it */
    is("18446744073709551615", UINT64_MAX);
    is("18446744073709551615B", UINT64_MAX);
    is("16777215T", UINT64_C(16777215) << 40);
    is("18014398509481983K", UINT64_C(18014398509481983) * 1024);
    is("18446744073709551KB", UINT64_C(18446744073709551) * 1000);
}

static void every_suffix_in_either_case(void **state UNUSED)
{
    static const struct {
        const char *suffix;
        uint64_t factor;
    } known[] = {
        {"", 1},
        {"B", 1},
        {"K", 1 << 10},
        {"KiB", 1 << 10},
        {"KB", 1000},
        {"M", 1 << 20},
        {"MiB", 1 << 20},
        {"MB", 1000000},
        {"G", 1 << 30},
        {"GiB", 1 << 30},
        {"GB", 1000000000},
        {"T", 1ull << 40},
        {"TiB", 1ull << 40},
        {"TB", 1000000000000},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "3%s", known[i].suffix);
        is(text, 3 * known[i].factor);
        for (int k = 1; k < n; k++)
            text[k] = (char)(text[k] | 0x20);
        is(text, 3 * known[i].factor);
        for (int k = 1; k < n; k++)
            text[k] = (char)(text[k] & ~0x20);
        is(text, 3 * known[i].factor);
    }
}

static void fractions_are_rounded_to_bytes(void **state UNUSED)
{
    is("1.5K", 1536);
    is("1.5GiB", UINT64_C(1610612736));
    is("0.1K", 102);
    is("0.5", 1);
    is("1.4", 1);
    is("1.0", 1);
    is("0.000000000001TB", 1);
    is("1.234567890123TB", UINT64_C(1234567890123));
    is("1.99999999999999999999999999999999999999K", 2048);
}

static void too_much_is_erange(void **state UNUSED)
{
    is_refused("18446744073709551616", -ERANGE);
    is_refused("99999999999999999999999999", -ERANGE);
    is_refused("16777216T", -ERANGE);
    is_refused("18014398509481984K", -ERANGE);
    is_refused("18446744073709552KB", -ERANGE);
    is_refused("18446744073709551615.9", -ERANGE);
}

static void what_is_no_size_is_einval(void **state UNUSED)
{
    static const char *const bad[] = {
        "",    " ",   "K",  ".5",   "1.",  "1.K", "-1",   "+1",    " 1",   "1 ", "1 K", "1KK",
        "1Ki", "1iB", "1E", "0x10", "1e3", "1,5", "1..5", "1.5.5", "1.5x", "KB", "1b2", "1\n",
    };
    is_refused(NULL, -EINVAL);
    is_refused("99999999999999999999x", -EINVAL); /* however large it is */
    is_refused("99999999999999999999.", -EINVAL);
    for (size_t i = 0; i < COUNT(bad); i++)
        is_refused(bad[i], -EINVAL);
}

static void times(void **state UNUSED)
{
    static const struct {
        const char *text;
        int32_t ms;
    } good[] = {
        {"1", 1000},          {"5s", 5000}, {"500ms", 500}, {"2m", 120000}, {"1.5h", 5400000},
        {"0.2", 200},         {"1ms", 1},   {"none", -1},   {"1.9ms", 1},   {"2147483647ms", INT32_MAX},
        {"596h", 2145600000},
    };
    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {NULL, -EINVAL},    {"", -EINVAL},
        {"s", -EINVAL},     {"-1", -EINVAL},
        {" 1", -EINVAL},    {"1 s", -EINVAL},
        {"1S", -EINVAL},    {"1e3", -EINVAL},
        {"0x1", -EINVAL},   {"1.", -EINVAL},
        {"nonee", -EINVAL}, {"1d", -EINVAL},
        {"0", -ERANGE},     {"0.9ms", -ERANGE},
        {"0h", -ERANGE},    {"2147483648ms", -ERANGE},
        {"597h", -ERANGE},  {"99999999999999999999", -ERANGE},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        int32_t ms = 77;
        if (leat_time_parse(good[i].text, &ms) != 0 || ms != good[i].ms)
            fail_msg("'%s': %d", good[i].text, ms);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        int32_t ms = 77;
        int r = leat_time_parse(bad[i].text, &ms);
        if (r != bad[i].code || ms != 77)
            fail_msg("'%s': %d, %d", bad[i].text ? bad[i].text : "NULL", r, ms);
    }
}

static void formats(uint64_t bytes, const char *expected)
{
    char text[16];
    assert_string_equal(size_format(bytes, text, sizeof(text)), expected);
}

static void sizes_for_people(void **state UNUSED)
{
    formats(0, "0");
    formats(999, "999");
    formats(1000, "0.98K");
    formats(1024, "1K");
    formats(65536, "64K");
    formats(1536 * 1024, "1.50M");
    formats(UINT64_C(3) << 30, "3G");
    formats(1025, "1.00K");
    formats(UINT64_MAX, "16.0E");
    formats(UINT64_C(15) << 60, "15E");
}

static void formats_decimally(uint64_t bytes, const char *expected)
{
    char text[LEAT_SIZE_TEXT_MAX];
    assert_int_equal(leat_size_format(text, sizeof(text), bytes, 1), strlen(expected));
    assert_string_equal(text, expected);
}

static void sizes_in_powers_of_1000(void **state UNUSED)
{
    formats_decimally(0, "0");
    formats_decimally(999, "999");
    formats_decimally(1000, "1KB");
    formats_decimally(1024, "1.02KB");
    formats_decimally(65536, "65.5KB");
    formats_decimally(999499, "999KB");
    formats_decimally(999500, "1.00MB");
    formats_decimally(UINT64_C(3000000000), "3GB");
    formats_decimally(UINT64_MAX, "18.4EB");
}

static void a_size_takes_no_more_than_its_room(void **state UNUSED)
{
    char text[4] = "xyz";
    assert_int_equal(leat_size_format(NULL, 0, 1536, 1), 6);
    assert_int_equal(leat_size_format(text, 1, 1536, 0), 5);
    assert_memory_equal(text, "\0yz", 4);
    assert_int_equal(leat_size_format(text, 4, 1536, 0), 5);
    assert_string_equal(text, "1.5");
}

/* What is written is read as the same size, but for what three digits can't say. */
static void sizes_are_read_as_they_were_written(void **state UNUSED)
{
    for (int decimal = 0; decimal <= 1; decimal++)
        for (uint64_t n = 0; n < UINT64_C(900) << 40; n += n / 37 + 1) {
            char text[LEAT_SIZE_TEXT_MAX];
            uint64_t read = 0;
            assert_true(leat_size_format(text, sizeof(text), n, decimal) < sizeof(text));
            assert_int_equal(leat_size_parse(text, &read), 0);
            if (n < 1000 ? read != n : read > n + n / 99 || read < n - n / 99)
                fail_msg("%llu: %s is read as %llu", (unsigned long long)n, text, (unsigned long long)read);
        }
}

static void a_point_is_a_point_in_every_locale(void **state UNUSED)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C.UTF-8", "C"};
    for (size_t i = 0; i < COUNT(locales); i++)
        if (setlocale(LC_ALL, locales[i]))
            formats(1536, "1.50K");
    setlocale(LC_ALL, "C");
}

/* Whatever the size: three digits, at most a point, a letter. */
static void a_size_is_never_longer_than_that(void **state UNUSED)
{
    char text[32];
    for (uint64_t step = 1; step < UINT64_C(1) << 62; step *= 2)
        for (uint64_t n = step; n < step * 2; n += step / 64 + 1) {
            size_format(n, text, sizeof(text));
            size_t digits = 0;
            for (size_t i = 0; text[i]; i++)
                digits += text[i] >= '0' && text[i] <= '9';
            if (digits > 3 || strlen(text) > 5 || strlen(text) >= LEAT_SIZE_TEXT_MAX - 1)
                fail_msg("%llu: %s", (unsigned long long)n, text);
        }
    formats(1023693, "0.98M"); /* 999.7K */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_in_powers_of_1000),
        cmocka_unit_test(a_size_takes_no_more_than_its_room),
        cmocka_unit_test(sizes_are_read_as_they_were_written),
        cmocka_unit_test(a_point_is_a_point_in_every_locale),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(every_suffix_in_either_case),
        cmocka_unit_test(fractions_are_rounded_to_bytes),
        cmocka_unit_test(too_much_is_erange),
        cmocka_unit_test(what_is_no_size_is_einval),
        cmocka_unit_test(sizes_for_people),
        cmocka_unit_test(a_size_is_never_longer_than_that),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
