/* SPDX-License-Identifier: MIT */
/* The digest filter with providers that fail: this program has its own list of them. */
#include "base/digest_provider.h"
#include "feed.h"
#include <errno.h>

/* Counts bytes and fails with EIO at the third update, or refuses to begin. */
struct fake {
    unsigned updates;
};

static int fake_begin(void **ret, size_t *ret_size)
{
    struct fake *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    *ret = fake;
    *ret_size = 1;
    return 0;
}

static int open_kernel(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    if (strcmp(algorithm, "breaks") == 0)
        return fake_begin(ret, ret_size);
    *ret_why = "it is told to";
    return strcmp(algorithm, "forbidden") == 0 ? -EPERM : -ENOENT;
}

static int open_user(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    *ret_why = "somebody else's business";
    if (strcmp(algorithm, "forbidden") == 0 || strcmp(algorithm, "works") == 0)
        return fake_begin(ret, ret_size);
    return strcmp(algorithm, "unloaded") == 0 ? -ELIBACC : -ENOENT;
}

static int update(void *state, const void *bytes UNUSED, size_t n UNUSED)
{
    struct fake *fake = state;
    fake->updates++;
    return 0;
}

static int update_breaks(void *state, const void *bytes, size_t n)
{
    update(state, bytes, n);
    return ((struct fake *)state)->updates < 3 ? 0 : -EIO;
}

static int value(void *state, uint8_t *ret)
{
    ret[0] = (uint8_t)((struct fake *)state)->updates;
    return 0;
}

static int splice_fd(void *state UNUSED)
{
    return 1234;
}

static const struct digest_provider kernel = {
    .name = "fake kernel",
    .kernel = true,
    .open = open_kernel,
    .update = update_breaks,
    .value = value,
    .splice_fd = splice_fd,
    .close = free,
};
static const struct digest_provider user = {
    .name = "fake user",
    .open = open_user,
    .update = update,
    .value = value,
    .close = free,
};
const struct digest_provider *const registry_digest_providers[] = {&kernel, &user, NULL};

static leat_filter *make(const char *algorithms, int provider, int threads)
{
    leat_filter *filter = NULL;
    struct leat_digest_options o = LEAT_INIT(struct leat_digest_options);
    o.provider = provider;
    o.threads = threads;
    assert_int_equal(leat_filter_digest(&filter, algorithms, &o, NULL), 0);
    return filter;
}

/* So many bytes; then the threads are joined as for a pipeline that failed already. */
static void feed(leat_filter *filter, int chunks)
{
    struct feed f;
    feed_init(&f);
    for (int i = 0; i < chunks; i++)
        feed_bytes(&f, filter, (const uint8_t *)"x", 1);
    assert_int_equal(filter->ops->finish(filter, -ECANCELED, NULL), 0);
    feed_destroy(&f);
}

static void check_middle(int threads)
{
    leat_filter *filter = make("works,breaks", LEAT_DIGEST_KERNEL, threads);
    struct leat_error error = LEAT_INIT(struct leat_error);
    char hex[LEAT_DIGEST_HEX_MAX] = "untouched";
    assert_int_equal(filter->ops->start(filter, 0, &error), 0);
    feed(filter, 5);
    assert_int_equal(filter->ops->finish(filter, 0, &error), -EIO);
    assert_int_equal(error.code, -EIO);
    assert_int_equal(error.side, LEAT_SIDE_FILTER);
    assert_non_null(strstr(error.text, "fake kernel failed in the middle of breaks"));
    assert_int_equal(leat_filter_digest_hex(filter, "breaks", hex, sizeof(hex)), -EIO);
    assert_string_equal(hex, "untouched");
    assert_int_equal(leat_filter_digest_hex(filter, "works", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "05");

    assert_int_equal(leat_filter_digest_reset(filter), 0);
    assert_int_equal(filter->ops->start(filter, 0, &error), 0);
    feed(filter, 2);
    assert_int_equal(filter->ops->finish(filter, 0, &error), 0);
    assert_int_equal(leat_filter_digest_hex(filter, "breaks", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "02");
    leat_filter_free(filter);
}

static void test_fails_in_the_middle(void **state UNUSED)
{
    check_middle(-1);
    check_middle(1);
}

static void test_steps_aside(void **state UNUSED)
{
    leat_filter *filter = make("forbidden", LEAT_DIGEST_KERNEL, 0);
    const char *algorithm, *provider, *why;
    char hex[LEAT_DIGEST_HEX_MAX];
    assert_int_equal(filter->ops->result(filter, 0, &algorithm, hex, sizeof(hex), &provider, &why), 0);
    assert_string_equal(provider, "fake user");
    assert_string_equal(why, "it is told to");
    leat_filter_free(filter);

    filter = make("forbidden", LEAT_DIGEST_USER, 0);
    assert_int_equal(filter->ops->result(filter, 0, &algorithm, hex, sizeof(hex), &provider, &why), 0);
    assert_null(why);
    leat_filter_free(filter);
}

static void test_library_missing(void **state UNUSED)
{
    leat_filter *filter = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_filter_digest(&filter, "unloaded", NULL, &error), -ELIBACC);
    assert_string_equal(error.text, "libcrypto can't be loaded: install libssl3");
    assert_int_equal(leat_filter_digest(&filter, "works,unloaded", NULL, NULL), -ELIBACC);
    assert_int_equal(leat_filter_digest(&filter, "breaks", NULL, NULL), -ENOENT); /* only the kernel has it */
    assert_null(filter);
}

/* Spliced into only where the whole filter is one digest of the kernel, and not behind queued chunks. */
static void test_splice_fd(void **state UNUSED)
{
    leat_filter *filter = make("breaks", LEAT_DIGEST_KERNEL, 1);
    struct feed f;
    feed_init(&f);
    assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
    assert_int_equal(filter->ops->splice_fd(filter), 1234);
    feed_bytes(&f, filter, (const uint8_t *)"x", 1);
    assert_int_equal(filter->ops->splice_fd(filter), -1);
    assert_int_equal(filter->ops->finish(filter, 0, NULL), 0);
    leat_filter_free(filter);
    feed_destroy(&f);

    filter = make("breaks,works", LEAT_DIGEST_KERNEL, 0);
    assert_int_equal(filter->ops->splice_fd(filter), -1);
    leat_filter_free(filter);
    filter = make("works", LEAT_DIGEST_KERNEL, 0);
    assert_int_equal(filter->ops->splice_fd(filter), -1);
    leat_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fails_in_the_middle),
        cmocka_unit_test(test_steps_aside),
        cmocka_unit_test(test_library_missing),
        cmocka_unit_test(test_splice_fd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
