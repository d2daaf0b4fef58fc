/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Large files that several workers copy: all bytes are there, and a copy that is cancelled leaves none of it. */
#include "unit/unit.h"
#include <fcntl.h>
#include <leat/leat.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE ((off_t)200 << 20)

static const off_t places[] = {0, (16 << 20) - 4, 16 << 20, 77 << 20, (off_t)(200 << 20) - 4};

static void make_large(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT(places); i++)
        assert_int_equal(pwrite(fd, "mark", 4, places[i]), 4);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    close(fd);
}

static void expect_large(const char *path)
{
    char bytes[4] = "";
    struct stat st = {.st_size = 0};
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, SIZE);
    for (size_t i = 0; i < COUNT(places); i++) {
        assert_int_equal(pread(fd, bytes, 4, places[i]), 4);
        assert_memory_equal(bytes, "mark", 4);
    }
    close(fd);
}

static void several_copy_one(void **state UNUSED)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    char path[32];
    assert_int_equal(mkdir("s", 0700), 0);
    assert_int_equal(mkdir("s/in", 0700), 0);
    make_large("s/one");
    make_large("s/two");
    make_large("s/in/three");
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "s/%d", i);
        unit_write(path, "small", 5);
    }
    for (int jobs = 1; jobs <= 5; jobs++) {
        snprintf(path, sizeof(path), "t%d", jobs);
        options.jobs = jobs;
        assert_int_equal(leat_tree_copy("s", path, &options, &result, NULL), 0);
        assert_true(result.files == 103 && result.bytes == 3 * (uint64_t)SIZE + 500);
        static const char *const names[] = {"one", "two", "in/three"};
        for (size_t i = 0; i < COUNT(names); i++) {
            snprintf(path, sizeof(path), "t%d/%s", jobs, names[i]);
            expect_large(path);
        }
    }
}

static int end_it(void *user UNUSED, const struct leat_tree_result *now UNUSED)
{
    return 1;
}

static void a_cancelled_one_is_not_there(void **state UNUSED)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    options.jobs = 3;
    options.progress = end_it;
    options.progress_ms = 1;
    assert_int_equal(mkdir("s", 0700), 0);
    make_large("s/one");
    int r = leat_tree_copy("s", "t", &options, NULL, NULL);
    assert_true(r == 0 || r == -ECANCELED);
    if (access("t/one", F_OK) == 0)
        expect_large("t/one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_copy_one, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(a_cancelled_one_is_not_there, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
