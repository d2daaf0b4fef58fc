/* SPDX-License-Identifier: MIT */
/* The journals of `leat copy -r` and -a: where they are, and what is said of those that are left. */
#ifndef CLI_TREES_JOURNAL_H
#define CLI_TREES_JOURNAL_H

#include "trees/options.h"

/* The journals of the folders of a command. */
struct tree_journals {
    char **path; /* from malloc, each from malloc; NULL: a folder without a journal */
    size_t count;
};

/* Chooses the journal of the next folder for `options`: the one that was asked for, or ".NAME.leat-journal" beside the
 * target. Without memory there is none. */
void tree_journals_next(struct tree_journals *journals, const struct tree_request *asked, const char *target,
                        struct leat_tree_options *options);

/* Is there a journal of a copy of one folder that --resume goes on with, whose target is `target`? If it is not beside
 * the target, because of --journal, the copy itself looks: true. */
bool tree_journals_continue(const struct tree_request *asked, const char *target);

/* Ends them. `is_done`: all folders were copied, so that those which stayed until now are removed. Otherwise prints how
 * to go on, if `left` journals say what is copied. */
void tree_journals_end(struct tree_journals *journals, const struct tree_request *asked, bool is_done, uint64_t left);

#endif
