/* SPDX-License-Identifier: MIT */
/* Downloads, hashes and saves with two threads: download SPEC TARGET SHA256. One thread reads from SPEC (any spec of
 * leat_endpoint_open: unix:PATH, tcp:HOST:PORT, a file) and writes into a pipe; another thread reads from the pipe and
 * saves the bytes. TARGET is replaced if the digest is the expected one, and otherwise stays as it was. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

static int say(const char *what, int r)
{
    fprintf(stderr, "download: %s: %s\n", what, strerror(-r));
    return 1;
}

static int build(leat_pipeline **ret, const struct leat_pipeline_options *options, leat_endpoint *source,
                 leat_endpoint *sink)
{
    int r = leat_pipeline_new(ret, options, NULL);
    if (r < 0) {
        leat_endpoint_close(source);
        leat_endpoint_close(sink);
        return r;
    }
    r = leat_pipeline_source(*ret, source);
    int s = leat_pipeline_sink(*ret, sink, NULL, NULL);
    return r < 0 ? r : s;
}

/* A failure of the download reaches the saving thread through the pipe, and the other way round. */
static int run(leat_pipeline *download, leat_pipeline *save)
{
    leat_report *report = NULL;
    int r = leat_pipeline_start(download);
    if (r < 0)
        return say("start", r);
    r = leat_pipeline_run(save, &report);
    int d = leat_pipeline_wait(download, -1, NULL);
    const struct leat_error *error = report ? leat_report_error(report) : NULL;
    if (r < 0)
        fprintf(stderr, "download: %s\n", error ? error->text : strerror(-r));
    else if (d < 0)
        say("download", d);
    else
        printf("%llu bytes saved\n", (unsigned long long)leat_report_bytes(report));
    leat_report_free(report);
    return r < 0 || d < 0;
}

int main(int argc, char **argv)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_options piping = LEAT_INIT(struct leat_pipe_options);
    struct leat_pipeline_options saving = LEAT_INIT(struct leat_pipeline_options);
    leat_endpoint *from, *to, *in, *out;
    leat_pipeline *download = NULL, *save = NULL;
    leat_writer *writer;
    leat_reader *reader;
    char expect[200];

    if (argc != 4) {
        fprintf(stderr, "usage: download SPEC TARGET SHA256\n");
        return 2;
    }
    snprintf(expect, sizeof(expect), "sha256:%s", argv[3]);
    saving.expect = expect;
    piping.memory_limit = 4 * 1024 * 1024; /* the download may be so many bytes ahead of the disk */
    if (leat_endpoint_open(&from, argv[1], LEAT_READ, NULL, &error) < 0) {
        fprintf(stderr, "download: %s: %s\n", argv[1], error.text);
        return 1;
    }
    if (leat_endpoint_open(&to, argv[2], LEAT_WRITE, NULL, &error) < 0) {
        fprintf(stderr, "download: %s: %s\n", argv[2], error.text);
        leat_endpoint_close(from);
        return 1;
    }
    int r = leat_pipe_open(&writer, &reader, &piping, NULL);
    if (r < 0)
        return say("pipe", r);
    r = leat_endpoint_from_writer(&in, writer);
    int s = leat_endpoint_from_reader(&out, reader);
    if (r == 0 && s == 0) {
        r = build(&download, NULL, from, in);
        s = build(&save, &saving, out, to);
    }
    int code = r < 0 ? say("pipeline", r) : s < 0 ? say("pipeline", s) : run(download, save);
    leat_pipeline_free(download);
    leat_pipeline_free(save);
    return code;
}
