/* SPDX-License-Identifier: MIT */
/* Design: the pipeline runs on a thread of its own. The calling thread waits for it and meanwhile handles signals and
 * prints progress. A signal handler only cancels the pipeline and notes the signal; the process dies of the signal at
 * the very end, when everything is cleaned up. */
#include "transfer.h"
#include "places.h"
#include "progress.h"
#include "signals.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- messages and results ---- */

static void explain_error(const struct copy_options *o, const struct leat_error *error)
{
    static const char *const sides[] = {"", "source ", "filter ", "sink "};
    const char *advice = options_advice(o, error), *and = advice ? "; " : "";
    advice = advice ? advice : "";
    if (error->side == LEAT_SIDE_NONE || !error->node[0])
        cli_warn("%s%s%s", error->text, and, advice);
    else if (!error->operation[0]) /* the name itself was wrong */
        cli_warn("%s%s: %s%s%s", sides[error->side], cli_name(error->node), error->text, and, advice);
    else if (error->side != LEAT_SIDE_FILTER && (error->offset || error->taken))
        cli_warn("%s%s: %s at byte %llu: %s%s%s", sides[error->side], cli_name(error->node), error->operation,
                 (unsigned long long)error->offset, error->text, and, advice);
    else
        cli_warn("%s%s: %s: %s%s%s", sides[error->side], cli_name(error->node), error->operation, error->text, and,
                 advice);
}

static int print_report(struct copy_options *o, const leat_report *report)
{
    char *text = NULL;
    if (o->report == REPORT_NO)
        return 0;
    int r = o->report == REPORT_JSON ? leat_report_json(report, &text) : leat_report_text(report, &text);
    if (r < 0) {
        cli_warn("no report: %s", strerror(-r));
        return EXIT_FAILED;
    }
    r = places_write_report(o, text);
    free(text);
    return r;
}

int transfer_refuse(struct copy_options *o, const struct leat_error *error, bool told)
{
    leat_report *report;
    if (!told)
        explain_error(o, error);
    if (o->explain == EXPLAIN_NO && leat_report_from_error(&report, error) == 0) {
        print_report(o, report);
        leat_report_free(report);
    }
    return EXIT_FAILED;
}

static const char *sink_name(const leat_pipeline *pipeline, size_t index)
{
    return leat_pipeline_name(pipeline, LEAT_SIDE_SINK, index);
}

/* Prints the digest with the name by which `sha256sum -c` finds the file: without "file:". */
static void print_digest(FILE *to, const leat_report *report, size_t index, const char *name, bool tag)
{
    const char *algorithm, *hex;
    leat_report_digest_at(report, index, &algorithm, &hex);
    cli_print_digest(to, algorithm, hex, strncmp(name, "file:", 5) == 0 ? name + 5 : name, tag);
}

static bool has_digest(const leat_report *report, size_t index)
{
    const char *algorithm, *hex;
    return leat_report_digest_at(report, index, &algorithm, &hex) == 0;
}

/* Prints the digests of the source under its name. A digest between two filters has no name of a file and can't be
 * checked with a list, so it goes to standard error. */
static void print_inner_digests(FILE *to, const leat_pipeline *pipeline, const leat_report *report, bool tag)
{
    for (size_t i = 0; has_digest(report, i); i++)
        if (leat_report_digest_side(report, i) == LEAT_SIDE_SOURCE)
            print_digest(to, report, i, leat_pipeline_name(pipeline, LEAT_SIDE_SOURCE, 0), tag);
        else if (leat_report_digest_side(report, i) == LEAT_SIDE_FILTER) {
            const char *algorithm, *hex;
            leat_report_digest_at(report, i, &algorithm, &hex);
            cli_warn("between the filters: %s %s", algorithm, hex);
        }
}

/* If `to` is NULL, nothing is printed; the report has the digests. */
static void print_digests(FILE *to, const leat_pipeline *pipeline, const leat_report *report)
{
    if (!to)
        return;
    bool tag = has_digest(report, 1);
    print_inner_digests(to, pipeline, report, tag);
    for (size_t k = 0; sink_name(pipeline, k); k++)
        for (size_t i = 0; has_digest(report, i) && !leat_report_sink_error(report, k); i++)
            if (leat_report_digest_side(report, i) == LEAT_SIDE_SINK)
                print_digest(to, report, i, sink_name(pipeline, k), tag);
}

/* Names each sink that failed, then any other failure. */
static void explain_failure(const struct copy_options *o, const leat_pipeline *pipeline, const leat_report *report)
{
    const struct leat_error *first = leat_report_error(report);
    for (size_t i = 0; sink_name(pipeline, i); i++) {
        const struct leat_error *error = leat_report_sink_error(report, i);
        if (error)
            explain_error(o, error);
    }
    if (first && (first->side != LEAT_SIDE_SINK || !leat_report_sink_error(report, first->index)))
        explain_error(o, first);
    if (first && first->held)
        cli_warn("%llu of %llu bytes that were read from the source reached no sink; a file still has them, but if the "
                 "source is a pipe or a socket they are lost: start its writer again as well",
                 (unsigned long long)first->held, (unsigned long long)first->taken);
}

/* ---- running ---- */

/* Handles signals and prints progress until the pipeline's descriptor is readable. */
static int wait_for_it(leat_pipeline *pipeline, int fd, struct progress *progress, int wish, leat_report **ret)
{
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    for (;;) {
        struct pollfd set[] = {{.fd = fd, .events = POLLIN}, {.fd = wish, .events = POLLIN}};
        int ready = poll(set, 2, progress_interval(progress));
        leat_pipeline_progress(pipeline, &now);
        char bytes[64];
        if (ready > 0 && set[1].revents && read(wish, bytes, sizeof(bytes)) > 0)
            progress_line(progress, &now);
        if (ready > 0 && set[0].revents)
            break;
        if (ready == 0)
            progress_update(progress, &now);
    }
    progress_end(progress, &now);
    return leat_pipeline_wait(pipeline, -1, ret);
}

/* Did the reader of standard output leave? Then the command dies of SIGPIPE, as `cat` does. */
static bool reader_left(const leat_pipeline *pipeline, const leat_report *report)
{
    const struct leat_error *error = leat_report_error(report);
    return error && error->code == -EPIPE && error->side == LEAT_SIDE_SINK && !sink_name(pipeline, 1) &&
           places_is_stdout(sink_name(pipeline, 0));
}

/* If standard output is a sink and both streams are terminals, a bar would be drawn over the data. With a trace it
 * would be drawn between the lines of the trace. */
static enum progress_mode progress_mode(const leat_pipeline *pipeline, const struct copy_options *o)
{
    if (o->progress != PROGRESS_AUTO)
        return o->progress;
    if (o->trace != TRACE_NO)
        return PROGRESS_NEVER;
    bool drawn_over = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO) && places_sink_is_stdout(pipeline);
    return drawn_over ? PROGRESS_NEVER : PROGRESS_AUTO;
}

/* A file system or a decoder may fail with -EBADMSG, too; only the operation "verify" means a mismatch. */
static bool is_mismatch(const leat_report *report)
{
    const struct leat_error *error = leat_report_error(report);
    return error && error->code == -EBADMSG && strcmp(error->operation, "verify") == 0;
}

static int run(leat_pipeline *pipeline, struct copy_options *o, bool digests)
{
    if (places_open_report(o) != 0)
        return EXIT_FAILED;
    FILE *to = digests ? places_of_digests(pipeline) : NULL;
    struct progress progress;
    leat_report *report = NULL;
    progress_init(&progress, progress_mode(pipeline, o), o->decimal);
    off_t output_at = to == stdout ? lseek(STDOUT_FILENO, 0, SEEK_CUR) : -1;
    signals_catch(pipeline);
    int wish = signals_wish();
    int ended_fd;
    int r = leat_pipeline_fd(pipeline, &ended_fd); /* before the start, since descriptors may run out later */
    if (r == 0)
        r = leat_pipeline_start(pipeline);
    if (r == 0)
        r = wait_for_it(pipeline, ended_fd, &progress, wish, &report);
    signals_release();
    if (!report) {
        cli_warn("the copy was not started: %s%s", strerror(-r),
                 r == -ENOMEM   ? ", or no more threads may be started (ulimit -u)"
                 : r == -EMFILE ? " (ulimit -n)"
                                : "");
        return EXIT_FAILED;
    }
    if (to == stdout && lseek(STDOUT_FILENO, 0, SEEK_CUR) != output_at)
        to = stderr; /* a child has written to standard output */
    /* If the parent set SIGPIPE to be ignored, as systemd does, it wants an error instead of the signal. */
    bool left = reader_left(pipeline, report) && !signals_is_ignored(SIGPIPE);
    if (digests && (r == 0 || leat_report_error(report)->side == LEAT_SIDE_SINK))
        print_digests(to, pipeline, report);
    if (r < 0 && !left && !signals_noted())
        explain_failure(o, pipeline, report);
    int code = r == 0 ? EXIT_DONE : is_mismatch(report) ? EXIT_MISMATCH : EXIT_FAILED;
    int told = print_report(o, report);
    leat_report_free(report);
    cli_flush(0);
    if (left)
        signals_raise(SIGPIPE);
    return code ? code : told;
}

static int explain(leat_pipeline *pipeline, enum explain_mode mode)
{
    char *text = NULL;
    int r = leat_pipeline_explain(pipeline, mode == EXPLAIN_JSON ? LEAT_FORMAT_JSON : LEAT_FORMAT_TEXT, &text);
    if (r < 0) {
        cli_warn("%s", strerror(-r));
        return EXIT_FAILED;
    }
    fputs(text, stdout);
    free(text);
    return EXIT_DONE;
}

static int check(leat_pipeline *pipeline, struct copy_options *o, const char *command, bool digests)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = places_check(o, command, pipeline, digests);
    if (r != 0 || leat_pipeline_check(pipeline, &error) == 0)
        return r;
    r = transfer_refuse(o, &error, false);
    bool misspelt = error.code == -EINVAL || error.code == -ENOENT || error.code == -E2BIG;
    if (!misspelt || error.side != LEAT_SIDE_NONE)
        return r;
    fprintf(stderr, "Try 'leat %s --help'.\n", command);
    return EXIT_USAGE;
}

int transfer_run(leat_pipeline *pipeline, struct copy_options *o, const char *command, bool digests)
{
    int r = check(pipeline, o, command, digests);
    if (r == 0)
        r = o->explain != EXPLAIN_NO ? explain(pipeline, o->explain) : run(pipeline, o, digests);
    leat_pipeline_free(pipeline);
    if (signals_noted())
        signals_raise(signals_noted());
    return r;
}

/* Returns 0, or an exit code after a message: an algorithm of --expect is not known. */
static int check_expected(const struct copy_options *o, const char *command)
{
    char name[64];
    for (const char *at = o->pipeline.expect; at && *at;) {
        leat_filter *filter;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ":,"), at);
        int r = leat_filter_digest(&filter, name, NULL, NULL);
        if (r == -ENOENT)
            return cli_unknown_algorithm(command, "expect", name);
        if (r == 0)
            leat_filter_free(filter);
        at += strcspn(at, ",");
        at += *at == ',';
    }
    return 0;
}

int transfer_add_digest(leat_pipeline *pipeline, const struct copy_options *o, const char *command)
{
    struct leat_digest_options options = LEAT_INIT(struct leat_digest_options);
    options.provider = o->pipeline.digest_provider;
    leat_filter *filter;
    int r = check_expected(o, command);
    if (r != 0 || !o->digest)
        return r;
    r = leat_filter_digest(&filter, o->digest, &options, NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, filter);
    return r == 0 ? 0 : cli_no_digest(command, "digest", o->digest, r);
}
