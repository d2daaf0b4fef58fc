/* SPDX-License-Identifier: MIT */
/* Publishing where files without a name are refused: a hidden name beside the target takes their place. Each case runs
 * in a child to which O_TMPFILE is forbidden. */
#include "base/platform.h"
#include "endpoint/publish.h"
#include "unit/unit.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARGUMENT_LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#else
#define ARGUMENT_LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#endif
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

static bool forbid_unnamed_files(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT_LOW(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TMPFILE_BIT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = COUNT(program), .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* What a child found wrong is the line that it ends with. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                                    \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

static void in_child(int (*check)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(!forbid_unnamed_files() || platform.open_unnamed(AT_FDCWD, ".", 0600) != -EOPNOTSUPP ? 77 : check());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("system calls can't be forbidden here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool holds(const char *path, const char *text)
{
    char bytes[100] = "";
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(bytes, 1, sizeof(bytes) - 1, f) : 0;
    if (f)
        fclose(f);
    return n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static bool write_text(int fd, const char *text)
{
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static struct publish publish_at(const char *path)
{
    struct publish publish = {.fd = -1};
    place_find(&publish.place, path, NULL);
    return publish;
}

static int publish_a_new_one(void)
{
    struct publish publish = publish_at("new");
    const char *operation;
    int fd = publish_open(&publish, 0644);
    CHECK(fd >= 0 && !publish.unnamed && publish.hidden);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(strncmp(publish.hidden, ".new.leat-", 10) == 0 && access(publish.hidden, F_OK) == 0);
    CHECK(access("new", F_OK) < 0);
    CHECK(write_text(fd, "text"));
    CHECK(publish_commit(&publish, true, &operation) == 0);
    CHECK(!publish.hidden);
    publish_close(&publish);
    close(fd);
    CHECK(holds("new", "text"));
    return 0;
}

static int replace_an_old_one(void)
{
    struct publish publish = publish_at("old");
    struct stat st;
    const char *operation;
    CHECK(stat("old", &st) == 0);
    publish.replaces = true;
    identity_of_stat(&publish.old, &st);
    int fd = publish_open(&publish, 0666);
    CHECK(fd >= 0 && write_text(fd, "new"));
    CHECK(stat(publish.hidden, &st) == 0 && (st.st_mode & 0777) == 0600); /* until it has the old one's */
    CHECK(holds("old", "old"));
    CHECK(publish_commit(&publish, false, &operation) == 0);
    publish_close(&publish);
    CHECK(holds("old", "new"));
    close(fd);
    return 0;
}

static int abort_it(void)
{
    struct publish publish = publish_at("new");
    int fd = publish_open(&publish, 0644);
    CHECK(fd >= 0);
    publish_abort(&publish);
    publish_abort(&publish);
    publish_close(&publish);
    close(fd);
    CHECK(unit_entries() == 0);
    return 0;
}

static int refuse_a_folder(void)
{
    struct place place;
    CHECK(place_find(&place, "missing/new", NULL) == -ENOENT);
    CHECK(place.directory == -1 && !place.name);
    place_clear(&place);
    return 0;
}

static int two_at_once(void)
{
    struct publish publish[20];
    const char *operation;
    int fd[COUNT(publish)];
    for (size_t i = 0; i < COUNT(publish); i++) {
        publish[i] = publish_at("new");
        fd[i] = publish_open(&publish[i], 0644);
        CHECK(fd[i] >= 0);
    }
    CHECK(unit_entries() == COUNT(publish));
    for (size_t i = 0; i < COUNT(publish); i++) {
        CHECK(publish_commit(&publish[i], false, &operation) == (i == 0 ? 0 : -EEXIST));
        publish_close(&publish[i]);
        close(fd[i]);
    }
    CHECK(unit_entries() == 1);
    return 0;
}

static void a_new_file_has_a_hidden_name(void **state UNUSED)
{
    in_child(publish_a_new_one);
}

static void an_old_file_is_renamed_over(void **state UNUSED)
{
    unit_write("old", "old", 3);
    assert_int_equal(chmod("old", 0640), 0);
    in_child(replace_an_old_one);
}

static void an_abort_leaves_no_hidden_name(void **state UNUSED)
{
    in_child(abort_it);
}

static void a_missing_folder_is_what_is_said(void **state UNUSED)
{
    in_child(refuse_a_folder);
}

static void hidden_names_differ(void **state UNUSED)
{
    in_child(two_at_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_new_file_has_a_hidden_name, unit_empty),
        cmocka_unit_test_teardown(an_old_file_is_renamed_over, unit_empty),
        cmocka_unit_test_teardown(an_abort_leaves_no_hidden_name, unit_empty),
        cmocka_unit_test_teardown(a_missing_folder_is_what_is_said, unit_empty),
        cmocka_unit_test_teardown(hidden_names_differ, unit_empty),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
