/* SPDX-License-Identifier: MIT */
/* emscripten: it has no signals and no processes
 * labels: limits native glibc
 * The rules of leat/base.h that hold for every part of the library: nothing prints, no signal's action changes, the
 * threads of the library take no signal, each descriptor is close-on-exec, and those of the caller keep their flags. */
#include "leat/leat.h"
#include "unit/endpoint/endpoints.h"
#include "unit/unit.h"
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#define MOST 4096

static int descriptors[MOST], tasks[MOST];
static size_t descriptor_count, task_count;
static struct sigaction actions[65];
static int ends[2], pair[2]; /* the caller's own */
static int flags_of[4];

/* ---- what there is ---- */

static size_t numbers_in(const char *path, int ret[MOST])
{
    size_t n = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (struct dirent *e; (e = readdir(folder)) && n < MOST;)
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(folder))
            ret[n++] = atoi(e->d_name);
    closedir(folder);
    return n;
}

static bool is_in(int number, const int numbers[MOST], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static void look(void)
{
    descriptor_count = numbers_in("/proc/self/fd", descriptors);
    task_count = numbers_in("/proc/self/task", tasks);
    if (!descriptor_count || !task_count) {
        print_message("this system does not show descriptors and threads\n");
        skip();
    }
    for (int number = 1; number <= 64; number++)
        sigaction(number, NULL, &actions[number]);
    const int own[] = {ends[0], ends[1], pair[0], pair[1]};
    for (int i = 0; i < 4; i++)
        flags_of[i] = fcntl(own[i], F_GETFL);
}

static unsigned long long mask_of(int task)
{
    char path[64], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", task);
    FILE *file = fopen(path, "re");
    if (!file)
        return ~0ULL; /* it has ended */
    while (fgets(line, sizeof(line), file))
        sscanf(line, "SigBlk: %llx", &mask);
    fclose(file);
    return mask;
}

/* All but SIGKILL and SIGSTOP, which can't be blocked, and those that the C library keeps to itself. */
static bool takes_no_signal(int task)
{
    static const int kept[] = {SIGKILL, SIGSTOP, 32, 33, 34};
    unsigned long long all = ~0ULL;
    for (size_t i = 0; i < COUNT(kept); i++)
        all &= ~(1ULL << (kept[i] - 1));
    for (int i = 0; i < 2000 && (mask_of(task) & all) != all; i++)
        usleep(1000); /* a thread has the mask of its maker for a moment, in which all is blocked, or is not yet ours */
    return (mask_of(task) & all) == all;
}

static void rules_hold(const char *what)
{
    int now[MOST];
    size_t n = numbers_in("/proc/self/fd", now), seen = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_in(now[i], descriptors, descriptor_count))
            continue;
        seen++;
        int flags = fcntl(now[i], F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC))
            fail_msg("%s: descriptor %d is not close-on-exec", what, now[i]);
    }
    n = numbers_in("/proc/self/task", now);
    for (size_t i = 0; i < n; i++)
        if (!is_in(now[i], tasks, task_count) && !takes_no_signal(now[i]))
            fail_msg("%s: thread %d takes signals: it blocks %llx", what, now[i], mask_of(now[i]));
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != actions[number].sa_handler)
            fail_msg("%s: the action of signal %d is another", what, number);
    }
    const int own[] = {ends[0], ends[1], pair[0], pair[1]};
    for (int i = 0; i < 4; i++)
        assert_int_equal(fcntl(own[i], F_GETFL), flags_of[i]);
    assert_true(seen > 0 || strcmp(what, "the end") == 0);
}

/* ---- what is tried ---- */

static leat_pipeline *started(const char *text, const char *engine)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .engine = engine};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *p;
    if (leat_pipeline_parse(&p, text, &options, &error) < 0)
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(leat_pipeline_start(p), 0);
    return p;
}

static void wait_for(const char *path)
{
    for (int i = 0; i < 30000 && access(path, F_OK) < 0; i++)
        usleep(1000);
    assert_int_equal(access(path, F_OK), 0);
}

static void pipelines(void **state UNUSED)
{
    char own[64];
    unit_write("in", "some bytes", 10);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    snprintf(own, sizeof(own), "fd:%d | meter | fd:%d", ends[0], pair[1]);
    look();
    leat_pipeline *p[] = {
        started("exec:'touch first; exec sleep 60' | digest:sha256,md5 | exec:cat | gzip | out", NULL),
        started("exec:'touch second; exec sleep 60' | digest:sha256 | out2 & null:", "uring"),
        started("in | fifo", NULL),
        started("unix-listen:here | null:", NULL),
        started(own, NULL),
    };
    wait_for("first");
    wait_for("second");
    wait_for("here");
    rules_hold("pipelines");
    for (size_t i = 0; i < COUNT(p); i++) {
        leat_report *report = NULL;
        leat_pipeline_cancel(p[i]);
        assert_int_equal(leat_pipeline_wait(p[i], -1, &report), -ECANCELED);
        leat_report_free(report);
        leat_pipeline_free(p[i]);
    }
    leat_pipeline *fails = started("in | exec:'echo said >&2; exit 3' | out", NULL);
    assert_int_equal(leat_pipeline_wait(fails, -1, NULL), -EIO);
    leat_pipeline_free(fails);
    rules_hold("the end");
}

static void pipes_and_channels(void **state UNUSED)
{
    look();
    leat_writer *writer[2];
    leat_reader *reader[2];
    for (int i = 0; i < 2; i++) {
        struct leat_pipe_options options = {.size = sizeof(options), .backend = i ? LEAT_PIPE_KERNEL : LEAT_PIPE_QUEUE};
        int fd;
        assert_int_equal(leat_pipe_open(&writer[i], &reader[i], &options, NULL), 0);
        assert_int_equal(leat_reader_fd(reader[i], &fd), 0);
        assert_int_equal(leat_writer_write(writer[i], "x", 1, NULL, 0), 0);
    }
    leat_channel *sender = NULL, *receiver = NULL;
    int fds[LEAT_CHANNEL_FDS], poll_fd, r = leat_channel_open(&sender, NULL, NULL);
    size_t n = LEAT_CHANNEL_FDS;
    if (r == 0) {
        assert_int_equal(leat_channel_export(sender, fds, &n), 0);
        assert_int_equal(leat_channel_attach(&receiver, fds, n), 0);
        assert_int_equal(leat_channel_poll_fd(receiver, LEAT_READ, &poll_fd), 0);
        assert_int_equal(leat_channel_send(sender, "x", 1, 0), 0);
    } else {
        assert_int_equal(r, -ENOSYS);
    }
    rules_hold("pipes and channels");
    for (size_t i = 0; r == 0 && i < n; i++)
        close(fds[i]);
    leat_channel_close(sender);
    leat_channel_close(receiver);
    for (int i = 0; i < 2; i++) {
        leat_reader_close(reader[i]);
        assert_int_equal(leat_writer_write(writer[i], "x", 1, NULL, 0), -EPIPE);
        leat_writer_close(writer[i]);
    }
    rules_hold("the end");
}

static int takes(leat_work *work UNUSED, void *item UNUSED, void *user UNUSED)
{
    return 0;
}

static void stages_engines_and_connections(void **state UNUSED)
{
    static struct leat_features features = {.size = sizeof(features)};
    struct leat_engine_options options = {.size = sizeof(options), .threads = 2, .engine = "uring"};
    struct leat_stage stage = {.size = sizeof(stage), .name = "takes", .function = takes, .workers = 2};
    leat_engine *engine;
    leat_stages *stages;
    leat_connection *connection;
    int item;
    look();
    assert_int_equal(leat_engine_new(&engine, &options, NULL), 0);
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_put(stages, &item, -1), 0);
    assert_int_equal(leat_connection_from_fd(&connection, pair[0], LEAT_BORROW, NULL, NULL), 0);
    assert_int_equal(leat_connection_write(connection, "x", 1, NULL), 0);
    assert_int_equal(leat_features_probe(&features), 0);
    leat_endpoint *held = opened("in", LEAT_WRITE, 0);
    rules_hold("stages, engines and connections");
    leat_endpoint_close(held);
    leat_connection_close(connection);
    assert_int_equal(leat_stages_stop(stages, LEAT_STOP_ABORT, -1, NULL), 0);
    leat_stages_free(stages);
    leat_engine_free(engine);
    rules_hold("the end");
}

/* ---- nothing is printed ---- */

static int saved[2], printed = -1;

static int begin(void **state UNUSED)
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    unit_socketpair(pair);
    fflush(NULL);
    printed = open("printed", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);
    for (int i = 0; i < 2; i++) {
        saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
        dup2(printed, i + 1);
    }
    return 0;
}

static int end(void **state)
{
    fflush(NULL);
    char text[200] = "";
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
        close(ends[i]);
        close(pair[i]);
    }
    ssize_t n = pread(printed, text, sizeof(text) - 1, 0);
    close(printed);
    if (n > 0)
        print_message("it has printed: %s\n", text);
    return n > 0 ? -1 : unit_empty(state);
}

/* A sanitizer has a thread of its own from the first of ours on. */
static void *nothing(void *user)
{
    return user;
}

static int first_thread(void **state)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? unit_folder(state)
                                                                                                : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pipelines, begin, end),
        cmocka_unit_test_setup_teardown(pipes_and_channels, begin, end),
        cmocka_unit_test_setup_teardown(stages_engines_and_connections, begin, end),
    };
    return cmocka_run_group_tests(tests, first_thread, unit_folder_gone);
}
