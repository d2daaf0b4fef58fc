/* SPDX-License-Identifier: MIT */
#include "trees/whole.h"
#include <stdlib.h>
#include <string.h>

struct whole {
    const char *option, *file;
    leat_endpoint *sink; /* NULL: standard output */
    whole_print_fn *print;
    void *user;
    char *text; /* printed, and not read yet */
    size_t length, at;
    bool has_ended; /* nothing more is printed */
    bool is_said;   /* the function that prints has failed, and has said why */
};

void whole_free(struct whole *whole)
{
    if (!whole)
        return;
    leat_endpoint_close(whole->sink);
    free(whole->text);
    free(whole);
}

static int fail(const struct whole *w, const char *text)
{
    cli_warn("--%s: %s: %s", w->option, cli_name(w->file), text);
    return EXIT_FAILED;
}

int whole_open(struct whole **ret, const char *option, const char *file)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct whole *w = calloc(1, sizeof(*w));
    char *spec = malloc(strlen(file) + sizeof("file:"));
    int r = w && spec ? 0 : -ENOMEM;
    if (r == 0) {
        w->option = option;
        w->file = file;
        sprintf(spec, "file:%s", file);
        r = strcmp(file, "-") == 0 ? 0 : leat_endpoint_open(&w->sink, spec, LEAT_WRITE, NULL, &error);
        if (r < 0)
            fail(w, error.text);
    } else
        cli_warn("%s", strerror(ENOMEM));
    free(spec);
    if (r < 0) {
        whole_free(w);
        return EXIT_FAILED;
    }
    *ret = w;
    return 0;
}

/* Prints the next piece into memory. Returns 1, 0 or a negative errno. */
static int fetch(struct whole *w)
{
    free(w->text);
    w->text = NULL;
    w->at = w->length = 0;
    FILE *to = open_memstream(&w->text, &w->length);
    int r = to ? w->print(w->user, to) : -ENOMEM;
    w->is_said = to && r < 0;
    if (to && (fclose(to) != 0 || !w->text) && r >= 0)
        r = -ENOMEM;
    return r;
}

static int read_text(void *user, void *bytes, size_t n, size_t *ret_n)
{
    struct whole *w = user;
    int r = 1;
    while (w->at == w->length && !w->has_ended) {
        r = fetch(w);
        w->has_ended = r <= 0;
    }
    if (r < 0)
        return r;
    size_t length = w->length - w->at < n ? w->length - w->at : n;
    memcpy(bytes, w->text + w->at, length);
    w->at += length;
    *ret_n = length;
    return 0;
}

/* Takes the sink. */
static int run(struct whole *w, struct leat_error *error)
{
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    leat_pipeline *pipeline = NULL;
    leat_endpoint *source, *sink = w->sink;
    leat_report *report = NULL;
    callbacks.read = read_text;
    int r = leat_pipeline_new(&pipeline, NULL, error);
    if (r == 0)
        r = leat_endpoint_from_callbacks(&source, &callbacks, w, error);
    if (r == 0)
        r = leat_pipeline_source(pipeline, source);
    if (r == 0) {
        w->sink = NULL;
        r = leat_pipeline_sink(pipeline, sink, NULL, error);
    }
    if (r == 0)
        r = leat_pipeline_run(pipeline, &report);
    if (r < 0 && report && leat_report_error(report))
        *error = *leat_report_error(report);
    leat_report_free(report);
    leat_pipeline_free(pipeline);
    return r;
}

static int print_all(struct whole *w)
{
    int r = 1;
    while (r > 0)
        r = w->print(w->user, stdout);
    return cli_said("copy", cli_flush(0)) || r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int whole_write(struct whole *w, whole_print_fn *print, void *user)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    w->print = print;
    w->user = user;
    int r = w->sink ? run(w, &error) : print_all(w);
    if (r < 0)
        r = w->is_said ? EXIT_FAILED : fail(w, error.text[0] ? error.text : strerror(-r));
    whole_free(w);
    return r;
}
