/* SPDX-License-Identifier: MIT */
/* The options of `leat copy` with -r or -a. To add one: a constant, a line of `longs`, a case and a line of the help,
 * all in options.c. */
#ifndef CLI_TREES_OPTIONS_H
#define CLI_TREES_OPTIONS_H

#include "progress.h"
#include "trees/selection.h"
#include "trees/targets.h"
#include <leat/tree.h>

/* What the command line asks for. */
struct tree_request {
    struct leat_tree_options options;
    struct tree_selection selection;       /* the caller frees it */
    struct leat_endpoint_options endpoint; /* of stores; `options` points to it */
    enum progress_mode mode;
    const char *digest_file; /* NULL: the list goes to standard output */
    const char *report_file; /* of the report as JSON; NULL: there is none; "-": standard error */
    bool verbose;
    bool resume, no_journal;
    const char *journal; /* NULL: beside the target */
    struct tree_also also;
};

/* Reads the options; then optind is the first folder. Returns 0, OPTIONS_HELP, or an exit code after a message. */
int tree_options_parse(struct tree_request *q, int argc, char **argv);

/* Do other processes copy to the same target? Then it becomes the copy, whether it exists or not. */
static inline bool tree_options_are_shared(const struct tree_request *q)
{
    return q->options.shards || q->options.claims;
}

/* Prints the whole help. */
void tree_options_help_print(void);

#endif
