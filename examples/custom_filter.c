/* SPDX-License-Identifier: MIT */
/* A custom filter: custom_filter SOURCE TARGET copies a text and replaces each CR LF by LF; a CR without an LF stays.
 * The example shows what a transform has to handle: the bytes come in pieces of any size, so a CR may be the last byte
 * of a piece, and there may be room for a single byte only. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

struct to_unix {
    int cr; /* a CR was taken and not yet given: an LF may follow */
    unsigned long lines;
};

/* The filter may serve one pipeline after the other. Each run begins here. */
static int start(void *user)
{
    struct to_unix *state = user;
    state->cr = 0;
    state->lines = 0;
    return 0;
}

/* Takes a byte only if there is room for its output. If a CR is held back and no LF follows, the CR is given first, and
 * the byte is examined again. */
static int transform(void *user, const void *in, size_t *in_n, void *out, size_t *out_n, enum leat_filter_mode mode)
{
    struct to_unix *state = user;
    const char *from = in;
    char *to = out;
    size_t taken = 0, given = 0;

    while (taken < *in_n && given < *out_n) {
        if (state->cr && from[taken] != '\n') {
            to[given++] = '\r';
            state->cr = 0;
        } else if (from[taken] == '\r') {
            state->cr = 1;
            taken++;
        } else {
            state->lines += from[taken] == '\n';
            state->cr = 0;
            to[given++] = from[taken++];
        }
    }
    /* No LF will follow, or the reader wants everything now. */
    if (taken == *in_n && mode != LEAT_FILTER_MORE && state->cr && given < *out_n) {
        to[given++] = '\r';
        state->cr = 0;
    }
    int done = taken == *in_n && (mode == LEAT_FILTER_MORE || !state->cr);
    *in_n = taken;
    *out_n = given;
    return done ? LEAT_FILTER_DONE : LEAT_FILTER_FULL;
}

static int explain(const struct leat_error *error)
{
    fprintf(stderr, "custom_filter: %s: %s: %s\n", error->node, error->operation, error->text);
    return 1;
}

/* A pipeline takes each endpoint and filter, on failure too. So after an error only the pipeline has to be freed. */
static int build(leat_pipeline *pipeline, struct to_unix *state, char **names)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    leat_endpoint *source, *target;
    leat_filter *filter;

    ops.name = "to_unix";
    ops.start = start;
    ops.transform = transform;
    int r = leat_filter_custom(&filter, &ops, state, NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, filter);
    if (r == 0 && leat_endpoint_open(&source, names[0], LEAT_READ, NULL, &error) < 0)
        return explain(&error);
    if (r == 0)
        r = leat_pipeline_source(pipeline, source);
    if (r == 0 && leat_endpoint_open(&target, names[1], LEAT_WRITE, NULL, &error) < 0)
        return explain(&error);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, target, NULL, NULL);
    if (r < 0)
        fprintf(stderr, "custom_filter: %s\n", strerror(-r));
    return r < 0;
}

static int run(leat_pipeline *pipeline, const struct to_unix *state)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report);

    if (r == 0)
        printf("%lu lines\n", state->lines);
    else if (report)
        explain(leat_report_error(report));
    else
        fprintf(stderr, "custom_filter: %s\n", strerror(-r));
    leat_report_free(report);
    return r < 0;
}

int main(int argc, char **argv)
{
    struct to_unix state = {0};
    leat_pipeline *pipeline;
    if (argc != 3) {
        fprintf(stderr, "usage: custom_filter SOURCE TARGET\n");
        return 2;
    }
    int r = leat_pipeline_new(&pipeline, NULL, NULL);
    if (r < 0) {
        fprintf(stderr, "custom_filter: %s\n", strerror(-r));
        return 1;
    }
    int failed = build(pipeline, &state, argv + 1);
    if (!failed)
        failed = run(pipeline, &state);
    leat_pipeline_free(pipeline);
    return failed;
}
