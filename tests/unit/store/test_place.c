/* SPDX-License-Identifier: MIT */
/* Where a bucket is: which variable, which file and which default decides. */
#include "store/s3/place.h"
#include "unit/unit.h"

static int forget(void **state UNUSED)
{
    static const char *const names[] = {"AWS_REGION",       "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",
                                        "AWS_ENDPOINT_URL", "AWS_PROFILE",        "AWS_S3_ADDRESSING_STYLE",
                                        "AWS_SESSION_TOKEN"};
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    setenv("AWS_ACCESS_KEY_ID", "key", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_CONFIG_FILE", "config", 1);
    unit_write("config", "", 0);
    return 0;
}

static void assert_place(const char *region, const char *host, const char *folder)
{
    struct s3_name name;
    struct s3_place place = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(s3_name_split(&name, "//bucket/key"), 0);
    if (s3_place_find(&place, &name, &error) < 0)
        fail_msg("%s", error.text);
    assert_string_equal(place.region, region);
    assert_string_equal(place.host, host);
    assert_string_equal(place.folder, folder);
    s3_place_clear(&place);
}

static void write_config(const char *text)
{
    unit_write("config", text, strlen(text));
}

static void test_regions(void **state UNUSED)
{
    assert_place("us-east-1", "bucket.s3.us-east-1.amazonaws.com", "/");
    write_config("[default]\nregion = r-profile\n");
    assert_place("r-profile", "bucket.s3.r-profile.amazonaws.com", "/");
    setenv("AWS_DEFAULT_REGION", "r-default", 1);
    assert_place("r-default", "bucket.s3.r-default.amazonaws.com", "/");
    setenv("AWS_REGION", "r-first", 1);
    assert_place("r-first", "bucket.s3.r-first.amazonaws.com", "/");
    setenv("AWS_REGION", "", 1);
    assert_place("r-default", "bucket.s3.r-default.amazonaws.com", "/");
}

static void test_stores(void **state UNUSED)
{
    write_config("[default]\nendpoint_url = http://profile:1\n");
    assert_place("us-east-1", "profile:1", "/bucket/");
    setenv("AWS_ENDPOINT_URL", "http://all:2", 1);
    assert_place("us-east-1", "all:2", "/bucket/");
    setenv("AWS_ENDPOINT_URL_S3", "http://s3:3/in/", 1);
    assert_place("us-east-1", "s3:3", "/in/bucket/");
    setenv("AWS_ENDPOINT_URL_S3", "", 1);
    assert_place("us-east-1", "all:2", "/bucket/");
}

static void test_styles(void **state UNUSED)
{
    setenv("AWS_S3_ADDRESSING_STYLE", "path", 1);
    assert_place("us-east-1", "s3.us-east-1.amazonaws.com", "/bucket/");
    write_config("[default]\ns3 =\n  addressing_style = path\n");
    setenv("AWS_S3_ADDRESSING_STYLE", "virtual", 1);
    setenv("AWS_ENDPOINT_URL", "http://all:2/", 1);
    assert_place("us-east-1", "bucket.all:2", "/");
    unsetenv("AWS_S3_ADDRESSING_STYLE");
    unsetenv("AWS_ENDPOINT_URL");
    assert_place("us-east-1", "s3.us-east-1.amazonaws.com", "/bucket/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_regions, forget),
        cmocka_unit_test_setup(test_stores, forget),
        cmocka_unit_test_setup(test_styles, forget),
    };
    return cmocka_run_group_tests_name("place", tests, unit_folder, unit_folder_gone);
}
