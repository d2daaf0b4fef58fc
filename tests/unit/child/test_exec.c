/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes
 * labels: long
 * Child processes as source, as sink and in the middle: what they are given, how their end is judged, and that nothing
 * of them is left.
 * engines: uring */
#include "base/platform.h"
#include "route/hop.h"
#include "unit/endpoint/endpoints.h"
#include "unit/flow/pipelines.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BIG (3u * 1024 * 1024 + 7)

static unsigned char big[BIG], got[BIG + 1];
static size_t got_n;
static int descriptors, threads;

/* ---- running ---- */

static leat_filter *exec_of(const char *command)
{
    leat_filter *f;
    assert_int_equal(leat_filter_exec(&f, command), 0);
    return f;
}

static leat_endpoint *to_got(void)
{
    got_n = 0;
    return to_bytes(got, sizeof(got), &got_n);
}

static leat_pipeline *between(const char *source, const char *sink)
{
    return pipeline_of(NULL, spec(source, LEAT_READ), spec(sink, LEAT_WRITE));
}

static leat_pipeline *from_big(leat_endpoint *sink)
{
    return pipeline_of(NULL, from_bytes(big, sizeof(big)), sink);
}

static void through(leat_pipeline *p, const char *command)
{
    assert_int_equal(leat_pipeline_filter(p, exec_of(command)), 0);
}

/* It fails so, on that side, and says that. */
static void fails(leat_pipeline *p, int code, enum leat_side side, const char *words)
{
    leat_report *report;
    int r = leat_pipeline_run(p, &report);
    const struct leat_error *error = leat_report_error(report);
    if (r != code || !error)
        fail_msg("%d, not %d: %s", r, code, error ? error->text : "no error");
    if (error->side != (int)side || !strstr(error->text, words))
        fail_msg("side %d, '%s', operation %s", error->side, error->text, error->operation);
    leat_report_free(report);
    leat_pipeline_free(p);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static pid_t pid_in(const char *path)
{
    char text[32];
    for (int i = 0; i < 5000; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        if (fd >= 0)
            close(fd);
        if (n > 0 && text[n - 1] == '\n')
            return (pid_t)strtol(text, NULL, 10);
        usleep(1000);
    }
    fail_msg("nobody has written %s", path);
    return -1;
}

/* No process, and no zombie. */
static void is_gone(pid_t pid)
{
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static int begin(void **state UNUSED)
{
    descriptors = unit_descriptors();
    threads = unit_threads();
    return 0;
}

static int end(void **state)
{
    for (int i = 0; i < 2000 && unit_threads() != threads; i++)
        usleep(1000);
    return unit_threads() == threads && unit_descriptors() == descriptors ? unit_empty(state) : -1;
}

/* ---- what goes well ---- */

static void a_source(void **state UNUSED)
{
    assert_int_equal(run_and_free(between("exec:printf 'a b'", "out")), 0);
    unit_holds("out", "a b");
    assert_int_equal(run_and_free(between("exec:true", "out")), 0);
    unit_holds("out", "");
    unit_write("in", big, sizeof(big));
    assert_int_equal(run_and_free(pipeline_of(NULL, spec("exec:cat in", LEAT_READ), to_got())), 0);
    assert_int_equal(got_n, sizeof(big));
    assert_memory_equal(got, big, sizeof(big));
}

static void its_input_is_empty(void **state UNUSED)
{
    assert_int_equal(run_and_free(pipeline_of(NULL, spec("exec:cat; echo end", LEAT_READ), to_got())), 0);
    assert_memory_equal(got, "end\n", got_n);
}

static void a_sink(void **state UNUSED)
{
    assert_int_equal(run_and_free(from_big(spec("exec:cat >out", LEAT_WRITE))), 0);
    assert_int_equal(run_and_free(between("out", "exec:cmp - out")), 0);
    assert_int_equal(run_and_free(pipeline_of(NULL, spec("exec:cat out", LEAT_READ), to_got())), 0);
    assert_memory_equal(got, big, sizeof(big));
    assert_int_equal(run_and_free(between("null:", "exec:cat >nothing")), 0);
    unit_holds("nothing", "");
}

/* That it has exited, and not only that it was told the end. */
static void a_slow_sink_is_waited_for(void **state UNUSED)
{
    assert_int_equal(run_and_free(between("null:", "exec:cat; sleep 0.2; echo late >out")), 0);
    unit_holds("out", "late\n");
}

static void in_the_middle(void **state UNUSED)
{
    leat_pipeline *p = from_big(to_got());
    through(p, "cat");
    assert_int_equal(leat_pipeline_filter(p, digest_of("xxh3")), 0);
    through(p, "tr a-z a-z | cat");
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(got_n, sizeof(big));
    assert_memory_equal(got, big, sizeof(big));
    p = pipeline_of(NULL, spec("exec:echo hello", LEAT_READ), spec("exec:cat >out", LEAT_WRITE));
    through(p, "tr a-z A-Z");
    assert_int_equal(run_and_free(p), 0);
    unit_holds("out", "HELLO\n");
}

/* From the file on no byte is copied by us. */
static void pages_move(void **state UNUSED)
{
    char *text;
    leat_report *report;
    bool splices = false;
    for (size_t i = 0; registry_routes[i]; i++)
        splices |= registry_routes[i] == &route_splice;
    if (!splices)
        skip();
    unit_write("in", big, sizeof(big));
    leat_pipeline *p = between("in", "exec:cmp - in");
    through(p, "cat");
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_json(report, &text), 0);
    assert_non_null(strstr(text, "\"to\":\"exec:cat\""));
    assert_non_null(strstr(text, "\"route\":\"splice\""));
    assert_null(strstr(text, "\"route\":\"chunk\""));
    free(text);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* It may leave before it has read all, and need not even have an output. */
static void in_the_middle_it_may_leave(void **state UNUSED)
{
    leat_pipeline *p = from_big(to_got());
    through(p, "head -c 5");
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(got_n, 5);
    p = from_big(to_got());
    through(p, "true");
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(got_n, 0);
}

/* Nor is it a failure if what is behind it has enough. */
static void a_part_of_it(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .has_length = 1, .length = 100000};
    const char *const endless[] = {"exec:yes", "exec:trap '' PIPE; while echo y; do :; done 2>/dev/null; exit 1"};
    for (size_t i = 0; i < COUNT(endless); i++) {
        assert_int_equal(run_and_free(pipeline_of(&options, spec(endless[i], LEAT_READ), to_got())), 0);
        assert_int_equal(got_n, 100000);
    }
}

static void a_filter_serves_again(void **state UNUSED)
{
    leat_filter *filter = exec_of("cat; echo said >&2");
    for (int i = 0; i < 3; i++) {
        leat_pipeline *p = from_big(to_got());
        assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(filter)), 0);
        assert_int_equal(run_and_free(p), 0);
        assert_int_equal(got_n, sizeof(big));
    }
    leat_filter_free(filter);
}

/* ---- how it ended ---- */

static void a_source_that_fails(void **state UNUSED)
{
    unit_write("out", "old", 3);
    fails(between("exec:echo new; exit 3", "out"), -EIO, LEAT_SIDE_SOURCE, "'echo new; exit 3' exited with status 3");
    fails(between("exec:printf abc; kill -9 $$", "out"), -EIO, LEAT_SIDE_SOURCE, "was killed by SIGKILL");
    fails(between("exec:no-such-command", "out"), -EIO, LEAT_SIDE_SOURCE, "exited with status 127: ");
    fails(between("exec:no-such-command", "out"), -EIO, LEAT_SIDE_SOURCE, "no-such-command: not found");
    unit_holds("out", "old");
}

/* After all was read, and before: the status is what went wrong, and not the pipe. */
static void a_sink_that_fails(void **state UNUSED)
{
    fails(between("null:", "exec:cat; echo why >&2; exit 4"), -EIO, LEAT_SIDE_SINK, "exited with status 4: why");
    fails(from_big(spec("exec:exit 5", LEAT_WRITE)), -EIO, LEAT_SIDE_SINK, "'exit 5' exited with status 5");
    fails(from_big(spec("exec:head -c 1000 >part; kill -9 $$", LEAT_WRITE)), -EIO, LEAT_SIDE_SINK,
          "was killed by SIGKILL");
    fails(from_big(spec("exec:head -c 1 >part", LEAT_WRITE)), -EPIPE, LEAT_SIDE_SINK,
          "exited with status 0 before it had taken everything");
}

/* One that closes its input and goes on is not waited for for ever. */
static void a_sink_that_closes_its_input(void **state UNUSED)
{
    leat_pipeline *p = from_big(spec("exec:echo $$ >pid; exec sleep 60 0<&-", LEAT_WRITE));
    fails(p, -EPIPE, LEAT_SIDE_SINK, "closed its standard input");
    is_gone(pid_in("pid"));
}

static void one_in_the_middle_that_fails(void **state UNUSED)
{
    static const char *const fail[] = {"cat; exit 6", "head -c 10; exit 6", "exit 6"};
    for (size_t i = 0; i < COUNT(fail); i++) {
        leat_pipeline *p = from_big(spec("out", LEAT_WRITE));
        through(p, "cat");
        through(p, fail[i]);
        through(p, "cat");
        fails(p, -EIO, LEAT_SIDE_FILTER, "exited with status 6");
        assert_false(is_there("out"));
    }
}

/* Who stands in front is the cause: what is behind it only sees an end. */
static void the_first_cause(void **state UNUSED)
{
    leat_pipeline *p = between("exec:printf half; exit 7", "out");
    through(p, "cat; exit 8");
    fails(p, -EIO, LEAT_SIDE_SOURCE, "exited with status 7");
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = "crc32c:00000000"};
    p = pipeline_of(&options, spec("exec:printf half; exit 7", LEAT_READ), spec("out", LEAT_WRITE));
    fails(p, -EIO, LEAT_SIDE_SOURCE, "exited with status 7");
    assert_false(is_there("out"));
}

/* A sink's child never sees an end that is none. */
static void no_end_before_all_is_right(void **state UNUSED)
{
    static const char sink[] = "exec:cat >part; echo >whole";
    fails(between("exec:printf half; sleep 0.1; exit 7", sink), -EIO, LEAT_SIDE_SOURCE, "status 7");
    assert_false(is_there("whole"));
    struct leat_pipeline_options options = {.size = sizeof(options), .expect = "crc32c:00000000"};
    fails(pipeline_of(&options, from_bytes("abc", 3), spec(sink, LEAT_WRITE)), -EBADMSG, LEAT_SIDE_FILTER, "crc32c");
    assert_false(is_there("whole"));
    assert_int_equal(run_and_free(pipeline_of(NULL, from_bytes("abc", 3), spec(sink, LEAT_WRITE))), 0);
    assert_true(is_there("whole"));
}

/* Each sink by itself, as files are. */
static void one_of_several_sinks_that_fails(void **state UNUSED)
{
    leat_pipeline *p = from_big(spec("exec:cat >/dev/null; exit 1", LEAT_WRITE));
    assert_int_equal(leat_pipeline_sink(p, spec("exec:cat >a; sleep 0.1", LEAT_WRITE), NULL, NULL), 0);
    assert_int_equal(leat_pipeline_sink(p, spec("b", LEAT_WRITE), NULL, NULL), 0);
    fails(p, -EIO, LEAT_SIDE_SINK, "exited with status 1");
    assert_int_equal(run_and_free(between("a", "exec:cmp - b")), 0);
}

static void nothing_is_known_where_nobody_may_know(void **state UNUSED)
{
    signal(SIGCHLD, SIG_IGN);
    fails(between("exec:true", "out"), -EIO, LEAT_SIDE_SOURCE, "ignores SIGCHLD");
    signal(SIGCHLD, SIG_DFL);
}

/* ---- what it says ---- */

static void much_is_said(void **state UNUSED)
{
    char *text;
    leat_report *report;
    leat_pipeline *p = between("exec:yes warning | head -c 1M >&2; echo one >&2; echo last >&2; echo data", "out");
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_text(report, &text), 0);
    assert_non_null(strstr(text, " said:\n    warning\n"));
    assert_non_null(strstr(text, "    one\n    last\n"));
    assert_true(strlen(text) < 16000);
    free(text);
    assert_int_equal(leat_report_json(report, &text), 0);
    assert_non_null(strstr(text, "\"stderr\":[{\"node\":\"exec:yes "));
    assert_non_null(strstr(text, "warning\\none\\nlast\"}]"));
    free(text);
    leat_report_free(report);
    leat_pipeline_free(p);
    unit_holds("out", "data\n");
}

static void the_last_lines_are_in_the_error(void **state UNUSED)
{
    fails(between("exec:(echo one; echo two) >&2; exit 1", "out"), -EIO, LEAT_SIDE_SOURCE, "status 1: one|two");
    fails(between("exec:yes 0123456789012345678901234567890123456789 | head -n 9 >&2; echo end >&2; exit 1", "out"),
          -EIO, LEAT_SIDE_SOURCE, "1: 0123456789012345678901234567890123456789|");
    fails(between("exec:head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1", "out"), -EIO, LEAT_SIDE_SOURCE, "1: xxxxx");
    fails(between("exec:printf 'a\\001b\\0c' >&2; exit 1", "out"), -EIO, LEAT_SIDE_SOURCE, "1: a b?c");
}

static void what_the_middle_says(void **state UNUSED)
{
    char *text;
    leat_report *report;
    leat_pipeline *p = from_big(to_got());
    through(p, "cat; echo done well >&2");
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    assert_int_equal(leat_report_json(report, &text), 0);
    assert_non_null(strstr(text, "\"text\":\"done well\""));
    free(text);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* Its exit is what counts, not who else has its standard error. */
static void a_grandchild_is_not_waited_for(void **state UNUSED)
{
    int64_t began = clock_ns();
    assert_int_equal(run_and_free(between("exec:echo $$ >pid; sleep 20 >/dev/null & echo $! >pid; echo x", "out")), 0);
    assert_true(clock_ns() - began < 10 * (int64_t)1000000000);
    assert_int_equal(kill(pid_in("pid"), SIGKILL), 0);
    unit_holds("out", "x\n");
}

/* ---- stopping ---- */

static void is_cancelled(leat_pipeline *p, const char *pid_file)
{
    assert_int_equal(leat_pipeline_start(p), 0);
    pid_t pid = pid_in(pid_file);
    leat_pipeline_cancel(p);
    assert_int_equal(leat_pipeline_wait(p, 20000, NULL), -ECANCELED);
    is_gone(pid);
    leat_pipeline_free(p);
    unit_empty(NULL);
}

static void a_cancel_ends_it(void **state UNUSED)
{
    is_cancelled(from_big(spec("exec:echo $$ >pid; exec sleep 60", LEAT_WRITE)), "pid");
    is_cancelled(between("exec:echo $$ >pid; exec sleep 60", "out"), "pid");
    is_cancelled(between("null:", "exec:cat; echo $$ >pid; exec sleep 60"), "pid"); /* in the wait for its exit */
    is_cancelled(between("exec:exec >&-; echo $$ >pid; exec sleep 60", "out"), "pid");
    leat_pipeline *p = from_big(spec("out", LEAT_WRITE));
    through(p, "echo $$ >pid; exec sleep 60");
    is_cancelled(p, "pid");
    is_cancelled(between("null:", "exec:trap '' TERM; echo $$ >pid; while :; do sleep 0.05; done"), "pid");
}

static void a_failure_elsewhere_ends_it(void **state UNUSED)
{
    leat_pipeline *p = between("exec:echo $$ >pid; exec yes", "exec:exit 2");
    fails(p, -EIO, LEAT_SIDE_SINK, "exited with status 2");
    is_gone(pid_in("pid"));
    assert_int_equal(mkdir("folder", 0700), 0);
    p = between("exec:echo $$ >pid; exec yes", "folder/out");
    rmdir("folder");
    assert_int_equal(run_and_free(p), -ENOENT);
}

/* A process that is not our own child: who adopted it may not have taken its status yet. */
static bool runs(pid_t pid)
{
    char path[64], text[256] = "";
    if (kill(pid, 0) < 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    return n <= 0 || !strstr(text, ") Z ");
}

/* Where processes can't be looked at, a group is signalled and nobody knows when all of it has ended. */
static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < 1000 && !platform.processes && runs(pid); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    return !runs(pid);
}

/* What it has started: a child of its own, one that is deaf, one whose parent has gone. */
static void a_cancel_ends_all_that_it_started(void **state UNUSED)
{
    static const char *const command[] = {
        "sh -c 'echo $$ >pid; exec sleep 60'; true",
        "sh -c 'echo $$ >pid; exec sleep 60' | cat",
        "sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 0.1; done'; true",
        "(sh -c 'echo $$ >pid; exec sleep 60' & ) ; exec sleep 60",
        "env -i sh -c 'sh -c \"echo \\$\\$ >pid; exec sleep 60\"; true'; true",
    };
    /* By its process group, which a child has that is not at a terminal, only what has not been left behind is found.
     */
    int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    size_t commands = platform.processes ? COUNT(command) : terminal < 0 ? 2 : 0;
    if (terminal >= 0)
        close(terminal);
    for (size_t i = 0; i < commands; i++) {
        char text[200];
        snprintf(text, sizeof(text), "exec:%s", command[i]);
        for (int way = 0; way < 2; way++) {
            leat_pipeline *p = way ? from_big(spec("out", LEAT_WRITE)) : between(text, "out");
            if (way)
                through(p, command[i]);
            assert_int_equal(leat_pipeline_start(p), 0);
            pid_t pid = pid_in("pid");
            leat_pipeline_cancel(p);
            assert_int_equal(leat_pipeline_wait(p, 20000, NULL), -ECANCELED);
            if (!is_gone_soon(pid))
                fail_msg("'%s' is still there", command[i]);
            leat_pipeline_free(p);
            unit_empty(NULL);
        }
    }
}

static void a_failure_ends_what_it_left(void **state UNUSED)
{
    if (!platform.processes)
        skip();
    static const char left[] = "sh -c 'echo $$ >pid; exec sleep 60' >/dev/null & until [ -s pid ]; do sleep 0.01; done";
    char text[200];
    snprintf(text, sizeof(text), "exec:%s; exit 3", left);
    fails(between(text, "out"), -EIO, LEAT_SIDE_SOURCE, "exited with status 3");
    assert_false(runs(pid_in("pid")));
    unlink("pid");
    snprintf(text, sizeof(text), "exec:%s; exec yes", left);
    fails(between(text, "exec:exit 2"), -EIO, LEAT_SIDE_SINK, "exited with status 2");
    assert_false(runs(pid_in("pid")));
}

/* gpg-agent and the like: it has a session of its own, and nobody waits for it. */
static void a_daemon_stays(void **state UNUSED)
{
    if (!platform.processes)
        skip();
    fails(between("exec:(setsid sh -c 'echo $$ >pid; exec sleep 60' >/dev/null 2>&1 &); "
                  "until [ -s pid ]; do sleep 0.01; done; exit 3",
                  "out"),
          -EIO, LEAT_SIDE_SOURCE, "exited with status 3");
    pid_t pid = pid_in("pid");
    assert_true(runs(pid));
    kill(pid, SIGKILL);
}

/* It fits into the pipe, so that nothing but the child can tell. */
static void what_it_left_unread_is_not_delivered(void **state UNUSED)
{
    static const struct {
        const char *command;
        uint64_t taken;
    } child[] = {{"exec:true", 0}, {"exec:sleep 0.1", 0}, {"exec:dd bs=100 count=1 of=/dev/null 2>/dev/null", 100}};
    if (!platform.processes)
        skip();
    for (size_t i = 0; i < COUNT(child); i++) {
        leat_report *report;
        leat_pipeline *p = pipeline_of(NULL, from_bytes(big, 1000), spec(child[i].command, LEAT_WRITE));
        assert_int_equal(leat_pipeline_run(p, &report), -EPIPE);
        const struct leat_error *error = leat_report_error(report);
        assert_non_null(strstr(error->text, "exited with status 0 before it had taken everything"));
        assert_int_equal(error->taken, 1000);
        assert_int_equal(error->delivered, child[i].taken);
        assert_int_equal(error->held, 1000 - child[i].taken);
        leat_report_free(report);
        leat_pipeline_free(p);
    }
}

static leat_endpoint *patient(const char *text, enum leat_direction direction, int ms)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .idle_timeout_ms = ms};
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_open(&e, text, direction, &options, NULL), 0);
    return e;
}

/* One that takes nothing, and one that has been told the end and gives nothing. */
static void one_in_the_middle_that_hangs(void **state UNUSED)
{
    static const char *const hang[] = {"exec sleep 60", "cat >/dev/null; exec sleep 60"};
    for (size_t i = 0; i < COUNT(hang); i++) {
        leat_pipeline *p = from_big(patient("out", LEAT_WRITE, 300));
        through(p, hang[i]);
        fails(p, -ETIMEDOUT, LEAT_SIDE_FILTER, "");
        assert_false(is_there("out"));
    }
}

/* Nothing comes out until the end, but it takes what there is. On a busy machine a child may be slower than it wants to
 * be, but not always. */
static void one_in_the_middle_that_collects_is_not_idle(void **state UNUSED)
{
    int r = -ETIMEDOUT;
    for (int i = 0; i < 5 && r == -ETIMEDOUT; i++) {
        leat_pipeline *p = pipeline_of(
            NULL, patient("exec:for i in 1 2 3 4 5 6 7 8 9; do echo b; sleep 0.3; done; echo a", LEAT_READ, 2000),
            spec("out", LEAT_WRITE));
        through(p, "sort | head -n 1");
        r = run_and_free(p);
    }
    assert_int_equal(r, 0);
    unit_holds("out", "a\n");
}

/* Without all that a run does at its end. */
static void an_endpoint_that_is_closed(void **state UNUSED)
{
    leat_endpoint *sink = opened("exec:trap '' TERM; echo $$ >pid; while read x; do :; done", LEAT_WRITE, 0);
    assert_int_equal(node_open(sink, &no_file, NULL), 0);
    pid_t pid = pid_in("pid");
    node_abort(sink, 0);
    node_end(sink);
    is_gone(pid);
    leat_endpoint_close(opened("exec:touch started", LEAT_READ, 0));
    assert_false(is_there("started"));
}

/* ---- what it is given ---- */

static void no_other_descriptors(void **state UNUSED)
{
    if (descriptors < 0)
        skip();
    for (int fd = 3; fd < 256; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    leat_pipeline *p = between("exec:ls /proc/$$/fd; readlink /proc/$$/fd/0", "out");
    assert_int_equal(leat_pipeline_sink(p, spec("exec:cat >all", LEAT_WRITE), NULL, NULL), 0);
    through(p, "cat; ls /proc/$$/fd; true");
    assert_int_equal(run_and_free(p), 0);
    unit_holds("all", "0\n1\n2\n/dev/null\n0\n1\n2\n");
}

static void signals_mean_what_they_do(void **state UNUSED)
{
    sigset_t set, saved;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &saved);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    fails(between("exec:kill -USR1 $$; echo alive", "out"), -EIO, LEAT_SIDE_SOURCE, "was killed by SIGUSR1");
    fails(between("exec:kill -PIPE $$; echo alive", "out"), -EIO, LEAT_SIDE_SOURCE, "was killed by SIGPIPE");
    signal(SIGPIPE, before);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

static void closed_numbers_are_no_trap(void **state UNUSED)
{
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
    close(0);
    leat_pipeline *p = from_big(to_got());
    through(p, "cat; echo said >&2");
    int r = run_and_free(p);
    dup2(saved, 0);
    close(saved);
    assert_int_equal(r, 0);
    assert_int_equal(got_n, sizeof(big));
}

static void other_children_stay(void **state UNUSED)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    assert_int_equal(run_and_free(between("exec:echo x", "exec:cat >out")), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
}

/* ---- many ---- */

static void many_on_one_engine(void **state UNUSED)
{
    enum {
        MANY = 8
    };
    static unsigned char to[MANY][100000];
    leat_pipeline *p[MANY];
    leat_engine *engine;
    size_t n[MANY];
    struct leat_engine_options engine_options = {
        .size = sizeof(engine_options), .threads = 2, .engine = getenv("LEAT_TEST_ENGINE")};
    assert_int_equal(leat_engine_new(&engine, &engine_options, NULL), 0);
    struct leat_pipeline_options options = {.size = sizeof(options), .shared_engine = engine};
    for (size_t i = 0; i < MANY; i++) {
        p[i] =
            pipeline_of(&options, spec("exec:yes | head -c 100000", LEAT_READ), to_bytes(to[i], sizeof(to[i]), &n[i]));
        through(p[i], "cat");
        assert_int_equal(leat_pipeline_sink(p[i], spec("exec:cat >/dev/null", LEAT_WRITE), NULL, NULL), 0);
        assert_int_equal(leat_pipeline_start(p[i]), 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(leat_pipeline_wait(p[i], 60000, NULL), 0);
        assert_int_equal(n[i], sizeof(to[i]));
        leat_pipeline_free(p[i]);
    }
    leat_engine_free(engine);
}

static void an_empty_command(void **state UNUSED)
{
    leat_filter *filter;
    refused("exec:", LEAT_READ, 0, -EINVAL, "names no command");
    refused("exec: \t", LEAT_WRITE, 0, -EINVAL, "names no command");
    assert_int_equal(leat_filter_exec(&filter, " "), -EINVAL);
}

static void *nothing(void *user)
{
    return user;
}

/* A sanitizer has a thread of its own from the first of ours on. */
static int first_thread(void **state)
{
    pthread_t thread;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (unsigned char)(i * 7 + i / 251);
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? unit_folder(state)
                                                                                                : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_source, begin, end),
        cmocka_unit_test_setup_teardown(its_input_is_empty, begin, end),
        cmocka_unit_test_setup_teardown(a_sink, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_sink_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(in_the_middle, begin, end),
        cmocka_unit_test_setup_teardown(pages_move, begin, end),
        cmocka_unit_test_setup_teardown(in_the_middle_it_may_leave, begin, end),
        cmocka_unit_test_setup_teardown(a_part_of_it, begin, end),
        cmocka_unit_test_setup_teardown(a_filter_serves_again, begin, end),
        cmocka_unit_test_setup_teardown(a_source_that_fails, begin, end),
        cmocka_unit_test_setup_teardown(a_sink_that_fails, begin, end),
        cmocka_unit_test_setup_teardown(a_sink_that_closes_its_input, begin, end),
        cmocka_unit_test_setup_teardown(one_in_the_middle_that_fails, begin, end),
        cmocka_unit_test_setup_teardown(the_first_cause, begin, end),
        cmocka_unit_test_setup_teardown(no_end_before_all_is_right, begin, end),
        cmocka_unit_test_setup_teardown(one_of_several_sinks_that_fails, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_known_where_nobody_may_know, begin, end),
        cmocka_unit_test_setup_teardown(much_is_said, begin, end),
        cmocka_unit_test_setup_teardown(the_last_lines_are_in_the_error, begin, end),
        cmocka_unit_test_setup_teardown(what_the_middle_says, begin, end),
        cmocka_unit_test_setup_teardown(a_grandchild_is_not_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(a_cancel_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_elsewhere_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(a_cancel_ends_all_that_it_started, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_ends_what_it_left, begin, end),
        cmocka_unit_test_setup_teardown(a_daemon_stays, begin, end),
        cmocka_unit_test_setup_teardown(what_it_left_unread_is_not_delivered, begin, end),
        cmocka_unit_test_setup_teardown(one_in_the_middle_that_hangs, begin, end),
        cmocka_unit_test_setup_teardown(one_in_the_middle_that_collects_is_not_idle, begin, end),
        cmocka_unit_test_setup_teardown(an_endpoint_that_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(no_other_descriptors, begin, end),
        cmocka_unit_test_setup_teardown(signals_mean_what_they_do, begin, end),
        cmocka_unit_test_setup_teardown(closed_numbers_are_no_trap, begin, end),
        cmocka_unit_test_setup_teardown(other_children_stay, begin, end),
        cmocka_unit_test_setup_teardown(many_on_one_engine, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_command, begin, end),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, first_thread, unit_folder_gone);
}
