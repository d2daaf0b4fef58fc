/* SPDX-License-Identifier: MIT */
/* streams MODE COUNT BYTES FOLDER: COUNT pipes, out of which BYTES come together, into as many files of FOLDER at once.
 *
 *   sync, uring   libleat: pipelines on a shared engine of that name, 4 threads
 *   threads       a thread for each stream, plain read and write of 64 KiB
 *   epoll         one thread, epoll and splice
 *
 * The pipes are filled by a process of its own, which nobody waits for, so that only the moving is counted. The files
 * are removed at the end, by every mode alike. */
#include "tool.h"
#include <fcntl.h>
#include <leat/leat.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

struct stream {
    int in, out;
    char path[256];
    leat_pipeline *pipeline;
    pthread_t thread;
};

static size_t count, bytes;

/* ---- the other side ---- */

static void feed(int *writers)
{
    struct pollfd *set = calloc(count, sizeof(*set));
    size_t *left = calloc(count, sizeof(*left)), open = count;
    char *buffer = tool_buffer(65536);
    for (size_t i = 0; i < count; i++) {
        set[i] = (struct pollfd){.fd = writers[i], .events = POLLOUT};
        left[i] = bytes;
        fcntl(writers[i], F_SETFL, O_NONBLOCK);
    }
    while (open && poll(set, count, -1) > 0)
        for (size_t i = 0; i < count; i++) {
            if (!set[i].revents)
                continue;
            ssize_t n = write(set[i].fd, buffer, left[i] < 65536 ? left[i] : 65536);
            if (n < 0 && errno == EAGAIN)
                continue;
            if (n < 0)
                tool_fail("write");
            left[i] -= (size_t)n;
            if (left[i] == 0) {
                close(set[i].fd);
                set[i].fd = -1;
                open--;
            }
        }
    _exit(0);
}

static void start_feeder(struct stream *streams)
{
    int *writers = calloc(count, sizeof(*writers));
    for (size_t i = 0; i < count; i++) {
        int fd[2];
        if (pipe2(fd, O_CLOEXEC) < 0)
            tool_fail("pipe");
        streams[i].in = fd[0];
        writers[i] = fd[1];
    }
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0)
            feed(writers);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (size_t i = 0; i < count; i++)
        close(writers[i]);
    free(writers);
}

/* ---- the ways ---- */

static void by_leat(struct stream *streams, const char *engine_name)
{
    struct leat_engine_options engine_options = {.size = sizeof(engine_options), .threads = 4, .engine = engine_name};
    leat_engine *engine;
    if (leat_engine_new(&engine, &engine_options, NULL) < 0 || strcmp(leat_engine_name(engine), engine_name) != 0) {
        fprintf(stderr, "the engine %s is not here\n", engine_name);
        exit(1);
    }
    struct leat_pipeline_options options = {.size = sizeof(options), .shared_engine = engine};
    struct leat_endpoint_options in_place = {.size = sizeof(in_place), .write_mode = LEAT_WRITE_IN_PLACE};
    for (size_t i = 0; i < count; i++) {
        leat_endpoint *source, *sink;
        if (leat_pipeline_new(&streams[i].pipeline, &options, NULL) < 0 ||
            leat_endpoint_from_fd(&source, streams[i].in, LEAT_TAKE) < 0 ||
            leat_endpoint_open(&sink, streams[i].path, LEAT_WRITE, &in_place, NULL) < 0)
            tool_fail("leat");
        leat_pipeline_source(streams[i].pipeline, source);
        leat_pipeline_sink(streams[i].pipeline, sink, NULL, NULL);
        if (leat_pipeline_start(streams[i].pipeline) < 0)
            tool_fail("leat");
    }
    for (size_t i = 0; i < count; i++) {
        if (leat_pipeline_wait(streams[i].pipeline, -1, NULL) < 0)
            tool_fail("leat");
        leat_pipeline_free(streams[i].pipeline);
    }
    leat_engine_free(engine);
}

static void open_files(struct stream *streams)
{
    for (size_t i = 0; i < count; i++)
        if ((streams[i].out = open(streams[i].path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
            tool_fail(streams[i].path);
}

static void *copy(void *user)
{
    struct stream *s = user;
    char *buffer = malloc(65536);
    ssize_t n;
    while ((n = read(s->in, buffer, 65536)) > 0)
        if (write(s->out, buffer, (size_t)n) != n)
            tool_fail("write");
    close(s->in);
    close(s->out);
    free(buffer);
    return NULL;
}

static void by_threads(struct stream *streams)
{
    open_files(streams);
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&streams[i].thread, NULL, copy, &streams[i]) != 0)
            tool_fail("thread");
    for (size_t i = 0; i < count; i++)
        pthread_join(streams[i].thread, NULL);
}

static void by_epoll(struct stream *streams)
{
    struct epoll_event events[64];
    size_t open = count;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    open_files(streams);
    for (size_t i = 0; i < count; i++)
        epoll_ctl(epoll, EPOLL_CTL_ADD, streams[i].in,
                  &(struct epoll_event){.events = EPOLLIN, .data.ptr = &streams[i]});
    while (open) {
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            struct stream *s = events[i].data.ptr;
            ssize_t moved = splice(s->in, NULL, s->out, NULL, 1 << 20, SPLICE_F_NONBLOCK);
            if (moved > 0 || (moved < 0 && errno == EAGAIN))
                continue;
            if (moved < 0)
                tool_fail("splice");
            epoll_ctl(epoll, EPOLL_CTL_DEL, s->in, NULL); /* the feeder has it, too */
            close(s->in);
            close(s->out);
            open--;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        tool_usage("streams sync|uring|threads|epoll COUNT BYTES FOLDER");
    count = (size_t)tool_number(argv[2]);
    bytes = (size_t)tool_number(argv[3]) / count; /* of each */
    struct stream *streams = calloc(count, sizeof(*streams));
    for (size_t i = 0; i < count; i++)
        snprintf(streams[i].path, sizeof(streams[i].path), "%s/stream.%zu", argv[4], i);
    start_feeder(streams);
    if (strcmp(argv[1], "threads") == 0)
        by_threads(streams);
    else if (strcmp(argv[1], "epoll") == 0)
        by_epoll(streams);
    else
        by_leat(streams, argv[1]);
    for (size_t i = 0; i < count; i++)
        unlink(streams[i].path);
    free(streams);
    return 0;
}
