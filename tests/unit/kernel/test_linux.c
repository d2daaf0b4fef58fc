/* SPDX-License-Identifier: MIT */
/* The Linux platform: private pipes and their real size, holes, paths that are descriptors, files without a name. */
#include "base/platform.h"
#include "unit/unit.h"
#include <sys/wait.h>

static bool is_close_on_exec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* ---- pipes ---- */

static void pipes_have_the_size_that_is_asked_for(void **state UNUSED)
{
    static const size_t sizes[] = {4096, 8192, 65536, 131072, 1 << 20};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        int fd[2];
        size_t size = 0;
        assert_int_equal(platform.pipe_make(fd, sizes[i], &size), 0);
        assert_true(size > 0 && size <= sizes[i]);
        assert_int_equal(fcntl(fd[0], F_GETPIPE_SZ), size);
        assert_int_equal(platform.pipe_size(fd[1]), size);
        for (int k = 0; k < 2; k++) {
            assert_true(is_close_on_exec(fd[k]));
            assert_true(fcntl(fd[k], F_GETFL) & O_NONBLOCK);
            close(fd[k]);
        }
    }
}

static void what_is_no_pipe_has_no_size(void **state UNUSED)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(platform.pipe_size(fd), 0);
    close(fd);
    assert_int_equal(platform.pipe_size(-1), 0);
}

static size_t pipe_max_size(void)
{
    unsigned long n = 0;
    FILE *f = fopen("/proc/sys/fs/pipe-max-size", "re");
    if (!f || fscanf(f, "%lu", &n) != 1)
        n = 0;
    if (f)
        fclose(f);
    return n;
}

/* In a child without privilege: 0 if all was right, else which step was not. */
static int in_child(int (*check)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(geteuid() == 0 && (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0) ? 77
                                                                                                           : check());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Eight times more than is allowed is refused three times, and then granted. */
static int ask_for_too_much(void)
{
    int fd[2];
    size_t size, most = pipe_max_size();
    if (most == 0)
        return 77;
    if (platform.pipe_make(fd, most * 8, &size) < 0)
        return 1;
    return size == most && (size_t)fcntl(fd[0], F_GETPIPE_SZ) == most ? 0 : 2;
}

/* Past the soft limit of a user's pages each pipe still comes, smaller. */
static int ask_too_often(void)
{
    size_t most = 0, least = SIZE_MAX;
    for (int i = 0; i < 100; i++) {
        int fd[2];
        size_t size = 0;
        if (platform.pipe_make(fd, 1 << 20, &size) < 0)
            return 1;
        if (size < 4096 || size > 1 << 20 || (size_t)fcntl(fd[1], F_GETPIPE_SZ) != size)
            return 2;
        most = MAX(most, size);
        least = MIN(least, size);
    }
    return most < least;
}

static void what_is_refused_is_halved(void **state UNUSED)
{
    int r = in_child(ask_for_too_much);
    if (r == 77)
        skip();
    assert_int_equal(r, 0);
}

static void past_the_soft_limit_pipes_are_small(void **state UNUSED)
{
    int r = in_child(ask_too_often);
    if (r == 77)
        skip();
    assert_int_equal(r, 0);
}

/* ---- files ---- */

#define BLOCK 65536

static void finds_data_between_holes(void **state UNUSED)
{
    uint64_t from = 1, to = 1;
    char bytes[BLOCK];
    int fd = open("sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    memset(bytes, 'x', BLOCK);
    assert_int_equal(pwrite(fd, bytes, BLOCK, 2 * BLOCK), BLOCK);
    assert_int_equal(ftruncate(fd, 6 * BLOCK), 0);
    assert_int_equal(platform.find_data(fd, 0, &from, &to), 0);
    if (from == 0) {
        close(fd);
        print_message("this file system has no holes\n");
        skip();
    }
    assert_true(from == 2 * BLOCK && to == 3 * BLOCK);
    assert_int_equal(platform.find_data(fd, 2 * BLOCK + 5, &from, &to), 0);
    assert_true(from == 2 * BLOCK + 5 && to == 3 * BLOCK);
    from = to = 77;
    assert_int_equal(platform.find_data(fd, 3 * BLOCK, &from, &to), -ENXIO);
    assert_int_equal(platform.find_data(fd, 6 * BLOCK, &from, &to), -ENXIO);
    assert_int_equal(platform.find_data(fd, 100 * BLOCK, &from, &to), -ENXIO);
    assert_true(from == 77 && to == 77);
    /* Data up to the end ends with the file. */
    assert_int_equal(pwrite(fd, bytes, BLOCK, 5 * BLOCK), BLOCK);
    assert_int_equal(platform.find_data(fd, 4 * BLOCK, &from, &to), 0);
    assert_true(from == 5 * BLOCK && to == 6 * BLOCK);
    close(fd);
}

static void what_has_no_position_has_no_holes(void **state UNUSED)
{
    uint64_t from, to;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(platform.find_data(fd[0], 0, &from, &to), -ESPIPE);
    close(fd[0]);
    close(fd[1]);
    assert_int_equal(platform.find_data(-1, 0, &from, &to), -EBADF);
}

static void a_file_without_a_name_gets_one(void **state UNUSED)
{
    int fd = platform.open_unnamed(AT_FDCWD, ".", 0640);
    if (fd == -EOPNOTSUPP || fd == -EISDIR) {
        print_message("this file system has no files without a name\n");
        skip();
    }
    assert_true(fd >= 0);
    assert_true(is_close_on_exec(fd));
    assert_int_equal(unit_entries(), 0);
    assert_int_equal(write(fd, "text", 4), 4);
    struct op op = {.kind = OP_LINK, .fd = {-1, fd}, .path = {NULL, "named"}};
    assert_int_equal(op_execute(&op), 0);
    assert_int_equal(op_execute(&op), -EEXIST);
    close(fd);
    unit_holds("named", "text");
}

static void a_folder_without_files_gives_none(void **state UNUSED)
{
    assert_true(platform.open_unnamed(AT_FDCWD, "/proc", 0600) < 0);
    assert_int_equal(platform.open_unnamed(AT_FDCWD, "missing", 0600), -ENOENT);
    unit_write("file", "", 0);
    assert_int_equal(platform.open_unnamed(AT_FDCWD, "file", 0600), -ENOTDIR);
}

static void a_second_descriptor_has_its_own_position(void **state UNUSED)
{
    char byte;
    unit_write("file", "0123", 4);
    int fd = open("file", O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
    int again = platform.reopen(fd, O_RDONLY);
    assert_true(again >= 0 && again != fd);
    assert_true(is_close_on_exec(again));
    assert_int_equal(read(again, &byte, 1), 1);
    assert_int_equal(byte, '0');
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(again);
    close(fd);
    assert_true(platform.reopen(fd, O_RDONLY) < 0);
}

static void o_direct_is_seen(void **state UNUSED)
{
    unit_write("file", "", 0);
    int plain = open("file", O_RDONLY | O_CLOEXEC), direct = open("file", O_RDONLY | O_DIRECT | O_CLOEXEC);
    assert_false(platform.is_direct(plain));
    if (direct >= 0)
        assert_true(platform.is_direct(direct));
    assert_false(platform.is_direct(-1));
    close(plain);
    close(direct);
}

static void mount_points_are_seen(void **state UNUSED)
{
    assert_int_equal(platform.path_flags("/proc"), PATH_MOUNTED);
    assert_int_equal(platform.path_flags("."), 0);
    assert_int_equal(platform.path_flags("missing"), 0);
}

static void file_systems_have_names(void **state UNUSED)
{
    struct platform_file_system system = {.network = true};
    assert_int_equal(platform.file_system("/proc", &system), 0);
    assert_string_equal(system.name, "proc");
    assert_true(system.is_fixed && !system.network);
    system = (struct platform_file_system){.name = "other", .network = true};
    assert_int_equal(platform.file_system("missing", &system), -ENOENT);
    assert_true(!system.name && !system.network && !system.is_fixed);
}

/* ---- names ---- */

static void paths_that_are_descriptors(void **state UNUSED)
{
    static const struct {
        const char *path;
        int fd;
    } known[] = {
        {"/dev/stdin", 0},
        {"/dev/stdout", 1},
        {"/dev/stderr", 2},
        {"/dev/fd/0", 0},
        {"/dev/fd/17", 17},
        {"/proc/self/fd/3", 3},
        {"/proc/thread-self/fd/3", 3},
        {"/dev/fd/2147483647", 2147483647},
        {"/dev/fd/2147483648", -1},
        {"/dev/fd/99999999999999999999", -1},
        {"/dev/fd/", -1},
        {"/dev/fd/x", -1},
        {"/dev/fd/3x", -1},
        {"/dev/fd/3/", -1},
        {"/dev/fd/-1", -1},
        {"/dev/fd/+1", -1},
        {"/dev/fd/ 1", -1},
        {"/dev/stdin2", -1},
        {"dev/fd/3", -1},
        {"/dev/fdx/3", -1},
        {"/dev/null", -1},
        {"", -1},
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (platform.path_to_fd(known[i].path) != known[i].fd)
            fail_msg("%s: %d", known[i].path, platform.path_to_fd(known[i].path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_have_the_size_that_is_asked_for),
        cmocka_unit_test(what_is_no_pipe_has_no_size),
        cmocka_unit_test(what_is_refused_is_halved),
        cmocka_unit_test(past_the_soft_limit_pipes_are_small),
        cmocka_unit_test_teardown(finds_data_between_holes, unit_empty),
        cmocka_unit_test(what_has_no_position_has_no_holes),
        cmocka_unit_test_teardown(a_file_without_a_name_gets_one, unit_empty),
        cmocka_unit_test_teardown(a_folder_without_files_gives_none, unit_empty),
        cmocka_unit_test_teardown(a_second_descriptor_has_its_own_position, unit_empty),
        cmocka_unit_test_teardown(o_direct_is_seen, unit_empty),
        cmocka_unit_test(mount_points_are_seen),
        cmocka_unit_test(file_systems_have_names),
        cmocka_unit_test(paths_that_are_descriptors),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
