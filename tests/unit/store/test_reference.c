/* SPDX-License-Identifier: MIT */
/* Names of what a registry has. */
#include "store/oci/reference.h"
#include "unit/unit.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX128 HEX64 HEX64

static void test_parts(void **state UNUSED)
{
    static const struct {
        const char *text, *host, *name, *tag, *digest;
    } names[] = {
        {"h.org/a", "h.org", "a", NULL, ""},
        {"localhost/a/b:T_1.-", "localhost", "a/b", "T_1.-", ""},
        {"localhost:5000/a__b/c-----d/e.f:1", "localhost:5000", "a__b/c-----d/e.f", "1", ""},
        {"h:1/a@sha256:" HEX64, "h:1", "a", NULL, "sha256:" HEX64},
        {"h:1/a:b@sha512:" HEX128, "h:1", "a", "b", "sha512:" HEX128},
        {"[::1]:5000/a", "[::1]:5000", "a", NULL, ""},
        {"[fe80::1]/a", "[fe80::1]", "a", NULL, ""},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct reference r;
        const char *why;
        assert_int_equal(reference_parse(&r, names[i].text, &why), 0);
        assert_string_equal(r.host, names[i].host);
        assert_string_equal(r.name, names[i].name);
        assert_string_equal(r.digest, names[i].digest);
        assert_true(!r.tag == !names[i].tag);
        if (r.tag)
            assert_string_equal(r.tag, names[i].tag);
        reference_clear(&r);
    }
}

static void test_no_names(void **state UNUSED)
{
    static const char *const bad[] = {"",
                                      "a",
                                      "a/b",
                                      "library/a:b",
                                      "/a",
                                      "h.org",
                                      "h.org/",
                                      "h.org//a",
                                      "h.org/a/",
                                      "h.org/A",
                                      "h.org/a..b",
                                      "h.org/a___b",
                                      "h.org/_a",
                                      "h.org/a-",
                                      "h.org/a/../b",
                                      "h.org/a b",
                                      "h.org/a%2fb",
                                      "h.org/a\nb",
                                      "h.org/a?b",
                                      "h.org/a:",
                                      "h.org/a:-b",
                                      "h.org/a:b/c",
                                      "h.org/a:b:c",
                                      "h.org/a@",
                                      "h.org/a@b",
                                      "h.org/a@sha256:" HEX128,
                                      "h.org/a@sha512:" HEX64,
                                      "h.org/a@md5:0123456789abcdef0123456789abcdef",
                                      "h.org/a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
                                      "h.org/a@sha256:../456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                      "h.org/a@sha256:" HEX64 ":b",
                                      "user@h.org/a",
                                      "h.org:/a",
                                      "h.org:99999/a",
                                      "h.org:1:2/a",
                                      "-h.org/a",
                                      "[::1/a",
                                      "[]/a",
                                      "[::1]x/a",
                                      "[localhost]/a",
                                      "[::1%25eth0]/a",
                                      "http://h.org/a"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *why = NULL;
        if (reference_parse(&(struct reference){0}, bad[i], &why) != -EINVAL || !why)
            fail_msg("'%s' is taken for a name", bad[i]);
    }
}

static void test_long_names(void **state UNUSED)
{
    char text[600] = "h.org/";
    struct reference r;
    const char *why;
    memset(text + 6, 'a', 255);
    assert_int_equal(reference_parse(&r, text, &why), 0);
    reference_clear(&r);
    text[6 + 255] = 'a';
    assert_int_equal(reference_parse(&r, text, &why), -EINVAL);
    memcpy(text, "h.org/a:", 8);
    memset(text + 8, 'b', 128);
    text[8 + 128] = '\0';
    assert_int_equal(reference_parse(&r, text, &why), 0);
    reference_clear(&r);
    text[8 + 128] = 'b';
    text[8 + 129] = '\0';
    assert_int_equal(reference_parse(&r, text, &why), -EINVAL);
}

static void test_loopback(void **state UNUSED)
{
    static const struct {
        const char *host;
        bool is;
    } hosts[] = {
        {"localhost", true},    {"localhost:5000", true}, {"127.0.0.1", true},      {"127.1.2.3:80", true},
        {"[::1]:5000", true},   {"[::1]", true},          {"[::11]", false},        {"127.0.0.1.org", false},
        {"127.0.0.org", false}, {"127.example.o", false}, {"localhost.org", false}, {"128.0.0.1", false},
        {"127.0.0.", false},    {"h.org:127", false},
    };
    for (size_t i = 0; i < COUNT(hosts); i++) {
        char host[32];
        snprintf(host, sizeof(host), "%s", hosts[i].host);
        struct reference r = {.host = host};
        if (reference_is_loopback(&r) != hosts[i].is)
            fail_msg("%s", hosts[i].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_no_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
