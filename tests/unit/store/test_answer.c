/* SPDX-License-Identifier: MIT */
/* Header lines of answers, well-formed and not. */
#include "store/answer.h"
#include "unit/unit.h"

static struct answer read_lines(const char *const *lines)
{
    struct answer answer = {.status = 0};
    for (; *lines; lines++)
        answer_read_line(&answer, *lines, strlen(*lines));
    return answer;
}
#define READ(...) read_lines((const char *const[]){__VA_ARGS__, NULL})

static void test_an_object(void **state UNUSED)
{
    struct answer a = READ("HTTP/1.1 206 Partial Content\r\n", "Content-Length: 10\r\n", "eTag: \"abc\"\r\n",
                           "CONTENT-RANGE: bytes 90-99/100\r\n", "\r\n");
    assert_int_equal(a.status, 206);
    assert_true(a.has_length && a.length == 10);
    assert_true(a.has_range && a.range_first == 90 && a.range_total == 100);
    assert_string_equal(a.etag, "\"abc\"");
    assert_int_equal(a.retry_after_s, -1);
}

/* What a redirect or "100 Continue" said is not part of the final answer. */
static void test_a_status_line_begins_anew(void **state UNUSED)
{
    struct answer a = READ("HTTP/1.1 307 x", "Content-Length: 5", "ETag: \"old\"", "Retry-After: 7", "HTTP/1.1 200 OK");
    assert_int_equal(a.status, 200);
    assert_false(a.has_length);
    assert_string_equal(a.etag, "");
    assert_int_equal(a.retry_after_s, -1);
}

static void test_lengths_that_are_none(void **state UNUSED)
{
    static const char *const bad[] = {"-1", "1x", "", "18446744073709551616", "0x10", "1 2"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        char line[64];
        snprintf(line, sizeof(line), "Content-Length: %s", bad[i]);
        assert_false(READ("HTTP/1.1 200 OK", line).has_length);
    }
    struct answer a = READ("HTTP/1.1 200 OK", "Content-Length: 18446744073709551615");
    assert_true(a.has_length && a.length == UINT64_MAX);
}

static void test_ranges_that_are_none(void **state UNUSED)
{
    static const char *const bad[] = {"bytes 5-4/10",
                                      "bytes 0-10/10",
                                      "bytes */10",
                                      "bytes 0-1/*",
                                      "items 0-1/2",
                                      "bytes 0-1/2x",
                                      "bytes 0-99999999999999999999/1"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        char line[80];
        snprintf(line, sizeof(line), "Content-Range: %s", bad[i]);
        assert_false(READ("HTTP/1.1 206 x", line).has_range);
    }
}

static void test_odd_lines_are_passed_over(void **state UNUSED)
{
    char huge[5000];
    memset(huge, 'x', sizeof(huge) - 1);
    memcpy(huge, "ETag: ", 6);
    huge[sizeof(huge) - 1] = '\0';
    struct answer a = READ("HTTP/1.1 200", "no colon", ":", "ETag", huge, "Retry-After: 999999999");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.etag, "");
    assert_int_equal(a.retry_after_s, 86400);
    answer_read_line(&a, "ETag: \"a\0b\"", 11);
    assert_string_equal(a.etag, "");
    answer_read_line(&a, "HTTP/1.1 99999 x", 16);
    assert_int_equal(a.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_object),
        cmocka_unit_test(test_a_status_line_begins_anew),
        cmocka_unit_test(test_lengths_that_are_none),
        cmocka_unit_test(test_ranges_that_are_none),
        cmocka_unit_test(test_odd_lines_are_passed_over),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
