/* SPDX-License-Identifier: MIT */
/* leat verify: what its two forms share, two trees (verify.c) and a list of digests (verify_list.c). */
#ifndef CLI_TREES_VERIFY_H
#define CLI_TREES_VERIFY_H

#include "trees/selection.h"
#include "trees/watch.h"

struct verify_command {
    struct leat_tree_options options;
    enum progress_mode mode;
    bool is_verbose, is_silent, is_list;
    const char *algorithm; /* of lines of a list that name none */
    const char *only;      /* the last option that only a list has */
    bool ignores_missing, is_strict, warns, is_complete;
    struct tree_selection selection;
    uint64_t told; /* differences and problems */
    struct tree_watch watch;
};

/* The functions of the options, whose user is the command. */
void verify_prepare(struct verify_command *command);
/* Prints "NAME: TEXT" on standard output, unless nothing is to be printed. */
void verify_say(const struct verify_command *command, const char *name, const char *text);
/* Counts the result, and says why the comparison could not begin, if that is so. */
void verify_count(struct verify_command *command, int code, const struct leat_tree_result *result,
                  const struct leat_error *error);

/* Compares a list ("-": standard input) with a folder. Returns 0 or an exit code. */
int verify_list(struct verify_command *command, const char *list, const char *folder);

#endif
