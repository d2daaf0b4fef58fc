/* SPDX-License-Identifier: MIT */
/* What a server wants to see before it answers. */
#include "store/oci/challenge.h"
#include "unit/unit.h"

static void test_challenges(void **state UNUSED)
{
    static const struct {
        const char *text;
        int kind;
        const char *realm, *service, *scope;
    } rows[] = {
        {"Basic realm=\"a\"", CHALLENGE_BASIC, "a", "", ""},
        {"basic", CHALLENGE_BASIC, "", "", ""},
        {"Bearer realm=\"https://h/t\",service=\"s\",scope=\"repository:a:pull,push\"", CHALLENGE_BEARER, "https://h/t",
         "s", "repository:a:pull,push"},
        {"BEARER  realm = https://h/t , SCOPE=\"a b\"", CHALLENGE_BEARER, "https://h/t", "", "a b"},
        {"Basic realm=x, Bearer realm=\"y\"", CHALLENGE_BEARER, "y", "", ""},
        {"Bearer realm=\"y\", Basic realm=x", CHALLENGE_BEARER, "y", "", ""},
        {"Negotiate, Basic realm=\"a, \\\"b\\\"\"", CHALLENGE_BASIC, "a, \"b\"", "", ""},
        {"Negotiate YWJj==, Basic realm=x", CHALLENGE_BASIC, "x", "", ""},
        {"Bearer realm=\"\"", CHALLENGE_NONE, "", "", ""},
        {"Bearer realm=\"cut", CHALLENGE_NONE, "", "", ""},
        {"Bearer", CHALLENGE_NONE, "", "", ""},
        {"", CHALLENGE_NONE, "", "", ""},
        {" , ,", CHALLENGE_NONE, "", "", ""},
        {"\"", CHALLENGE_NONE, "", "", ""},
        {"=", CHALLENGE_NONE, "", "", ""},
        {"Basic realm=", CHALLENGE_BASIC, "", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct challenge c;
        challenge_parse(&c, rows[i].text);
        assert_int_equal(c.kind, rows[i].kind);
        assert_string_equal(c.realm, rows[i].realm);
        assert_string_equal(c.service, rows[i].service);
        assert_string_equal(c.scope, rows[i].scope);
    }
}

static void test_long_values(void **state UNUSED)
{
    char text[CHALLENGE_VALUE_MAX + 32] = "Bearer realm=\"";
    size_t n = strlen(text);
    struct challenge c;
    memset(text + n, 'x', CHALLENGE_VALUE_MAX - 1);
    strcpy(text + n + CHALLENGE_VALUE_MAX - 1, "\"");
    challenge_parse(&c, text);
    assert_int_equal(c.kind, CHALLENGE_BEARER);
    strcpy(text + n + CHALLENGE_VALUE_MAX - 1, "x\"");
    challenge_parse(&c, text);
    assert_int_equal(c.kind, CHALLENGE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_long_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
