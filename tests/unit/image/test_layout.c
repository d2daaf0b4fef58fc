/* SPDX-License-Identifier: MIT */
/* Threads of one program that copy into one layout. */
#include "unit/image/layout.h"
#include <leat/image.h>
#include <pthread.h>

#define COPIES 10
static void *copy(void *user)
{
    int failures = 0;
    for (int i = 0; i < COPIES; i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        char target[64];
        snprintf(target, sizeof(target), "oci:to:%s-%d", (const char *)user, i);
        if (leat_image_copy("oci:from", target, NULL, NULL, &error) < 0) {
            fprintf(stderr, "%s: %s\n", target, error.text);
            failures++;
        }
    }
    return failures ? user : NULL;
}

static void test_threads_keep_all_names(void **state UNUSED)
{
    static char names[][2] = {"a", "b", "c"};
    pthread_t thread[COUNT(names)];
    layout_make();
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, copy, names[i]), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        void *failed;
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    for (size_t i = 0; i < COUNT(names); i++)
        for (int k = 0; k < COPIES; k++) {
            char source[64], *text;
            struct leat_error error = LEAT_INIT(struct leat_error);
            snprintf(source, sizeof(source), "oci:to:%s-%d", names[i], k);
            assert_int_equal(leat_image_inspect(source, NULL, &text, &error), 0);
            leat_free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_keep_all_names)};
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
