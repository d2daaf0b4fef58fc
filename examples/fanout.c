/* SPDX-License-Identifier: MIT */
/* Copies one source to several sinks in one pass: fanout SOURCE SINK... If a sink fails, the program names it, and the
 * other sinks go on. The exit code is 1 if a sink failed. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

static int say(const char *what, int r)
{
    fprintf(stderr, "fanout: %s: %s\n", what, strerror(-r));
    return 1;
}

/* If a spec is wrong, the program does not start the copy. */
static int add(leat_pipeline *pipeline, const char *spec, enum leat_direction direction)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_sink_options options = LEAT_INIT(struct leat_sink_options);
    leat_endpoint *endpoint;

    options.slow = LEAT_SLOW_WAIT; /* with LEAT_SLOW_DROP a sink that lags behind misses bytes instead */
    if (leat_endpoint_open(&endpoint, spec, direction, NULL, &error) < 0) {
        fprintf(stderr, "fanout: %s: %s\n", spec, error.text);
        return 1;
    }
    int r = direction == LEAT_READ ? leat_pipeline_source(pipeline, endpoint)
                                   : leat_pipeline_sink(pipeline, endpoint, &options, NULL);
    return r < 0 ? say(spec, r) : 0;
}

static int run(leat_pipeline *pipeline, int sinks, char **sink)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report);
    if (!report)
        return say("run", r);
    for (int i = 0; i < sinks; i++) {
        const struct leat_error *error = leat_report_sink_error(report, (size_t)i);
        if (error)
            printf("%s: %s after %llu bytes: %s\n", sink[i], error->operation, (unsigned long long)error->delivered,
                   error->text);
        else if (r == 0 || leat_report_error(report)->side == LEAT_SIDE_SINK)
            printf("%s: %llu bytes\n", sink[i], (unsigned long long)leat_report_bytes(report));
    }
    /* A failure that is not a sink's ended the run for all sinks. */
    const struct leat_error *first = leat_report_error(report);
    if (first && first->side != LEAT_SIDE_SINK)
        fprintf(stderr, "fanout: %s: %s\n", first->node, first->text);
    leat_report_free(report);
    return r < 0;
}

int main(int argc, char **argv)
{
    leat_pipeline *pipeline;
    if (argc < 3) {
        fprintf(stderr, "usage: fanout SOURCE SINK...\n");
        return 2;
    }
    int r = leat_pipeline_new(&pipeline, NULL, NULL);
    if (r < 0)
        return say("pipeline", r);
    int failed = 0;
    for (int i = 1; i < argc && !failed; i++)
        failed = add(pipeline, argv[i], i == 1 ? LEAT_READ : LEAT_WRITE);
    if (!failed)
        failed = run(pipeline, argc - 2, argv + 2);
    leat_pipeline_free(pipeline);
    return failed;
}
