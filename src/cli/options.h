/* The options that `copy` and `run` share. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli.h"
#include <getopt.h>

enum progress_mode {
    PROGRESS_AUTO,
    PROGRESS_BAR,
    PROGRESS_JSON,
    PROGRESS_NEVER,
    PROGRESS_LINES /* plain ones: a bar where none can be drawn */
};
enum explain_mode {
    EXPLAIN_NO,
    EXPLAIN_TEXT,
    EXPLAIN_JSON
};
enum report_mode {
    REPORT_NO,
    REPORT_TEXT,
    REPORT_JSON
};

struct copy_options {
    struct leat_pipeline_options pipeline;
    struct leat_endpoint_options sink; /* how files are written; its timeouts are the source's, too */
    struct leat_sink_options branch;
    const char *digest;
    enum progress_mode progress;
    enum explain_mode explain;
    enum report_mode report;
    const char *report_file; /* NULL: stderr */
    bool replace;            /* files that exist, though there are several sinks */
    FILE *report_stream;     /* open on it; NULL: not yet */
    bool decimal;            /* the rate was given in powers of 1000, so that is how rates are told */
};

/* Reads argv up to the first operand, whose index is optind afterwards. 0, or an exit code that has been explained;
 * -1: --help was asked for. */
int options_parse(struct copy_options *options, const char *command, int argc, char **argv);

/* To be called where `sinks` sinks are written: with several a file that exists is most likely there by mistake, as in
 * `leat copy *.log all.log`. */
void options_several(struct copy_options *options, size_t sinks);

/* Their part of a help text. */
extern const char options_help[];

#endif
