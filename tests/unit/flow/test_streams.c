/* SPDX-License-Identifier: MIT */
/* engines: uring
 * emscripten: it has no epoll, and its pipes have no end
 * timeout: 120
 * Hundreds of streams at once on a shared engine: pipes to files, with one that stops, one that is cancelled and one
 * that fails among them, on at most 8 threads, each end seen through its descriptor in an epoll loop. */
#include "scene.h"
#include <dirent.h>
#include <sys/epoll.h>

#define STREAMS   500
#define BYTES     ((size_t)64 * 1024 + 13)
#define CANCELLED 101 /* its writer never writes; it is cancelled when the others have ended */
#define FAILING   202 /* its sink is full */
#define EMPTY     303 /* its writer closes at once */

struct stream {
    leat_pipeline *pipeline;
    int writer; /* the end that we write to, -1 when it is closed */
    size_t written;
    bool ended;
    int result;
    char path[32];
};

static int threads_of_process(void)
{
    int n = 0;
    DIR *directory = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(directory));)
        n += entry->d_name[0] != '.';
    closedir(directory);
    return n;
}

static void start_stream(struct stream *s, int i, leat_engine *engine)
{
    int fd[2];
    leat_endpoint *endpoint;
    struct leat_pipeline_options options = {
        .size = sizeof(options), .shared_engine = engine, .memory_limit = 128 << 10, .route = i % 2 ? "auto" : "chunk"};
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    *s = (struct stream){.writer = fd[1]};
    snprintf(s->path, sizeof(s->path), "stream%d", i);
    assert_int_equal(leat_pipeline_new(&s->pipeline, &options, NULL), 0);
    assert_int_equal(leat_endpoint_from_fd(&endpoint, fd[0], LEAT_TAKE), 0);
    leat_pipeline_source(s->pipeline, endpoint);
    assert_int_equal(leat_endpoint_open(&endpoint, i == FAILING ? "/dev/full" : s->path, LEAT_WRITE, NULL, NULL), 0);
    leat_pipeline_sink(s->pipeline, endpoint, NULL, NULL);
    assert_int_equal(leat_pipeline_start(s->pipeline), 0);
}

/* As much as its pipe takes now. */
static void feed(struct stream *s, int i, const uint8_t *content)
{
    size_t n = i == EMPTY ? 0 : BYTES;
    if (s->writer < 0 || i == CANCELLED)
        return;
    while (s->written < n) {
        ssize_t w = write(s->writer, content + s->written, n - s->written);
        if (w < 0 && errno == EAGAIN)
            return;
        if (w < 0)
            break; /* the failing one */
        s->written += (size_t)w;
    }
    close(s->writer);
    s->writer = -1;
}

static void take_end(struct stream *s)
{
    leat_report *report = NULL;
    s->result = leat_pipeline_wait(s->pipeline, 0, &report);
    assert_non_null(report);
    s->ended = true;
    leat_report_free(report);
}

static void check_stream(const struct stream *s, int i, const uint8_t *content)
{
    size_t n = 0;
    uint8_t *bytes = get_file(s->path, &n);
    assert_int_equal(s->result, i == CANCELLED ? -ECANCELED : i == FAILING ? -ENOSPC : 0);
    if (s->result < 0)
        assert_null(bytes);
    else {
        assert_int_equal(n, i == EMPTY ? 0 : BYTES);
        assert_int_equal(memcmp(bytes, content, n), 0);
    }
    free(bytes);
    unlink(s->path);
}

static void run_streams(const char *name)
{
    static struct stream streams[STREAMS];
    uint8_t *content = make_content(BYTES);
    struct leat_engine_options options = {.size = sizeof(options), .threads = 4, .engine = name};
    leat_engine *engine;
    int before = open_descriptors(), threads = threads_of_process(), epoll = epoll_create1(EPOLL_CLOEXEC),
        left = STREAMS;
    assert_int_equal(leat_engine_new(&engine, &options, NULL), 0);
    for (int i = 0; i < STREAMS; i++) {
        int fd;
        start_stream(&streams[i], i, engine);
        assert_int_equal(leat_pipeline_fd(streams[i].pipeline, &fd), 0);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.u32 = (uint32_t)i});
    }
    while (left > 0) {
        struct epoll_event events[64];
        assert_true(threads_of_process() - threads <= 8);
        for (int i = 0; i < STREAMS; i++)
            feed(&streams[i], i, content);
        int n = epoll_wait(epoll, events, 64, 1);
        for (int k = 0; k < n; k++) {
            struct stream *s = &streams[events[k].data.u32];
            int fd;
            leat_pipeline_fd(s->pipeline, &fd);
            epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
            take_end(s);
            if (--left == 1) {
                assert_false(streams[CANCELLED].ended);
                leat_pipeline_cancel(streams[CANCELLED].pipeline);
            }
        }
    }
    for (int i = 0; i < STREAMS; i++) {
        leat_pipeline_free(streams[i].pipeline);
        if (streams[i].writer >= 0)
            close(streams[i].writer);
        check_stream(&streams[i], i, content);
    }
    leat_engine_free(engine);
    close(epoll);
    free(content);
    assert_true(threads_of_process() <= threads + 1); /* ThreadSanitizer starts one of its own */
    assert_int_equal(open_descriptors(), before);
}

static void five_hundred_streams(void **state)
{
    (void)state;
    run_streams(getenv("LEAT_TEST_ENGINE"));
}

/* All of them are thrown away while they run. */
static void freeing_ends_them(void **state)
{
    (void)state;
    static struct stream streams[100];
    leat_engine *engine;
    assert_int_equal(leat_engine_new(&engine, NULL, NULL), 0);
    for (int i = 0; i < 100; i++)
        start_stream(&streams[i], i, engine);
    for (int i = 0; i < 100; i++) {
        leat_pipeline_free(streams[i].pipeline);
        close(streams[i].writer);
        assert_int_equal(access(streams[i].path, F_OK), -1);
    }
    leat_engine_free(engine);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* of the writers, which are ours */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_hundred_streams),
        cmocka_unit_test(freeing_ends_them),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
