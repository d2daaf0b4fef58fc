/* SPDX-License-Identifier: MIT */
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
    PROGRESS_LINES /* plain lines: the form of BAR where no bar can be drawn */
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

enum trace_mode {
    TRACE_NO,
    TRACE_TEXT,
    TRACE_JSON
};

struct copy_options {
    struct leat_pipeline_options pipeline;
    struct leat_endpoint_options sink; /* how files are written; its timeouts hold for the source, too */
    struct leat_sink_options branch;
    const char *digest;
    enum progress_mode progress;
    enum explain_mode explain;
    enum report_mode report;
    enum trace_mode trace;
    const char *report_file; /* NULL: stderr */
    bool no_clobber;         /* the user asked for it */
    bool replace;            /* replace files that exist, even with several sinks */
    FILE *report_stream;     /* the opened report_file; NULL: not yet open */
    bool decimal;            /* the user gave the rate in powers of 1000, so rates are printed in them */
};

enum {
    OPTIONS_HELP = -1,
    OPTIONS_TREE = -2, /* `leat copy` is to copy a tree, whose options are others: cli_tree reads them all */
};

/* Reads argv up to the first operand; afterwards optind is its index. Returns 0, an exit code after a message,
 * OPTIONS_HELP or OPTIONS_TREE. */
int options_parse(struct copy_options *options, const char *command, int argc, char **argv);

/* As cli_advice, but NULL also if the failure is what the user asked for. */
const char *options_advice(const struct copy_options *options, const struct leat_error *error);

/* The caller says how many sinks it writes. With several sinks, existing files are refused unless --replace is given: a
 * file that exists is most likely a mistake, as in `leat copy *.log all.log`. */
void options_several(struct copy_options *options, size_t sinks);

/* The part of a help text that describes these options. */
extern const char options_help[];

#endif
