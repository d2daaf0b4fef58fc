/* SPDX-License-Identifier: MIT */
/* Users and passwords from the files of other tools. */
#include "store/base64.h"
#include "store/oci/login.h"
#include "unit/unit.h"

static void assert_login(const char *json, const char *host, const char *name, int wanted, const char *user,
                         const char *password)
{
    struct login login = {0};
    assert_int_equal(login_read(&login, json, strlen(json), host, name), wanted);
    if (user)
        assert_string_equal(login.user, user);
    if (password)
        assert_string_equal(login.password, password);
    login_clear(&login);
}

static void test_files(void **state UNUSED)
{
    /* "a:b", "c:d:e" */
    static const char json[] = "{\"auths\": {\"h.org\": {\"auth\": \"YTpi\"}, \"h.org/x\": {\"auth\": \"YzpkOmU=\"},"
                               "\"https://i.org:80/v1/\": {\"username\": \"u\", \"password\": \"p\"},"
                               "\"j.org\": {\"identitytoken\": \"t\"}, \"k.org\": {}, \"l.org\": 3}}";
    assert_login(json, "h.org", "y", 1, "a", "b");
    assert_login(json, "h.org", "x", 1, "c", "d:e");
    assert_login(json, "h.org", "x/y", 1, "c", "d:e");
    assert_login(json, "h.org", "xy", 1, "a", "b");
    assert_login(json, "h.org:1", "y", 0, NULL, NULL);
    assert_login(json, "h.or", "y", 0, NULL, NULL);
    assert_login(json, "i.org:80", "y", 1, "u", "p");
    assert_login(json, "j.org", "y", 1, NULL, NULL);
    assert_login(json, "k.org", "y", 0, NULL, NULL);
    assert_login(json, "l.org", "y", 0, NULL, NULL);
    assert_login("{}", "h.org", "y", 0, NULL, NULL);
    assert_login("{\"auths\": []}", "h.org", "y", 0, NULL, NULL);
}

static void test_no_files(void **state UNUSED)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{",
                                      "{\"auths\": {\"h\": {\"auth\": \"no colon\"}}}",
                                      "{\"auths\": {\"h\": {\"auth\": \"YWI=\"}}}",
                                      "{\"auths\": {\"h\": {\"auth\": \"YQA6Yg==\"}}}"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_login(bad[i], "h", "y", -EBADMSG, NULL, NULL);
}

static void test_helpers(void **state UNUSED)
{
    static const char json[] = "{\"credHelpers\": {\"h\": \"one\"}, \"credsStore\": \"all\","
                               "\"auths\": {\"h\": {\"auth\": \"YTpi\"}, \"i\": {\"auth\": \"YTpi\"}}}";
    static const struct {
        const char *host, *helper;
    } rows[] = {{"h", "one"}, {"i", ""}, {"j", "all"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct login login = {0};
        assert_int_equal(login_read(&login, json, strlen(json), rows[i].host, "y"), 1);
        assert_string_equal(login.helper, rows[i].helper);
        login_clear(&login);
    }
    assert_login("{\"credsStore\": \"a b\"}", "h", "y", -EBADMSG, NULL, NULL);
    struct login login = {0};
    static const char said[] = "{\"Username\": \"<token>\", \"Secret\": \"s\"}";
    assert_int_equal(login_read_helper(&login, said, strlen(said)), 0);
    assert_string_equal(login.refresh, "s");
    login_clear(&login);
    assert_int_equal(login_read_helper(&login, "{}", 2), -EBADMSG);
    assert_int_equal(login_read_helper(&login, "", 0), -EBADMSG);
}

static void test_base64(void **state UNUSED)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n;
        char *text = base64_write(rows[i][0], strlen(rows[i][0]));
        assert_string_equal(text, rows[i][1]);
        char *back = base64_read(text, &n);
        assert_int_equal(n, strlen(rows[i][0]));
        assert_string_equal(back, rows[i][0]);
        free(text);
        free(back);
    }
    assert_null(base64_read("a b", &(size_t){0}));
    assert_null(base64_read("ab-_", &(size_t){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_helpers),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
