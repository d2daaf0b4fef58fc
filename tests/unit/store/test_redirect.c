/* SPDX-License-Identifier: MIT */
/* Where a redirect leads, and what is the same server. */
#include "store/redirect.h"
#include "unit/unit.h"

static void test_references(void **state UNUSED)
{
    static const struct {
        const char *base, *location, *url;
    } cases[] = {
        {"http://h/a/b?c", "http://i/", "http://i/"},
        {"http://h/a/b?c", "HTTPS://i:1/x/../y?z", "HTTPS://i:1/x/../y?z"},
        {"http://h/a/b?c", "//i/x", "http://i/x"},
        {"https://h/a/b?c", "//i/x", "https://i/x"},
        {"http://h:80/a/b?c", "/x", "http://h:80/x"},
        {"http://h/a/b?c", "x", "http://h/a/x"},
        {"http://h/a/b?c", "./x", "http://h/a/x"},
        {"http://h/a/b?c", "../x", "http://h/x"},
        {"http://h/a/b?c", "../../../x", "http://h/x"},
        {"http://h/a/b?c", "..", "http://h/"},
        {"http://h/a/b/?c", ".", "http://h/a/b/"},
        {"http://h/a/b?c", "?d", "http://h/a/b?d"},
        {"http://h/a/b?c", "x?y=../..", "http://h/a/x?y=../.."},
        {"http://h", "x", "http://h/x"},
        {"http://h?c", "x", "http://h/x"},
        {"http://h/a", "b#c", "http://h/b"},
        {"http://h/a", "/b c\xe9\x7f", "http://h/b%20c%E9%7F"},
        {"http://u:p@h/a", "/b", "http://h/b"},
        {"http://h/a", "/b:c", "http://h/b:c"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *why;
        char *url;
        assert_int_equal(redirect_resolve(&url, cases[i].base, cases[i].location, &why), 0);
        assert_string_equal(url, cases[i].url);
        free(url);
    }
}

static void test_no_places(void **state UNUSED)
{
    static const char *const bad[] = {
        "", "ftp://h/", "file:/etc/passwd", "javascript:x", "http:", "http://", "//", "http://u:p@h/", "//u@h/"};
    const char *why;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *url = NULL;
        assert_int_equal(redirect_resolve(&url, "http://h/a", bad[i], &why), -EPROTO);
        assert_null(url);
        assert_non_null(strstr(why, "can't be used"));
    }
    char *url;
    assert_int_equal(redirect_resolve(&url, "https://h/a", "http://h/a", &why), -EPROTO);
    assert_non_null(strstr(why, "from https: to http:"));
}

static void test_servers(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"http://h/a", "http://h/b", true},          {"http://h", "HTTP://H:80/", true},
        {"https://h/", "https://h:443?x", true},     {"http://h/", "https://h/", false},
        {"http://h:443/", "https://h/", false},      {"http://h/", "http://h:8080/", false},
        {"http://h/", "http://hh/", false},          {"http://h/", "http://h.evil/", false},
        {"http://[::1]/", "http://[::1]:80/", true}, {"http://[::1]/", "http://[::2]/", false},
        {"http://h/", "http://h@i/", false},         {"http://h:80/", "http://h:81/", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(redirect_is_same_server(cases[i].a, cases[i].b), cases[i].same);
}

static void test_methods(void **state UNUSED)
{
    assert_true(redirect_keeps_method(302, "GET") && redirect_keeps_method(303, "HEAD"));
    assert_true(redirect_keeps_method(307, "PUT") && redirect_keeps_method(308, "PATCH"));
    assert_false(redirect_keeps_method(301, "PUT") || redirect_keeps_method(302, "POST"));
    assert_false(redirect_is_status(300) || redirect_is_status(304) || redirect_is_status(305));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_no_places),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_methods),
    };
    return cmocka_run_group_tests_name("redirect", tests, NULL, NULL);
}
