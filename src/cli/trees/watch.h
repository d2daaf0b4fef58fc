/* SPDX-License-Identifier: MIT */
/* How far a command on trees is: the bar, plain lines, JSON lines, and a line after SIGUSR1. */
#ifndef CLI_TREES_WATCH_H
#define CLI_TREES_WATCH_H

#include "progress.h"
#include <leat/tree.h>
#include <time.h>

enum {
    WATCH_LARGE_MAX = 4, /* large files that are named */
    WATCH_NAME_MAX = 64,
};

struct watch_large {
    char name[WATCH_NAME_MAX]; /* its end, as a terminal can show it */
    uint64_t done, bytes;
};

struct tree_watch {
    struct progress progress;
    int wish;                       /* readable: SIGUSR1 has asked for a line */
    struct leat_tree_result before; /* of the trees that are done */
    struct timespec begin;
    int left;       /* trees that follow the one that is being copied, so the whole is not known */
    uint64_t bytes; /* that were shown last: a file that fails is not taken back */
    struct watch_large large[WATCH_LARGE_MAX];
    size_t larges;
    char more[512];
};

/* Call it before anything else runs: it catches SIGINT, SIGTERM and SIGHUP, which end the work by watch_update. */
void watch_begin(struct tree_watch *watch, enum progress_mode mode);
/* Seconds since the beginning. */
double watch_seconds(const struct tree_watch *watch);
/* Are sizes worth a call for each file? */
bool watch_wants_sizes(const struct tree_watch *watch);
/* Hears of a large file, as leat_tree_options.large does; right before watch_update. */
void watch_large(struct tree_watch *watch, const char *name, uint64_t done, uint64_t bytes);
/* Shows how far it is. Returns whether the work is to end, as leat_tree_options.progress does. */
int watch_update(struct tree_watch *watch, const struct leat_tree_result *now);
/* Adds the numbers of a tree that is done. */
void watch_add(struct tree_watch *watch, const struct leat_tree_result *one);
/* Removes the bar and prints the last line. */
void watch_end(struct tree_watch *watch);
/* If a signal came, the command dies of it, once its output is written. */
void watch_end_signal(void);

#endif
