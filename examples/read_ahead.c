/* SPDX-License-Identifier: MIT */
/* Reads ahead: read_ahead SIZE MEMORY FOLDER TARGET copies its standard input to TARGET through a buffer of SIZE bytes.
 * MEMORY bytes of the buffer are in memory, and the rest is in a file without a name in FOLDER. TARGET is a file, fd:N
 * for a descriptor, or - for standard output. While the copy runs the program prints how full the buffer is. In the end
 * it says how often the buffer was full and empty. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

/* leat_pipeline_run calls it every 100 ms, and once at the end. A result other than 0 would cancel the run. */
static int print_level(void *user, const struct leat_progress *now)
{
    const struct leat_buffer_options *buffer = user;
    fprintf(stderr, "%3.0f%% full, %llu bytes delivered\n", 100.0 * (double)now->buffered / (double)buffer->bytes,
            (unsigned long long)now->bytes);
    return 0;
}

static int build(leat_pipeline *pipeline, const struct leat_buffer_options *buffer, const char *target)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *in, *out;
    leat_filter *filter;
    int r = leat_endpoint_open(&in, "-", LEAT_READ, NULL, &error);
    if (r == 0)
        r = leat_pipeline_source(pipeline, in);
    if (r == 0)
        r = leat_filter_buffer(&filter, buffer, NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, filter);
    if (r == 0)
        r = leat_endpoint_open(&out, target, LEAT_WRITE, NULL, &error);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, out, NULL, NULL);
    if (r < 0)
        fprintf(stderr, "read_ahead: %s\n", error.text[0] ? error.text : strerror(-r));
    return r;
}

/* The report has a line for each buffer; leat_report_json has the same numbers for programs. */
static void print_buffer(const leat_report *report)
{
    char *text;
    if (leat_report_text(report, &text) < 0)
        return;
    const char *line = strstr(text, "buffer of ");
    if (line)
        fprintf(stderr, "%.*s\n", (int)strcspn(line, "\n"), line);
    leat_free(text);
}

static int run(leat_pipeline *pipeline)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report);
    if (report)
        print_buffer(report);
    if (r < 0)
        fprintf(stderr, "read_ahead: %s\n", report ? leat_report_error(report)->text : strerror(-r));
    leat_report_free(report);
    return r;
}

int main(int argc, char **argv)
{
    struct leat_buffer_options buffer = LEAT_INIT(struct leat_buffer_options);
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline;
    if (argc != 5 || leat_size_parse(argv[1], &buffer.bytes) < 0 || leat_size_parse(argv[2], &buffer.memory) < 0) {
        fprintf(stderr, "usage: read_ahead SIZE MEMORY FOLDER TARGET\n");
        return 2;
    }
    buffer.file = argv[3];
    options.progress = print_level;
    options.progress_ms = 100;
    options.user = &buffer;
    int r = leat_pipeline_new(&pipeline, &options, NULL);
    if (r < 0) {
        fprintf(stderr, "read_ahead: %s\n", strerror(-r));
        return 1;
    }
    r = build(pipeline, &buffer, argv[4]);
    if (r == 0)
        r = run(pipeline);
    leat_pipeline_free(pipeline);
    return r < 0;
}
