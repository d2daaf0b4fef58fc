/* SPDX-License-Identifier: MIT */
/* emscripten: it has no sockets
 * Descriptors that the library makes: above the standard ones, close-on-exec. */
#include "base/fd.h"
#include "base/platform.h"
#include "unit/unit.h"

static void is_ours(int fd)
{
    assert_true(fd > 2);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

/* A program may have closed its standard descriptors: what it prints then goes nowhere, and not into a file of ours. */
static void no_standard_number_is_taken(void **state UNUSED)
{
    int saved[3], fd[2], made[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    size_t size;
    for (int i = 0; i < 3; i++)
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        close(i);
    made[0] = fd_open("/dev/null", O_RDONLY, 0);
    if (fd_pipe(fd) == 0) {
        made[1] = fd[0];
        made[2] = fd[1];
    }
    made[3] = fd_socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd_pipe_of_size(fd, 65536, &size) == 0) {
        made[4] = fd[0];
        made[5] = fd[1];
    }
    if (platform.processes)
        made[6] = platform.processes->open(getpid());
    if (platform.sharing)
        made[7] = platform.sharing->make("leat-test", 4096);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    for (size_t i = 0; i < COUNT(made); i++)
        if (i < 4 || made[i] >= 0)
            is_ours(made[i]);
}

static void an_unnamed_file_leaves_no_name(void **state UNUSED)
{
    struct stat st;
    assert_int_equal(setenv("TMPDIR", ".", 1), 0);
    int fd = fd_unnamed();
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(unit_entries(), 0);
    is_ours(fd);
    assert_int_equal(setenv("TMPDIR", "no/such/folder", 1), 0);
    assert_int_equal(fd_unnamed(), -ENOENT);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unnamed_file_leaves_no_name),
        cmocka_unit_test(no_standard_number_is_taken),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
