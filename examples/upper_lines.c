/* SPDX-License-Identifier: MIT */
/* Copies the lines of standard input to standard output in capital letters, by several workers: upper_lines WORKERS. It
 * shows on standard error what each stage does: as a table that is redrawn if that is a terminal, else as one line of
 * JSON at the end. */
#include <ctype.h>
#include <errno.h>
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAWN_MS 200

static int raise_letters(leat_work *work, void *item, void *user)
{
    struct leat_record *line = item;
    (void)user;
    for (size_t i = 0; i < line->length; i++)
        line->bytes[i] = (char)toupper((unsigned char)line->bytes[i]);
    return leat_work_emit(work, line, -1);
}

/* Moves the cursor up over the `lines` lines that were drawn before, and draws the table. Returns its number of lines.
 */
static int draw(leat_stages *stages, int lines)
{
    char *table;
    if (leat_stages_explain(stages, LEAT_FORMAT_TEXT, &table) < 0)
        return lines;
    if (lines > 0)
        fprintf(stderr, "\033[%dA\033[J", lines);
    lines = 0;
    for (const char *at = table; (at = strchr(at, '\n')); at++)
        lines++;
    fputs(table, stderr);
    free(table);
    return lines;
}

static int watch(leat_stages *stages, struct leat_error *error)
{
    int r, lines = 0;
    char *json;
    if (isatty(STDERR_FILENO)) {
        while ((r = leat_stages_wait(stages, DRAWN_MS, error)) == -ETIMEDOUT)
            lines = draw(stages, lines);
        draw(stages, lines);
        return r;
    }
    r = leat_stages_wait(stages, -1, error);
    if (leat_stages_explain(stages, LEAT_FORMAT_JSON, &json) == 0) {
        fputs(json, stderr);
        free(json);
    }
    return r;
}

static int through_stages(uint32_t workers, leat_reader *from, leat_writer *to, struct leat_error *error)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    leat_stages *stages;
    options.dispose = stage.dispose = leat_record_dispose;
    stage.name = "upper";
    stage.function = raise_letters;
    stage.workers = workers;
    stage.ordered = 1;
    int r = leat_stages_new(&stages, &options, NULL);
    if (r < 0)
        return r;
    r = leat_stages_add(stages, &stage, NULL);
    if (r == 0)
        r = leat_stages_source(stages, leat_record_next_line, from);
    if (r == 0)
        r = leat_stages_sink(stages, leat_record_emit_line, to);
    if (r == 0)
        r = leat_stages_start(stages);
    if (r == 0)
        r = watch(stages, error);
    leat_stages_free(stages);
    return r;
}

/* Starts a pipeline between a descriptor and an end of a pipe. Takes both. */
static int start(leat_pipeline **ret, leat_endpoint *from, leat_endpoint *to)
{
    int r = leat_pipeline_new(ret, NULL, NULL);
    if (r == 0)
        r = leat_pipeline_source(*ret, from);
    if (r == 0)
        r = leat_pipeline_sink(*ret, to, NULL, NULL);
    return r == 0 ? leat_pipeline_start(*ret) : r;
}

static int run(uint32_t workers, struct leat_error *error)
{
    leat_reader *lines, *last;
    leat_writer *first, *results;
    leat_endpoint *from, *to, *in, *out;
    leat_pipeline *feeding = NULL, *draining = NULL;
    int r;
    if ((r = leat_pipe_open(&first, &lines, NULL, NULL)) < 0 || (r = leat_pipe_open(&results, &last, NULL, NULL)) < 0 ||
        (r = leat_endpoint_open(&from, "-", LEAT_READ, NULL, error)) < 0 ||
        (r = leat_endpoint_open(&to, "-", LEAT_WRITE, NULL, error)) < 0 ||
        (r = leat_endpoint_from_writer(&in, first)) < 0 || (r = leat_endpoint_from_reader(&out, last)) < 0 ||
        (r = start(&feeding, from, in)) < 0 || (r = start(&draining, out, to)) < 0)
        return r; /* the process ends */
    r = through_stages(workers, lines, results, error);
    if (r < 0)
        leat_writer_fail(results, r);
    else
        r = leat_writer_finish(results, -1);
    leat_writer_close(results);
    leat_pipeline_cancel(feeding);
    leat_reader_close(lines);
    int written = leat_pipeline_wait(draining, -1, NULL);
    leat_pipeline_free(feeding);
    leat_pipeline_free(draining);
    return r < 0 ? r : written;
}

int main(int argc, char **argv)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (argc != 2) {
        fprintf(stderr, "usage: upper_lines WORKERS\n");
        return 2;
    }
    int r = run((uint32_t)strtoul(argv[1], NULL, 10), &error);
    if (r < 0)
        fprintf(stderr, "upper_lines: %s\n", error.code ? error.text : strerror(-r));
    return r < 0;
}
