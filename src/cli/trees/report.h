/* SPDX-License-Identifier: MIT */
/* The report of a copy of trees, as JSON: docs/formats.md has its keys. */
#ifndef CLI_TREES_REPORT_H
#define CLI_TREES_REPORT_H

#include "trees/problems.h"
#include "trees/whole.h"

struct tree_report {
    const struct tree_problems *problems;
    const struct leat_tree_result *result;
    double seconds;
    int signal; /* that ended the copy; 0: none */
    bool is_done;
};

/* Reads the value of --report: "text", which is -v, as is NULL; or "json" or "json:FILE"; *file is "-" without a file:
 * standard error has the report. Returns 0 or an exit code after a message. */
int tree_report_parse(const char *value, bool *verbose, const char **file);
/* Opens its file. NULL: standard error. Returns 0 or an exit code after a message. */
int tree_report_open(struct whole **ret, const char *file);
/* Writes it, to standard error if `whole` is NULL; takes `whole`. Returns 0 or an exit code after a message. */
int tree_report_write(struct whole *whole, const struct tree_report *report);

#endif
