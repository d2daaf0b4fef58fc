/* SPDX-License-Identifier: MIT */
/* slow-disk ENGINE FILE HELD: two pipelines on one thread of a leat_engine. One reads FILE, of which the disk is slow
 * as long as there is HELD (see fuse.c). Meanwhile bytes go through the other, from pipe to pipe; then HELD is removed.
 * Exits with 77 if the engine is not there, and with 0 if all bytes came. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <leat/leat.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void must(int code, const char *what)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-code));
    _exit(1);
}

static leat_pipeline *start(leat_engine *engine, leat_endpoint *from, leat_endpoint *to)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *p;
    options.shared_engine = engine;
    options.route = "chunk";
    must(leat_pipeline_new(&p, &options, NULL), "pipeline");
    must(leat_pipeline_source(p, from), "source");
    must(leat_pipeline_sink(p, to, NULL, NULL), "sink");
    must(leat_pipeline_start(p), "start");
    return p;
}

/* Ends the process if the bytes do not come in a minute. */
static void move_bytes(int to, int from)
{
    struct pollfd set = {.fd = from, .events = POLLIN};
    char byte;
    for (int i = 0; i < 100; i++)
        if (write(to, "x", 1) != 1 || poll(&set, 1, 60000) != 1 || read(from, &byte, 1) != 1)
            must(-ETIMEDOUT, "the other stream is held up");
}

int main(int argc, char **argv)
{
    struct leat_engine_options options = LEAT_INIT(struct leat_engine_options);
    leat_engine *engine;
    leat_endpoint *from, *to;
    char begun[4200];
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    must(argc == 4 ? 0 : -EINVAL, "arguments");
    snprintf(begun, sizeof(begun), "%s.read", argv[3]);
    options.threads = 1;
    options.engine = argv[1];
    must(leat_engine_new(&engine, &options, NULL), "engine");
    if (strcmp(leat_engine_name(engine), argv[1]) != 0)
        return 77;
    must(leat_endpoint_open(&from, argv[2], LEAT_READ, NULL, NULL), "open");
    must(leat_endpoint_open(&to, "null:", LEAT_WRITE, NULL, NULL), "open");
    leat_pipeline *slow = start(engine, from, to);
    for (int i = 0; access(begun, F_OK) < 0; i++) {
        must(i < 6000 ? 0 : -ETIMEDOUT, "nothing reads the file");
        usleep(10000);
    }
    must(pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ? -errno : 0, "pipe");
    must(leat_endpoint_from_fd(&from, in[0], LEAT_TAKE), "pipe");
    must(leat_endpoint_from_fd(&to, out[1], LEAT_TAKE), "pipe");
    leat_pipeline *quick = start(engine, from, to);
    move_bytes(in[1], out[0]);
    close(in[1]);
    must(leat_pipeline_wait(quick, 60000, NULL), "the other stream");
    must(unlink(argv[3]) < 0 ? -errno : 0, "unlink");
    must(leat_pipeline_wait(slow, 60000, NULL), "the slow stream");
    leat_pipeline_free(slow);
    leat_pipeline_free(quick);
    leat_engine_free(engine);
    return 0;
}
