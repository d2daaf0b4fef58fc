/* SPDX-License-Identifier: MIT */
/* emscripten: it has no epoll, and its pipes have no end
 * engines: uring, uring:all
 * timeout: 200
 * Hundreds of pipelines on one shared engine, from pipes to files: some are cancelled, some fail, and the others don't
 * notice. */
#include "unit/flow/pipelines.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define STREAMS 200
#define BYTES   ((size_t)100000)
#define THREADS 4

enum fate {
    FATE_DONE,
    FATE_CANCELLED, /* its writer stops in the middle and never ends */
    FATE_FAILED,    /* its sink takes nothing */
    FATES
};

struct stream {
    leat_pipeline *pipeline;
    size_t written;
    enum fate fate;
    int fd[2];
    bool ended;
    char name[27];
};

static enum fate fate_of(unsigned i)
{
    return i % 10 == 3 ? FATE_CANCELLED : i % 10 == 7 ? FATE_FAILED : FATE_DONE;
}

static char byte_of(unsigned stream, size_t at)
{
    return (char)(stream * 7 + at / 3);
}

static void begin(struct stream *s, unsigned i, leat_engine *engine)
{
    struct leat_pipeline_options options = {
        .size = sizeof(options), .shared_engine = engine, .memory_limit = 65536, .route = i % 2 ? "chunk" : "auto"};
    leat_endpoint *in;
    s->fate = fate_of(i);
    snprintf(s->name, sizeof(s->name), "stream%u", i);
    assert_int_equal(pipe2(s->fd, O_CLOEXEC), 0);
    assert_int_equal(fcntl(s->fd[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(leat_endpoint_from_fd(&in, s->fd[0], LEAT_TAKE), 0);
    s->pipeline = pipeline_of(&options, in, spec(s->fate == FATE_FAILED ? "/dev/full" : s->name, LEAT_WRITE));
    assert_int_equal(leat_pipeline_start(s->pipeline), 0);
}

static void end_writing(struct stream *s)
{
    close(s->fd[1]);
    s->fd[1] = -1;
}

/* Some of its bytes; false: no more are to come. */
static bool feed(struct stream *s, unsigned i)
{
    char bytes[3000];
    size_t most = s->fate == FATE_CANCELLED ? BYTES / 2 : BYTES, n = MIN(sizeof(bytes), most - s->written);
    for (size_t k = 0; k < n; k++)
        bytes[k] = byte_of(i, s->written + k);
    ssize_t r = n ? write(s->fd[1], bytes, n) : 0;
    if (r > 0)
        s->written += (size_t)r;
    if (s->written < most && (r >= 0 || errno == EAGAIN))
        return true;
    if (s->fate == FATE_CANCELLED)
        assert_int_equal(leat_pipeline_cancel(s->pipeline), 0);
    else
        end_writing(s);
    return false;
}

static void *feed_all(void *user)
{
    struct stream *s = user;
    bool more[STREAMS];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE); /* of the pipelines that fail */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    memset(more, 1, sizeof(more));
    for (bool any = true; any;) {
        any = false;
        for (unsigned i = 0; i < STREAMS; i++)
            any |= more[i] && (more[i] = feed(&s[i], i));
    }
    return NULL;
}

static void check_file(unsigned i, const struct stream *s)
{
    static char bytes[BYTES + 1];
    int fd = open(s->name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), BYTES);
    for (size_t k = 0; k < BYTES; k++)
        if (bytes[k] != byte_of(i, k))
            fail_msg("%s: byte %zu", s->name, k);
    close(fd);
}

static void check(unsigned i, struct stream *s)
{
    static const int results[FATES] = {0, -ECANCELED, -ENOSPC};
    leat_report *report = NULL;
    int r = leat_pipeline_wait(s->pipeline, -1, &report);
    assert_non_null(report);
    if (r != results[s->fate])
        fail_msg("%s: %d, not %d", s->name, r, results[s->fate]);
    if (s->fate == FATE_DONE)
        check_file(i, s);
    else
        assert_int_equal(access(s->name, F_OK), -1);
    leat_report_free(report);
    leat_pipeline_free(s->pipeline);
    if (s->fd[1] >= 0)
        end_writing(s);
}

/* As a program with an event loop sees them: each descriptor is readable once. */
static void wait_for_all(struct stream *s)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), fd;
    assert_true(epoll >= 0);
    for (unsigned i = 0; i < STREAMS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        assert_int_equal(leat_pipeline_fd(s[i].pipeline, &fd), 0);
        assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    }
    for (unsigned left = STREAMS; left > 0;) {
        struct epoll_event event;
        int n = epoll_wait(epoll, &event, 1, 60000);
        if (n < 0 && errno == EINTR)
            continue;
        assert_int_equal(n, 1);
        assert_false(s[event.data.u32].ended);
        s[event.data.u32].ended = true;
        assert_int_equal(leat_pipeline_fd(s[event.data.u32].pipeline, &fd), 0);
        assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), 0);
        left--;
    }
    close(epoll);
}

static void many_streams_on_few_threads(void **state UNUSED)
{
    static struct stream s[STREAMS];
    struct leat_engine_options options = {.size = sizeof(options), .threads = THREADS, .engine = engine_wanted()->name};
    leat_engine *engine;
    pthread_t writer;
    int descriptors = unit_descriptors();
    assert_int_equal(leat_engine_new(&engine, &options, NULL), 0);
    assert_string_equal(leat_engine_name(engine), engine_wanted()->name);
    for (unsigned i = 0; i < STREAMS; i++)
        begin(&s[i], i, engine);
    assert_int_equal(pthread_create(&writer, NULL, feed_all, s), 0);
    wait_for_all(s);
    pthread_join(writer, NULL);
    for (unsigned i = 0; i < STREAMS; i++)
        check(i, &s[i]);
    leat_engine_free(engine);
    assert_int_equal(unit_descriptors(), descriptors);
}

/* Pipelines are started, ended and freed all the time, while the threads sleep and wake. */
static void one_after_the_other(void **state UNUSED)
{
    struct leat_engine_options options = {.size = sizeof(options), .threads = 2, .engine = engine_wanted()->name};
    leat_engine *engine;
    assert_int_equal(leat_engine_new(&engine, &options, NULL), 0);
    for (int i = 0; i < 200; i++) {
        struct leat_pipeline_options own = {.size = sizeof(own), .shared_engine = engine};
        char bytes[4] = "";
        size_t n;
        int fd[2];
        leat_endpoint *in;
        assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
        assert_int_equal(leat_endpoint_from_fd(&in, fd[0], LEAT_TAKE), 0);
        leat_pipeline *p = pipeline_of(&own, in, to_bytes(bytes, sizeof(bytes), &n));
        assert_int_equal(leat_pipeline_start(p), 0);
        if (i % 3 == 0)
            assert_int_equal(leat_pipeline_cancel(p), 0);
        else
            assert_int_equal(write(fd[1], "abc", 3), 3);
        if (i % 3 != 2)
            close(fd[1]);
        else
            leat_pipeline_cancel(p);
        int r = leat_pipeline_wait(p, -1, NULL);
        assert_true(r == (i % 3 == 1 ? 0 : -ECANCELED));
        leat_pipeline_free(p);
        if (i % 3 == 2)
            close(fd[1]);
    }
    leat_engine_free(engine);
}

/* Some ask for so many descriptors in a shell that allows few. */
static bool has_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    limit.rlim_cur = MIN(limit.rlim_max, 8 * STREAMS);
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 8 * STREAMS;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(many_streams_on_few_threads, unit_empty),
        cmocka_unit_test_teardown(one_after_the_other, unit_empty),
    };
    if (engine_missing())
        return 77;
    if (!has_descriptors()) {
        printf("not so many descriptors may be open here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
