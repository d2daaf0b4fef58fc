/* SPDX-License-Identifier: MIT */
/* URLs in parts, and percent-encoding. */
#include "store/url.h"
#include "unit/unit.h"

static void test_parts(void **state UNUSED)
{
    static const struct {
        const char *text, *scheme, *host, *path;
    } urls[] = {
        {"http://h", "http", "h", "/"},
        {"HTTPS://h:1/a/b?c=d#e", "https", "h:1", "/a/b?c=d"},
        {"http://[::1]:9000/", "http", "[::1]:9000", "/"},
        {"http://h?x", "http", "h", "/?x"},
    };
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct url url;
        assert_int_equal(url_parse(&url, urls[i].text), 0);
        assert_string_equal(url.scheme, urls[i].scheme);
        assert_string_equal(url.host, urls[i].host);
        assert_string_equal(url.path, urls[i].path);
        url_clear(&url);
    }
}

static void test_no_urls(void **state UNUSED)
{
    static const char *const bad[] = {"",         "h",           "ftp://h/",       "http:/h",        "http://",
                                      "http:///", "http://u@h/", "http://u:p@h/a", "http://h/a\nb:", "http://h/a b"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(url_parse(&(struct url){0}, bad[i]), -EINVAL);
}

static void assert_encoded(const char *bytes, size_t n, bool path, const char *wanted)
{
    char text[1024] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");
    url_encode(to, bytes, n, path);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, wanted);
}

static void test_encoding(void **state UNUSED)
{
    assert_encoded("AZaz09-._~", 10, false, "AZaz09-._~");
    assert_encoded("a/b c", 5, true, "a/b%20c");
    assert_encoded("a/b+c", 5, false, "a%2Fb%2Bc");
    assert_encoded("\0\x01\x7f\xff%", 5, true, "%00%01%7F%FF%25");
}

static void assert_decoded(const char *text, const char *wanted)
{
    char own[64];
    snprintf(own, sizeof(own), "%s", text);
    assert_int_equal(url_decode(own), wanted ? 0 : -EINVAL);
    if (wanted)
        assert_string_equal(own, wanted);
}

static void test_decoding(void **state UNUSED)
{
    assert_decoded("", "");
    assert_decoded("b%2F1", "b/1");
    assert_decoded("a+b%2b%20%fF", "a b+ \xff");
    assert_decoded("%2541", "%41");
    const char *const bad[] = {"%", "%4", "%4x", "a%00b", "%%41"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_decoded(bad[i], NULL);
}

static void test_logins(void **state UNUSED)
{
    static const struct {
        const char *url, *bare, *user, *password;
    } cases[] = {
        {"http://u@h/a", "http://h/a", "u", NULL},
        {"https://u:@h:1", "https://h:1", "u", ""},
        {"http://u:p:q@h/a@b", "http://h/a@b", "u", "p:q"},
        {"http://u:p@q@h/", "http://h/", "u", "p@q"},
        {"http://%75%40:+%25@[::1]/", "http://[::1]/", "u@", "+%"},
        {"http://:p@h/", "http://h/", "", "p"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *bare = NULL, *user = NULL, *password = NULL;
        assert_int_equal(url_take_login(cases[i].url, &bare, &user, &password), 1);
        assert_string_equal(bare, cases[i].bare);
        assert_string_equal(user, cases[i].user);
        assert_true(!password == !cases[i].password);
        if (password)
            assert_string_equal(password, cases[i].password);
        free(bare);
        free(user);
        free(password);
    }
    assert_int_equal(url_take_login("http://h/a@b", NULL, NULL, NULL), 0);
    assert_int_equal(url_take_login("http://u%4@h/", NULL, NULL, NULL), -EINVAL);
    assert_int_equal(url_take_login("http://u:%00@h/", NULL, NULL, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),  cmocka_unit_test(test_no_urls),  cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_logins), cmocka_unit_test(test_decoding),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
