/* SPDX-License-Identifier: MIT */
/* emscripten: its files have no second names
 * A file system where a name has at most 143 bytes, as one that encrypts names: every name that it takes can be
 * published, though the hidden one beside it is longer, and no hidden name is cut within a letter. */
#include "unit/endpoint/endpoints.h"
#include <sys/syscall.h>

#define NAME_LIMIT 143

static bool unnamed_files; /* it has files without a name */
static unsigned too_long;  /* names that it has refused */
static bool torn;

/* ---- the file system: these take the places of the calls that give names ---- */

static bool takes(const char *path)
{
    size_t n = strlen(path);
    if (n > NAME_LIMIT && !strchr(path, '/')) {
        too_long++;
        errno = ENAMETOOLONG;
        return false;
    }
    const char *end = strstr(path, ".leat-");
    if (end && strstr(path, "\xE2") && (end - path - 1) % 3 != 0) /* it is made of letters of three bytes */
        torn = true;
    return true;
}

int openat(int fd, const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    if ((flags & O_TMPFILE) == O_TMPFILE && !unnamed_files) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return takes(path) ? (int)syscall(SYS_openat, fd, path, flags, mode) : -1;
}

int linkat(int from, const char *old, int to, const char *path, int flags)
{
    return takes(path) ? (int)syscall(SYS_linkat, from, old, to, path, flags) : -1;
}

long fpathconf(int fd UNUSED, int name)
{
    return name == _PC_NAME_MAX ? NAME_LIMIT : -1;
}

/* ---- publishing ---- */

static void publishes(const char *name, const char *text)
{
    leat_endpoint *e = opened(name, LEAT_WRITE, LEAT_WRITE_PUBLISH);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, text);
    assert_int_equal(node_finish(e, strlen(text), NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    unit_holds(name, text);
    assert_int_equal(unit_entries(), 1);
}

static void all_names_are_published(void **state UNUSED)
{
    char plain[NAME_LIMIT + 1] = "", letters[NAME_LIMIT + 1] = "";
    memset(plain, 'n', NAME_LIMIT);
    while (strlen(letters) + 3 <= NAME_LIMIT)
        strcat(letters, "\xE2\x82\xAC");
    const char *const names[] = {"n", plain, letters};
    for (int way = 0; way < 2; way++)
        for (size_t i = 0; i < COUNT(names); i++) {
            unnamed_files = way;
            too_long = 0;
            publishes(names[i], "new");
            publishes(names[i], "another");
            assert_true(i == 0 || too_long > 0);
            assert_false(torn);
            assert_int_equal(unlink(names[i]), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_names_are_published)};
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
