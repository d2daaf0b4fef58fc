/* SPDX-License-Identifier: MIT */
/* What files and programs say of credentials. */
#include "store/s3/credentials.h"
#include "store/s3/profile.h"
#include "unit/unit.h"

static int read_profile(struct profile *p, const char *text, const char *section)
{
    unit_write("profile", text, strlen(text));
    memset(p, 0, sizeof(*p));
    return profile_read(p, "profile", section, false);
}

static void test_sections(void **state UNUSED)
{
    static const char text[] = "aws_access_key_id = outside\n"
                               "[ default ]\r\n"
                               "aws_access_key_id=A\r\n"
                               "  # a comment = x\n"
                               "; another\n"
                               "s3 =\n"
                               "    addressing_style = path\n"
                               "    region = inner\n"
                               "\taws_access_key_id = inner\n"
                               "region = a=b\n"
                               "[profile x]\n"
                               "  aws_access_key_id = X\n"
                               "aws_access_key_id = second\n"
                               "role_arn = r";
    struct profile *p = malloc(sizeof(*p));
    assert_int_equal(read_profile(p, text, "default"), 1);
    assert_string_equal(p->credentials.key, "A");
    assert_string_equal(p->addressing, "path");
    assert_string_equal(p->region, "a=b");
    assert_string_equal(p->role, "");
    assert_int_equal(read_profile(p, text, "profile x"), 1);
    assert_string_equal(p->credentials.key, "X");
    assert_string_equal(p->role, "yes");
    assert_int_equal(read_profile(p, text, "profile y"), 0);
    assert_int_equal(read_profile(p, "", "default"), 0);
    assert_int_equal(profile_read(p, "/no/such/file", "default", false), 0);
    free(p);
}

/* A line of any length is one line; a value that does not fit is an error, not a part of it. */
static void test_long_values(void **state UNUSED)
{
    struct profile *p = malloc(sizeof(*p));
    char *text = malloc(40000);
    for (size_t n = 250; n < 30000; n = n * 5 / 4) {
        size_t at = (size_t)sprintf(text, "[default]\naws_access_key_id = ");
        memset(text + at, 'k', n);
        strcpy(text + at + n, "\nregion = here\n");
        int r = read_profile(p, text, "default");
        assert_int_equal(r, n < CREDENTIAL_MAX ? 1 : -EINVAL);
        text[at - 20] = '#';
        assert_int_equal(read_profile(p, text, "default"), 1);
        assert_string_equal(p->region, "here");
    }
    free(text);
    free(p);
}

static void test_json(void **state UNUSED)
{
    struct credentials c;
    static const char right[] = "{\"Version\":1,\"AccessKeyId\":\"k\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                                "\"Expiration\":\"2026-11-28T22:21:57Z\"}";
    static const char *const wrong[] = {"",
                                        "{",
                                        "[]",
                                        "{\"AccessKeyId\":\"k\"}",
                                        "{\"AccessKeyId\":1,\"SecretAccessKey\":\"s\"}",
                                        "{\"AccessKeyId\":\"k\",\"SecretAccessKey\":\"\"}",
                                        "{\"AccessKeyId\":\"k\",\"SecretAccessKey\":\"s\",\"Expiration\":\"soon\"}"};
    assert_int_equal(credentials_read(&c, right, strlen(right), "Token"), 0);
    assert_string_equal(c.key, "k");
    assert_string_equal(c.secret, "s");
    assert_string_equal(c.token, "t");
    assert_true(c.expires_s == 1795904517);
    assert_int_equal(credentials_read(&c, right, strlen(right), "SessionToken"), 0);
    assert_string_equal(c.token, "");
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(credentials_read(&c, wrong[i], strlen(wrong[i]), "Token"), -EBADMSG);
    char *text = malloc(1000);
    sprintf(text, "{\"AccessKeyId\":\"%0500d\",\"SecretAccessKey\":\"s\"}", 0);
    assert_int_equal(credentials_read(&c, text, strlen(text), "Token"), -EINVAL);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
