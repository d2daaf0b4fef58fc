/* SPDX-License-Identifier: MIT */
/* What the library tells the trace: each category appears where a user wants to see it, no credential does, and a
 * function that calls the library does not hang.
 * labels: fork
 * emscripten: it has no processes */
#include "unit/unit.h"
#include <leat/leat.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/wait.h>

#define KEPT_MAX 200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int32_t category;
    char line[1024];
} kept[KEPT_MAX];
static size_t kept_n;

static void keep(void *unused UNUSED, const struct leat_trace_record *record)
{
    char line[sizeof(kept[0].line)];
    int n = snprintf(line, sizeof(line), "%s", record->sentence);
    for (uint32_t i = 0; i < record->fields && n < (int)sizeof(line); i++) {
        const struct leat_trace_field *f = &record->field[i];
        n += f->text ? snprintf(line + n, sizeof(line) - (size_t)n, " %s=%s", f->name, f->text)
                     : snprintf(line + n, sizeof(line) - (size_t)n, " %s=%llu", f->name, (unsigned long long)f->number);
    }
    pthread_mutex_lock(&lock);
    if (kept_n < KEPT_MAX) {
        kept[kept_n].category = record->category;
        strcpy(kept[kept_n++].line, line);
    }
    pthread_mutex_unlock(&lock);
}

static int begin(void **state)
{
    kept_n = 0;
    return leat_trace_set(keep, NULL) || unit_empty(state);
}

static int end(void **state)
{
    return leat_trace_set(NULL, NULL) || unit_empty(state);
}

/* The line of this category in which both texts stand; NULL: there is none. */
static const char *find(int32_t category, const char *text, const char *other)
{
    for (size_t i = 0; i < kept_n; i++)
        if (kept[i].category == category && strstr(kept[i].line, text) && strstr(kept[i].line, other))
            return kept[i].line;
    return NULL;
}

static void must_have(int32_t category, const char *text, const char *other)
{
    if (find(category, text, other))
        return;
    for (size_t i = 0; i < kept_n; i++)
        print_message("%s: %s\n", leat_trace_name(kept[i].category), kept[i].line);
    fail_msg("no record of %s has \"%s\" and \"%s\"", leat_trace_name(category), text, other);
}

static void a_copy_tells_engine_hop_route_and_sink(void **state UNUSED)
{
    unit_write("a", "some bytes", 10);
    assert_int_equal(leat_copy("a", "b", NULL, NULL, NULL), 0);
    must_have(LEAT_TRACE_ENGINE, "the engine sync runs the pipeline", "source=a");
    must_have(LEAT_TRACE_HOP, "the hop is open", "source=a sink=b");
    must_have(LEAT_TRACE_ROUTE, "moves the bytes", "source=a sink=b from=0");
    must_have(LEAT_TRACE_HOP, "the hop has moved its bytes", "taken=10 delivered=10 held=0");
    must_have(LEAT_TRACE_SINK, "published", "sink=b bytes=10 published=1");
}

static void a_check_tells_nothing(void **state UNUSED)
{
    leat_pipeline *p;
    unit_write("a", "some bytes", 10);
    assert_int_equal(leat_pipeline_parse(&p, "a | b", NULL, NULL), 0);
    assert_int_equal(leat_pipeline_check(p, NULL), 0);
    leat_pipeline_free(p);
    assert_int_equal(kept_n, 0);
}

static void another_engine_says_why_not_the_one_asked_for(void **state UNUSED)
{
    struct leat_pipeline_options pipeline = LEAT_INIT(struct leat_pipeline_options);
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    pipeline.engine = "uring";
    options.pipeline = &pipeline;
    assert_int_equal(leat_copy("null:", "null:", &options, NULL, NULL), 0);
    const char *line = find(LEAT_TRACE_ENGINE, "the engine ", " runs the pipeline");
    assert_non_null(line);
    assert_true(strstr(line, "engine=uring") || strlen(strstr(line, "reason=")) > strlen("reason="));
}

/* A file of procfs says that it is empty, so its end is asked of a read. */
static void a_change_of_route_says_why(void **state UNUSED)
{
    struct leat_pipeline_options pipeline = LEAT_INIT(struct leat_pipeline_options);
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    unit_needs(access("/proc/self/status", R_OK) == 0, "a file of procfs");
    pipeline.route = "prefer:splice";
    options.pipeline = &pipeline;
    int r = leat_copy("/proc/self/status", "b", &options, NULL, NULL);
    unit_needs(r != -EINVAL, "splice, which this build leaves out");
    assert_int_equal(r, 0);
    must_have(LEAT_TRACE_ROUTE, "the route chunk moves the bytes", "sink=b");
    if (find(LEAT_TRACE_ROUTE, "the route splice", ""))
        must_have(LEAT_TRACE_ROUTE, "the route splice", "route=splice");
}

static void a_failure_is_told_with_the_hop(void **state UNUSED)
{
    unit_needs(access("/dev/full", W_OK) == 0, "/dev/full");
    unit_write("a", "some bytes", 10);
    struct leat_endpoint_options sink = LEAT_INIT(struct leat_endpoint_options);
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    sink.write_mode = LEAT_WRITE_IN_PLACE;
    options.sink = &sink;
    assert_int_equal(leat_copy("a", "/dev/full", &options, NULL, NULL), -ENOSPC);
    must_have(LEAT_TRACE_HOP, "the hop has moved its bytes", "delivered=0");
    assert_null(find(LEAT_TRACE_SINK, "", ""));
}

static void a_child_is_told_with_its_end(void **state UNUSED)
{
    assert_int_equal(leat_copy("exec:echo x", "b", NULL, NULL, NULL), 0);
    must_have(LEAT_TRACE_CHILD, "was started", "command=echo x");
    must_have(LEAT_TRACE_CHILD, "exited with status 0", "end=status number=0");
    assert_int_equal(leat_copy("exec:kill -9 $$", "b", NULL, NULL, NULL), -EIO);
    must_have(LEAT_TRACE_CHILD, "was killed by SIGKILL", "end=signal number=9");
}

/* ---- channels ---- */

static void a_crashed_peer_is_told(void **state UNUSED)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    leat_channel *c;
    char byte;
    int fds[LEAT_CHANNEL_FDS], status, r;
    size_t n = LEAT_CHANNEL_FDS;
    o.end = LEAT_CHANNEL_RECEIVER;
    r = leat_channel_open(&c, &o, NULL);
    unit_needs(r != -ENOSYS, "memory for processes to share");
    assert_int_equal(r, 0);
    assert_int_equal(leat_channel_export(c, fds, &n), 0);
    pid_t pid = fork();
    if (pid == 0) {
        leat_channel *sender;
        if (leat_channel_attach(&sender, fds, n) == 0 && leat_channel_send(sender, "x", 1, -1) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(leat_channel_receive(c, &byte, 1, NULL, -1), 0);
    assert_int_equal(leat_channel_receive(c, &byte, 1, NULL, -1), -EOWNERDEAD);
    leat_channel_close(c);
    char text[32];
    snprintf(text, sizeof(text), "pid=%d ", (int)pid);
    must_have(LEAT_TRACE_CHANNEL, "a peer of the channel has crashed", text);
}

/* ---- stores ---- */

/* A server that refuses the first request for the moment, and answers the second. */
static pid_t serve(char *url, size_t size)
{
    static const char *const answers[] = {"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(bind(listener, (struct sockaddr *)&address, n) == 0 && listen(listener, 2) == 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &n), 0);
    snprintf(url, size, "http://me:secret@127.0.0.1:%d/object?sig=secret", ntohs(address.sin_port));
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        for (size_t i = 0; i < COUNT(answers); i++) {
            char bytes[4096];
            int fd = accept(listener, NULL, NULL);
            if (fd < 0 || read(fd, bytes, sizeof(bytes)) <= 0 || write(fd, answers[i], strlen(answers[i])) <= 0)
                _exit(1);
            close(fd);
        }
        _exit(0);
    }
    close(listener);
    return child;
}

static void a_store_is_told_without_credentials(void **state UNUSED)
{
    char url[128];
    setenv("no_proxy", "*", 1);
    pid_t server = serve(url, sizeof(url));
    int r = leat_copy(url, "b", NULL, NULL, NULL);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    unit_needs(r != -ENOSYS && r != -ELIBACC && r != -ENOENT, "stores");
    assert_int_equal(r, 0);
    must_have(LEAT_TRACE_STORE, "GET request", "url=http://127.0.0.1:");
    must_have(LEAT_TRACE_STORE, "GET answer: status 503", "/object status=503");
    must_have(LEAT_TRACE_STORE, "GET request again", "/object delay_ms=");
    must_have(LEAT_TRACE_STORE, "GET answer: status 200", "status=200");
    for (size_t i = 0; i < kept_n; i++)
        assert_null(strstr(kept[i].line, "secret"));
}

/* ---- a function that calls the library ---- */

static void copy_and_keep(void *user, const struct leat_trace_record *record)
{
    leat_report *report = NULL;
    keep(user, record);
    if (record->category != LEAT_TRACE_CHILD && record->category != LEAT_TRACE_STORE)
        assert_int_equal(leat_copy("null:", "null:", NULL, &report, NULL), 0);
    leat_report_free(report);
    assert_int_equal(leat_trace_set(copy_and_keep, user), 0);
}

static void a_function_that_calls_the_library_does_not_hang(void **state UNUSED)
{
    alarm(60);
    unit_write("a", "some bytes", 10);
    assert_int_equal(leat_trace_set(copy_and_keep, NULL), 0);
    assert_int_equal(leat_copy("a", "b", NULL, NULL, NULL), 0);
    assert_int_equal(leat_copy("exec:echo x", "c", NULL, NULL, NULL), 0);
    must_have(LEAT_TRACE_SINK, "published", "sink=b");
    must_have(LEAT_TRACE_CHILD, "exited", "");
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_tells_engine_hop_route_and_sink, begin, end),
        cmocka_unit_test_setup_teardown(a_check_tells_nothing, begin, end),
        cmocka_unit_test_setup_teardown(another_engine_says_why_not_the_one_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(a_change_of_route_says_why, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_is_told_with_the_hop, begin, end),
        cmocka_unit_test_setup_teardown(a_child_is_told_with_its_end, begin, end),
        cmocka_unit_test_setup_teardown(a_crashed_peer_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_store_is_told_without_credentials, begin, end),
        cmocka_unit_test_setup_teardown(a_function_that_calls_the_library_does_not_hang, begin, end),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
