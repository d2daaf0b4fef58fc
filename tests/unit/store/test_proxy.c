/* SPDX-License-Identifier: MIT */
/* Which proxy a request goes through, as the environment says. */
#include "store/proxy.h"
#include "unit/unit.h"

static int forget(void **state UNUSED)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",  "HTTP_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    return 0;
}

static void assert_proxy(const char *url, const char *wanted)
{
    char proxy[PROXY_MAX] = "";
    assert_int_equal(proxy_find(url, proxy), wanted != NULL);
    assert_string_equal(proxy, wanted ? wanted : "");
}

static void test_variables(void **state UNUSED)
{
    assert_proxy("http://h/", NULL);
    setenv("HTTP_PROXY", "http://evil", 1);
    assert_proxy("http://h/", NULL);
    setenv("ALL_PROXY", "all:1", 1);
    assert_proxy("http://h/", "all:1");
    setenv("all_proxy", "http://user:secret@all:2/", 1);
    assert_proxy("http://h/", "all:2");
    setenv("HTTPS_PROXY", "http://[::1]:3", 1);
    assert_proxy("https://h/", "[::1]:3");
    setenv("http_proxy", "http://plain", 1);
    assert_proxy("http://h/", "plain");
    setenv("http_proxy", "", 1);
    assert_proxy("http://h/", "all:2");
}

static void test_exceptions(void **state UNUSED)
{
    setenv("all_proxy", "p", 1);
    setenv("NO_PROXY", "h, .domain.org other.org,::1", 1);
    assert_proxy("http://h/", NULL);
    assert_proxy("http://H:8080/", NULL);
    assert_proxy("http://hh/", "p");
    assert_proxy("http://domain.org/", NULL);
    assert_proxy("http://a.domain.org/", NULL);
    assert_proxy("http://adomain.org/", "p");
    assert_proxy("http://a.other.org/", NULL);
    assert_proxy("http://[::1]:9/", NULL);
    setenv("no_proxy", "*", 1);
    assert_proxy("http://hh/", NULL);
    setenv("no_proxy", ",,", 1);
    assert_proxy("http://h/", "p");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_variables, forget),
        cmocka_unit_test_setup(test_exceptions, forget),
    };
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
