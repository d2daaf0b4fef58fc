/* SPDX-License-Identifier: MIT */
/* emscripten: its files have no second names, and a descriptor has no second number that shares its position
 * Identity: one thing under many names is the same, and other things are not. */
#include "base/identity.h"
#include "base/platform.h"
#include "unit/unit.h"

static struct identity of(const char *path)
{
    struct identity identity;
    assert_int_equal(identity_of_path(&identity, path), 0);
    return identity;
}

static void is_same(const char *a, const char *b, bool same)
{
    struct identity one = of(a), other = of(b);
    if (identity_is_same(&one, &other) != same)
        fail_msg("'%s' and '%s' should %sbe the same", a, b, same ? "" : "not ");
}

static void every_name_of_a_file_is_that_file(void **state UNUSED)
{
    unit_write("file", "x", 1);
    unit_write("other", "x", 1);
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(link("file", "folder/hard"), 0);
    assert_int_equal(symlink("../file", "folder/soft"), 0);
    is_same("file", "./file", true);
    is_same("file", "folder/..//file", true);
    is_same("file", "folder/hard", true);
    is_same("file", "folder/soft", true);
    is_same("file", "other", false);
    is_same("folder", "./folder/.", true);
    unlink("folder/hard");
    unlink("folder/soft");
}

static void a_name_that_is_not_there_belongs_to_its_directory(void **state UNUSED)
{
    assert_int_equal(mkdir("place", 0755), 0);
    assert_int_equal(symlink("place", "way"), 0);
    is_same("new", "./new", true);
    is_same("place/new", "way/new", true);
    is_same("place/new", "new", false);
    is_same("new", "newer", false);
    struct identity identity;
    assert_int_equal(identity_of_path(&identity, "nowhere/new"), -ENOENT);
    assert_int_equal(symlink("nowhere/new", "dangling"), 0);
    assert_int_equal(identity_of_path(&identity, "dangling"), -ENOENT);
    assert_int_equal(identity_of_path(&identity, ""), -ENOENT);
}

static void devices_are_told_by_their_number(void **state UNUSED)
{
    is_same("/dev/null", "/dev/../dev/null", true);
    is_same("/dev/null", "/dev/zero", false);
}

static void what_has_no_identity_is_nothing_else(void **state UNUSED)
{
    struct identity none = {0}, other = {0};
    assert_false(identity_is_same(&none, &other));
    assert_int_equal(identity_of_fd(&none, -1), -EBADF);
}

/* The two ends of a pipe are one pipe. */
static void descriptors_have_one_too(void **state UNUSED)
{
    struct identity a, b;
    int fd[2], others[2];
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(pipe(others), 0);
    assert_int_equal(identity_of_fd(&a, fd[0]), 0);
    assert_int_equal(identity_of_fd(&b, fd[1]), 0);
    assert_true(identity_is_same(&a, &b));
    assert_int_equal(identity_of_fd(&b, others[0]), 0);
    assert_false(identity_is_same(&a, &b));
    for (int i = 0; i < 2; i++) {
        close(fd[i]);
        close(others[i]);
    }
}

static void one_open_file_has_many_descriptors(void **state UNUSED)
{
    unit_write("open", "x", 1);
    int a = open("open", O_RDONLY | O_CLOEXEC), copy = fcntl(a, F_DUPFD_CLOEXEC, 0);
    int b = open("open", O_RDONLY | O_CLOEXEC), other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(identity_is_same_open_file(a, a), 1);
    assert_int_equal(identity_is_same_open_file(a, other), 0);
    assert_int_equal(identity_is_same_open_file(a, -1), -EBADF);
    int same = identity_is_same_open_file(a, copy), apart = identity_is_same_open_file(a, b);
    assert_true(same == 1 || same == -EOPNOTSUPP);
    assert_true(apart == 0 || apart == -EOPNOTSUPP);
    assert_int_equal(same < 0, apart < 0);
    close(a);
    close(b);
    close(copy);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_name_of_a_file_is_that_file, unit_empty),
        cmocka_unit_test_teardown(a_name_that_is_not_there_belongs_to_its_directory, unit_empty),
        cmocka_unit_test_teardown(devices_are_told_by_their_number, unit_empty),
        cmocka_unit_test_teardown(what_has_no_identity_is_nothing_else, unit_empty),
        cmocka_unit_test_teardown(descriptors_have_one_too, unit_empty),
        cmocka_unit_test_teardown(one_open_file_has_many_descriptors, unit_empty),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
