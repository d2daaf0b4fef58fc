/* SPDX-License-Identifier: MIT */
/* The probe tells what it tried, leaves nothing behind, and tells a forbidden call from one that works.
 * labels: wide */
#include "unit/kernel/probe.h"
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Every sentence ends in a full stop, which also shows that none was cut. */
static void is_sane(const struct leat_features *features)
{
    assert_true(features->count > 20);
    assert_true(features->count <= LEAT_FEATURES_MAX);
    for (uint32_t i = 0; i < features->count; i++) {
        const struct leat_feature *f = &features->feature[i];
        size_t length = strlen(f->text);
        assert_true(f->code <= 0);
        assert_true(f->group[0] != 0 && f->name[0] != 0);
        assert_true(length > 1 && f->text[length - 1] == '.');
        assert_ptr_equal(find(features, f->name), f);
    }
}

static void tells_each_feature_once(void **state)
{
    (void)state;
    struct leat_features features = run_in(directory);
    is_sane(&features);
    assert_non_null(find(&features, "splice-file-to-pipe"));
    assert_non_null(find(&features, "af_alg-blake2b-512"));
    assert_int_equal(find(&features, "directory")->code, 0);
    assert_non_null(find(&features, "libzstd"));
    assert_non_null(find(&features, "zlib"));
}

static void leaves_nothing_behind(void **state)
{
    (void)state;
    unsigned descriptors = entries("/proc/self/fd");
    sigset_t before, after, pending;
    memset(&before, 0, sizeof(before));
    memset(&after, 0, sizeof(after));
    sigprocmask(SIG_SETMASK, NULL, &before);
    run_in(directory);
    run_in("/proc"); /* takes no files, so that other paths are gone */
    sigprocmask(SIG_SETMASK, NULL, &after);
    sigpending(&pending);
    assert_int_equal(entries("/proc/self/fd"), descriptors);
    assert_int_equal(entries(directory), 0);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_false(sigismember(&pending, SIGPIPE));
}

static void a_directory_without_files_is_no_failure(void **state)
{
    (void)state;
    struct leat_features features = run_in("/proc");
    is_sane(&features);
    static const char *const needs_files[] = {"directory", "o_tmpfile", "linkat-fd",
                                              "reflink",   "o_direct",  "seek_hole"};
    for (size_t i = 0; i < sizeof(needs_files) / sizeof(needs_files[0]); i++)
        assert_true(find(&features, needs_files[i])->code < 0);
}

static void a_bad_directory_is_an_error(void **state)
{
    (void)state;
    struct leat_features features = LEAT_INIT(struct leat_features);
    features.count = 7;
    features.directory = "/proc/self/status";
    assert_int_equal(leat_features_probe(&features), -ENOTDIR);
    features.directory = "/nonexistent";
    assert_int_equal(leat_features_probe(&features), -ENOENT);
    assert_int_equal(features.count, 7);
}

/* One from before there were so many features: nothing is written behind its end. */
static void a_smaller_struct_gets_what_fits(void **state)
{
    (void)state;
    static struct leat_features features;
    memset(&features, 0x5a, sizeof(features));
    features.size = offsetof(struct leat_features, feature[3]);
    features.directory = directory;
    assert_int_equal(leat_features_probe(&features), 0);
    assert_int_equal(features.count, 3);
    assert_string_equal(features.feature[0].name, "splice-file-to-pipe");
    for (size_t i = features.size; i < sizeof(features); i++)
        assert_int_equal(((unsigned char *)&features)[i], 0x5a);
    features.size = sizeof(features.size);
    assert_int_equal(leat_features_probe(&features), -EINVAL);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARGUMENT_LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#else
#define ARGUMENT_LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#endif
#define LOAD(offset)       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define ANSWER(code)       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define UNLESS(value)      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1)
#define FORBID(call, code) UNLESS(call), ANSWER(code)

static bool forbid_the_fast_calls(void)
{
    struct sock_filter program[] = {
        LOAD(offsetof(struct seccomp_data, nr)),
        FORBID(SYS_splice, EPERM),
        FORBID(SYS_tee, EPERM),
        FORBID(SYS_vmsplice, EPERM),
        FORBID(SYS_copy_file_range, EPERM),
        FORBID(SYS_io_uring_setup, EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        LOAD(ARGUMENT_LOW(0)),
        FORBID(AF_ALG, EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof(program) / sizeof(program[0]), .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* The errno that the filter gives to this feature, or 0: it does not touch it. */
static int forbidden(const char *name)
{
    static const struct {
        const char *prefix;
        int code;
    } forbidden_names[] = {
        {"splice-", -EPERM},         {"tee", -EPERM},      {"vmsplice", -EPERM},
        {"copy_file_range", -EPERM}, {"io_uring", -EPERM}, {"af_alg", -EAFNOSUPPORT},
    };
    for (size_t i = 0; i < sizeof(forbidden_names) / sizeof(forbidden_names[0]); i++)
        if (strncmp(name, forbidden_names[i].prefix, strlen(forbidden_names[i].prefix)) == 0)
            return forbidden_names[i].code;
    return 0;
}

/* What the filter forbids is "no" with its errno (or was so before for want of something else, such as a loopback
 * device); all the rest is as without it. */
static bool only_the_forbidden_is_refused(const struct leat_features *baseline)
{
    static struct leat_features features = {.size = sizeof(features), .directory = directory};
    if (!forbid_the_fast_calls() || leat_features_probe(&features) != 0 || features.count != baseline->count)
        return false;
    bool right = true;
    for (uint32_t i = 0; i < features.count; i++) {
        const struct leat_feature *f = &features.feature[i], *before = &baseline->feature[i];
        int code = forbidden(f->name);
        if (f->code == (code < 0 ? code : before->code) || (code < 0 && before->code < 0 && f->code == before->code))
            continue;
        fprintf(stderr, "%s: %s instead of %s: %s\n", f->name, leat_errno_name(f->code), leat_errno_name(code),
                f->text);
        right = false;
    }
    return right && strncmp(find(&features, "seccomp")->text, "filter", 6) == 0;
}

static void a_filter_shows_in_exactly_what_it_forbids(void **state)
{
    (void)state;
    in_child(only_the_forbidden_is_refused);
}

/* The filter lets calls succeed that do nothing: the result of each is 0. */
static bool let_calls_do_nothing(void)
{
    struct sock_filter program[] = {
        LOAD(offsetof(struct seccomp_data, nr)),
        FORBID(SYS_splice, 0),
        FORBID(SYS_tee, 0),
        FORBID(SYS_vmsplice, 0),
        FORBID(SYS_copy_file_range, 0),
        FORBID(SYS_sendfile, 0),
        FORBID(SYS_linkat, 0),
        FORBID(SYS_preadv2, 0),
        UNLESS(SYS_ioctl),
        BPF_JUMP(BPF_JMP | BPF_JA, 3, 0, 0),
        UNLESS(SYS_fcntl),
        BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(ARGUMENT_LOW(1)),
        FORBID((uint32_t)FICLONE, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(ARGUMENT_LOW(1)),
        FORBID(F_SETPIPE_SZ, 0),
        FORBID(F_ADD_SEALS, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = COUNT(program), .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static bool success_without_effect_is_told(const struct leat_features *baseline)
{
    static const char *const without_effect[] = {
        "splice-file-to-pipe",
        "splice-pipe-to-file",
        "splice-pipe-to-pipe",
        "splice-pipe-to-null",
        "splice-unix-to-pipe",
        "splice-pipe-to-unix",
        "splice-tcp-to-pipe",
        "splice-pipe-to-tcp",
        "splice-tty-to-pipe",
        "splice-pipe-to-tty",
        "tee",
        "vmsplice",
        "pipe-1m",
        "linkat-fd",
        "reflink",
        "copy_file_range",
        "sendfile-to-file",
        "sendfile-to-socket",
        "rwf_dontcache",
        "memfd-seals",
    };
    static struct leat_features features = {.size = sizeof(features), .directory = directory};
    bool right = let_calls_do_nothing() && leat_features_probe(&features) == 0;
    for (size_t i = 0; right && i < COUNT(without_effect); i++) {
        int code = find(&features, without_effect[i])->code, before = find(baseline, without_effect[i])->code;
        /* What the machine lacks anyway, such as TCP, may fail before it comes to the call. */
        if (code == -EOPNOTSUPP || (code < 0 && code == before))
            continue;
        fprintf(stderr, "%s: %s\n", without_effect[i], strerror(-code));
        right = false;
    }
    return right;
}

static void a_success_that_did_nothing_is_no_feature(void **state)
{
    (void)state;
    in_child(success_without_effect_is_told);
}

/* SIGXFSZ would end the child. */
static bool a_small_file_limit_is_survived(const struct leat_features *baseline)
{
    (void)baseline;
    static struct leat_features features = {.size = sizeof(features), .directory = directory};
    for (rlim_t bytes = 0; bytes <= 1 << 20; bytes = bytes ? bytes * 16 : 1) {
        struct rlimit limit = {bytes, RLIM_INFINITY};
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || leat_features_probe(&features) != 0)
            return false;
        if (find(&features, "seek_hole")->code != -EFBIG)
            return false;
    }
    return true;
}

static void a_limit_on_file_sizes_raises_no_signal(void **state)
{
    (void)state;
    in_child(a_small_file_limit_is_survived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_each_feature_once),
        cmocka_unit_test(leaves_nothing_behind),
        cmocka_unit_test(a_directory_without_files_is_no_failure),
        cmocka_unit_test(a_bad_directory_is_an_error),
        cmocka_unit_test(a_smaller_struct_gets_what_fits),
        cmocka_unit_test(a_filter_shows_in_exactly_what_it_forbids),
        cmocka_unit_test(a_success_that_did_nothing_is_no_feature),
        cmocka_unit_test(a_limit_on_file_sizes_raises_no_signal),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
