/* SPDX-License-Identifier: MIT */
/* Runs a pipeline in an event loop: progress_loop SOURCE SINK RATE SECONDS copies at RATE bytes per second, prints its
 * progress, and cancels after SECONDS. The exit code is 0: done, 1: failed, 4: the deadline passed first. */
#include <errno.h>
#include <leat/leat.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int build(leat_pipeline *pipeline, char **argv)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *in, *out;
    int r = leat_endpoint_open(&in, argv[1], LEAT_READ, NULL, &error);
    if (r == 0)
        r = leat_pipeline_source(pipeline, in);
    if (r == 0)
        r = leat_endpoint_open(&out, argv[2], LEAT_WRITE, NULL, &error);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, out, NULL, NULL);
    if (r == 0)
        r = leat_pipeline_start(pipeline);
    if (r < 0)
        fprintf(stderr, "progress_loop: %s\n", error.text[0] ? error.text : strerror(-r));
    return r;
}

/* The descriptor becomes readable when the pipeline has ended. Until then the loop can do other work. */
static int loop(leat_pipeline *pipeline, double deadline)
{
    struct pollfd set = {.events = POLLIN};
    int r = leat_pipeline_fd(pipeline, &set.fd);
    int late = 0;
    while (r == 0) {
        struct leat_progress now = LEAT_INIT(struct leat_progress);
        if (poll(&set, 1, 50) > 0)
            break;
        leat_pipeline_progress(pipeline, &now);
        if (now.has_total && now.total)
            printf("%3.0f%%\n", 100.0 * (double)now.bytes / (double)now.total);
        else
            printf("%llu bytes\n", (unsigned long long)now.bytes);
        if (now.seconds > deadline && !late++)
            leat_pipeline_cancel(pipeline); /* returns at once; the descriptor tells the end */
    }
    return r;
}

static int end(leat_pipeline *pipeline)
{
    leat_report *report = NULL;
    int r = leat_pipeline_wait(pipeline, -1, &report); /* the pipeline has ended, so this does not wait */
    if (r == 0)
        printf("done: %llu bytes\n", (unsigned long long)leat_report_bytes(report));
    else if (r == -ECANCELED)
        printf("cancelled: nothing was published\n");
    else
        fprintf(stderr, "progress_loop: %s\n", report ? leat_report_error(report)->text : strerror(-r));
    leat_report_free(report);
    return r == 0 ? 0 : r == -ECANCELED ? 4 : 1;
}

int main(int argc, char **argv)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline;
    if (argc != 5 || leat_size_parse(argv[3], &options.rate) < 0) {
        fprintf(stderr, "usage: progress_loop SOURCE SINK RATE SECONDS\n");
        return 2;
    }
    if (leat_pipeline_new(&pipeline, &options, NULL) < 0)
        return 1;
    int r = build(pipeline, argv);
    if (r == 0)
        r = loop(pipeline, strtod(argv[4], NULL));
    int code = r == 0 ? end(pipeline) : 1;
    leat_pipeline_free(pipeline); /* if the pipeline still runs, cancels it and waits */
    return code;
}
