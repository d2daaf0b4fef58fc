/* SPDX-License-Identifier: MIT */
/* Programs that are asked for credentials, and hang: they are killed after their time, which passes at once. This
 * thread has a clock of its own, which moves when it waits on a condition; the other threads have the real one.
 * labels: fork wide */
#include "store/oci/login.h"
#include "store/s3/credentials.h"
#include "store/s3/profile.h"
#include "unit/unit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#define HANGS "#!/bin/sh\necho $$ >started.new && mv started.new started && exec sleep 600\n"

static _Thread_local bool has_own_clock;
static _Thread_local int64_t now_ns = 1000000000;
static atomic_bool stop, stops;

static void to_timespec(struct timespec *ret, int64_t ns)
{
    *ret = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (!has_own_clock)
        return (int)syscall(SYS_clock_gettime, clock, ret);
    to_timespec(ret, now_ns);
    return 0;
}

static void sleep_a_moment(void)
{
    syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* The program is to have started before its time passes. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
    int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!has_own_clock) {
        void *address = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
        memcpy(&real, &address, sizeof(address));
        return real(cond, lock, until);
    }
    pthread_mutex_unlock(lock);
    while (access("started", F_OK) < 0)
        sleep_a_moment();
    pthread_mutex_lock(lock);
    now_ns = until->tv_sec * INT64_C(1000000000) + until->tv_nsec;
    atomic_store(&stop, atomic_load(&stops));
    return ETIMEDOUT;
}

static void begin(void)
{
    unlink("started");
    has_own_clock = true;
    now_ns = 1000000000;
}

/* Also if nobody has waited for it yet. */
static bool has_ended(int pid)
{
    char path[40], state = 'Z';
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return kill(pid, 0) < 0;
    int n = fscanf(file, "%*d (%*[^)]) %c", &state);
    fclose(file);
    return n != 1 || state == 'Z' || state == 'X';
}

/* The time has passed, and the program is gone. */
static void check(int64_t ms)
{
    char text[20] = "";
    int fd = open("started", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    has_own_clock = false;
    assert_int_equal((now_ns - 1000000000) / 1000000, ms);
    assert_true(has_ended(atoi(text)));
}

static void a_helper_of_registries_has_30_seconds(void **state UNUSED)
{
    struct login login = {0};
    begin();
    assert_int_equal(login_ask_helper(&login, "hangs", "host"), -ETIMEDOUT);
    check(30000);
    assert_true(!login.user && !login.password);
}

static int ask_process(char said[SAID_MAX])
{
    struct profile *profile = calloc(1, sizeof(*profile));
    struct credentials credentials = {.key = ""};
    snprintf(profile->process, sizeof(profile->process), "docker-credential-hangs");
    int r = credentials_of_process.ask(profile, &credentials, said, &stop);
    assert_string_equal(credentials.key, "");
    free(profile);
    return r;
}

static void a_credential_process_has_60_seconds(void **state UNUSED)
{
    char said[SAID_MAX];
    begin();
    assert_int_equal(ask_process(said), -ETIMEDOUT);
    check(60000);
    assert_string_equal(said, "the program did not end");
}

/* Whoever asks is to stop: the next step of the wait sees that. */
static void a_stop_does_not_wait(void **state UNUSED)
{
    char said[SAID_MAX];
    begin();
    atomic_store(&stops, true);
    assert_int_equal(ask_process(said), -ETIMEDOUT);
    atomic_store(&stops, false);
    assert_true(now_ns < INT64_C(2000000000));
    check((now_ns - 1000000000) / 1000000);
}

static int make_helper(void **state)
{
    char path[4200];
    int r = unit_folder(state);
    size_t n = r == 0 && getcwd(path, 4096) ? strlen(path) : 0;
    unit_write("docker-credential-hangs", HANGS, strlen(HANGS));
    chmod("docker-credential-hangs", 0755);
    snprintf(path + n, sizeof(path) - n, ":%s", "/usr/bin:/bin");
    return r == 0 && n ? setenv("PATH", path, 1) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_helper_of_registries_has_30_seconds),
        cmocka_unit_test(a_credential_process_has_60_seconds),
        cmocka_unit_test(a_stop_does_not_wait),
    };
    return cmocka_run_group_tests(tests, make_helper, unit_folder_gone);
}
