/* SPDX-License-Identifier: MIT */
/* What calls tell a program while they run and at their end: entries of stores, progress and results of images.
 * emscripten: there are no stores and no images */
#include "unit/image/layout.h"
#include <arpa/inet.h>
#include <leat/image.h>
#include <leat/store.h>
#include <netinet/in.h>

struct told {
    int answer; /* of each call */
    unsigned calls;
};

/* ---- stores ---- */

static int take_entry(void *user, const struct leat_store_entry *entry UNUSED)
{
    struct told *told = user;
    told->calls++;
    return told->answer;
}

static int list(const struct leat_store_options *options)
{
    return leat_store_list("file:.", options, NULL);
}

static int stat_one(const struct leat_store_options *options)
{
    return leat_store_stat("file:b", options, NULL);
}

static int remove_all(const struct leat_store_options *options)
{
    static const char *const specs[] = {"file:a", "file:b", "file:c"};
    return leat_store_remove(specs, COUNT(specs), options, NULL, NULL);
}

static void assert_ends(int (*call)(const struct leat_store_options *), int answer, int wanted, unsigned calls)
{
    struct told told = {.answer = answer};
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    options.entry = take_entry;
    options.user = &told;
    unit_write("a", "", 0);
    unit_write("b", "", 0);
    unit_write("c", "", 0);
    int r = call(&options);
    unit_needs(r != -ENOSYS, "stores");
    assert_int_equal(r, wanted);
    assert_int_equal(told.calls, calls);
}

static void an_entry_ends_the_call(void **state UNUSED)
{
    static const int answers[][2] = {{-EXDEV, -EXDEV}, {-ENOENT, -ENOENT}, {1, -EPROTO}, {-100000, -EPROTO}};
    for (size_t i = 0; i < COUNT(answers); i++) {
        assert_ends(list, answers[i][0], answers[i][1], 1);
        assert_ends(stat_one, answers[i][0], answers[i][1], 1);
        assert_ends(remove_all, answers[i][0], answers[i][1], 1);
        unit_holds("c", ""); /* what comes behind the end stays */
    }
    assert_ends(list, 0, 0, 3);
    assert_ends(stat_one, 0, 0, 1);
    assert_ends(remove_all, 0, 0, 3);
}

/* ---- images ---- */

static void assert_verified(int wanted, uint64_t problems)
{
    struct leat_image_result result = LEAT_INIT(struct leat_image_result);
    result.problems = 77;
    int r = leat_image_verify("oci:from", NULL, &result, NULL);
    unit_needs(r != -ENOSYS, "images");
    assert_int_equal(r, wanted);
    assert_int_equal(result.problems, problems);
    assert_int_equal(result.manifests, 1);
    assert_int_equal(leat_image_verify("oci:from", NULL, NULL, NULL), wanted);
}

static void a_result_is_filled_also_with_problems(void **state UNUSED)
{
    layout_make();
    assert_verified(0, 0);
    layout_write("from/blobs/sha256/" CONFIG, "[]");
    assert_verified(-EBADMSG, 1);
    assert_int_equal(unlink("from/blobs/sha256/" CONFIG), 0);
    assert_verified(-ENOENT, 1);
    struct leat_image_result result = LEAT_INIT(struct leat_image_result);
    result.problems = 77;
    assert_int_equal(leat_image_verify("oci:none", NULL, &result, NULL), -ENOENT);
    assert_int_equal(result.problems, 77);
}

static int take_progress(void *user, const struct leat_progress *now UNUSED)
{
    return take_entry(user, NULL);
}

/* Listens for clients, and never answers. */
static int listen_silently(char ret_host[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    snprintf(ret_host, 64, "127.0.0.1:%u", ntohs(address.sin_port));
    return fd;
}

/* The source is a registry that takes connections and never answers. */
static int copy_from_silence(struct told *told)
{
    struct leat_image_options options = LEAT_INIT(struct leat_image_options);
    char host[64], source[100];
    int fd = listen_silently(host);
    snprintf(source, sizeof(source), "docker://%s/name:tag", host);
    options.progress = take_progress;
    options.user = told;
    int r = leat_image_copy(source, "oci:to", &options, NULL, NULL);
    close(fd);
    return r;
}

static void a_progress_ends_the_call(void **state UNUSED)
{
    static const int answers[] = {1, -EIO};
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct told told = {.answer = answers[i]};
        int r = copy_from_silence(&told);
        unit_needs(r != -ENOSYS && r != -ELIBACC, "libcurl");
        assert_int_equal(r, -ECANCELED);
        assert_int_equal(told.calls, 1);
        assert_int_equal(access("to/index.json", F_OK), -1);
    }
    struct leat_image_options options = LEAT_INIT(struct leat_image_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    options.progress_ms = -1;
    assert_int_equal(leat_image_copy("oci:from", "oci:to", &options, NULL, &error), -EINVAL);
    assert_non_null(strstr(error.text, "-1 is no number of milliseconds"));
}

static int list_spec(const char *spec, const struct leat_store_options *options, struct leat_error *error)
{
    return leat_store_list(spec, options, error);
}

static int stat_spec(const char *spec, const struct leat_store_options *options, struct leat_error *error)
{
    return leat_store_stat(spec, options, error);
}

static int remove_spec(const char *spec, const struct leat_store_options *options, struct leat_error *error)
{
    return leat_store_remove(&spec, 1, options, NULL, error);
}

static int sweep_spec(const char *spec, const struct leat_store_options *options, struct leat_error *error)
{
    struct leat_store_sweep_options own = LEAT_INIT(struct leat_store_sweep_options);
    own.endpoint = options->endpoint;
    return leat_store_sweep(spec, &own, NULL, error);
}

static void a_silent_store_is_not_waited_for_longer_than_allowed(void **state UNUSED)
{
    static const struct {
        int (*call)(const char *spec, const struct leat_store_options *options, struct leat_error *error);
        const char *format;
    } rows[] = {
        {list_spec, "s3://bucket/%s"},
        {stat_spec, "s3://bucket/%s"},
        {remove_spec, "s3://bucket/%s"},
        {sweep_spec, "s3://bucket/%s"},
        {list_spec, "oci://%s/name"},
        {stat_spec, "oci://%s/name:tag"},
        {stat_spec, "http://%s/x"},
        {remove_spec, "http://%s/x"},
        {remove_spec, "oci://%s/name@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    };
    struct leat_endpoint_options endpoint = LEAT_INIT(struct leat_endpoint_options);
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    struct told told = {0};
    char host[64], url[80];
    int fd = listen_silently(host);
    snprintf(url, sizeof(url), "http://%s", host);
    setenv("AWS_ENDPOINT_URL_S3", url, 1);
    setenv("AWS_ACCESS_KEY_ID", "id", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    endpoint.total_timeout_ms = 50;
    options.endpoint = &endpoint;
    options.entry = take_entry;
    options.user = &told;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        char spec[200];
        snprintf(spec, sizeof(spec), rows[i].format, host);
        int r = rows[i].call(spec, &options, &error);
        unit_needs(r != -ENOSYS && r != -ELIBACC, "libcurl");
        if (r != -ETIMEDOUT || error.code != r)
            fail_msg("%s: %d, %s", spec, r, error.text);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_entry_ends_the_call, unit_empty),
        cmocka_unit_test_teardown(a_result_is_filled_also_with_problems, unit_empty),
        cmocka_unit_test_teardown(a_progress_ends_the_call, unit_empty),
        cmocka_unit_test(a_silent_store_is_not_waited_for_longer_than_allowed),
    };
    return cmocka_run_group_tests_name("told", tests, unit_folder, unit_folder_gone);
}
