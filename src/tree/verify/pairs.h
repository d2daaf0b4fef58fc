/* SPDX-License-Identifier: MIT */
/* Which file of one tree is which file of the other one, by device and inode. It is kept of files that have several
 * names, so the table is as large as their number. */
#ifndef TREE_PAIRS_H
#define TREE_PAIRS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

struct pair;

struct pairs {
    pthread_mutex_t lock;
    struct pair *row; /* an open table; the number of rows is a power of two */
    size_t rows, count;
};

void pairs_init(struct pairs *pairs);
void pairs_clear(struct pairs *pairs);

enum pairs_answer {
    PAIRS_NEW,   /* neither of the files was met before */
    PAIRS_SAME,  /* both were met before, under one name */
    PAIRS_OTHER, /* one of them was met before, together with another file */
};

/* Records two files that have one name in the two trees. Returns an enum pairs_answer, or -ENOMEM. Any thread. */
int pairs_meet(struct pairs *pairs, const struct stat *source, const struct stat *target);

#endif
