/* SPDX-License-Identifier: MIT */
/* The calls of stores and images in a library that was built without them: this program has those files of the library
 * that take the place of the others.
 * emscripten: that build has no stores, so these files are in it already */
#include "store/without_stores.c"
#define refuse refuse_image
#include "image/without_image.c"
#undef refuse

#include "unit/unit.h"

#define SENTENCE "leat was built without stores (LEAT_WITH_STORES)"

static void check_error(const struct leat_error *error, const char *node)
{
    assert_int_equal(error->code, -ENOSYS);
    assert_string_equal(error->text, SENTENCE);
    assert_string_equal(error->node, node);
}

/* As in a library with stores, the result is filled on failure too, unless an option makes no sense. */
static void a_sweep_fills_its_result(void **state UNUSED)
{
    struct leat_store_sweep_options wrong = {.size = sizeof(wrong), .retries = -2};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct {
        struct leat_store_sweep_result result;
        uint64_t later; /* a member of a newer version */
    } own;
    memset(&own, 0xa5, sizeof(own));
    own.result.size = sizeof(own);
    assert_int_equal(leat_store_sweep("s3://bucket", &wrong, &own.result, &error), -EINVAL);
    assert_int_equal(own.result.found, 0xa5a5a5a5a5a5a5a5);
    assert_int_equal(leat_store_sweep("s3://bucket", NULL, &own.result, &error), -ENOSYS);
    check_error(&error, "s3://bucket");
    assert_int_equal(own.result.size, sizeof(own));
    assert_true(!own.result.found && !own.result.aborted && !own.result.young && !own.result.failed);
    assert_int_equal(own.later, 0xa5a5a5a5a5a5a5a5);

    own.result = (struct leat_store_sweep_result){.size = 2 * sizeof(size_t), .found = 7, .aborted = 8};
    assert_int_equal(leat_store_sweep("s3://bucket", NULL, &own.result, NULL), -ENOSYS);
    assert_true(own.result.found == 0 && own.result.aborted == 8); /* an older version ends behind `found` */
    own.result.size = 0;
    assert_int_equal(leat_store_sweep("s3://bucket", NULL, &own.result, NULL), -EINVAL);
    assert_int_equal(leat_store_sweep(NULL, NULL, NULL, &error), -ENOSYS);
    check_error(&error, "");
}

static void a_removal_fills_its_result(void **state UNUSED)
{
    static const char *const names[] = {"s3://bucket/key"};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_store_result result;
    memset(&result, 0xa5, sizeof(result));
    result.size = sizeof(result);
    assert_int_equal(leat_store_remove(names, 1, NULL, &result, &error), -ENOSYS);
    check_error(&error, "s3://bucket/key");
    struct leat_store_result none = {.size = sizeof(none)};
    assert_memory_equal(&result, &none, sizeof(none));
}

/* These fill their result on success only. */
static void images_leave_their_result(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_image_result result, before;
    char *json = NULL;
    memset(&result, 0xa5, sizeof(result));
    result.size = sizeof(result);
    before = result;
    assert_int_equal(leat_image_copy("oci:a", "oci:b", NULL, &result, &error), -ENOSYS);
    check_error(&error, "");
    assert_int_equal(leat_image_verify("oci:a", NULL, &result, &error), -ENOSYS);
    check_error(&error, "");
    assert_int_equal(leat_image_inspect("oci:a", NULL, &json, &error), -ENOSYS);
    check_error(&error, "");
    assert_null(json);
    assert_memory_equal(&result, &before, sizeof(before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_fills_its_result),
        cmocka_unit_test(a_removal_fills_its_result),
        cmocka_unit_test(images_leave_their_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
