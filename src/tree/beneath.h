/* SPDX-License-Identifier: MIT */
/* Folders beneath a root, by their paths. Each part of a path is opened in the folder above it, without following
 * links, so no path leads out of the root. */
#ifndef TREE_BENEATH_H
#define TREE_BENEATH_H

#include "base/base.h"
#include <stdbool.h>

struct beneath_level {
    size_t end; /* of its part of the path */
    int fd;     /* -1: closed for the time being */
};

/* The folders from the root down to the one that was opened last. */
struct beneath {
    char *path;
    size_t room;
    struct beneath_level *level; /* the first is the root */
    size_t depth, capacity;      /* depth: the last level */
};

/* Begins at the root, whose descriptor it borrows. Returns 0 or -ENOMEM. */
int beneath_init(struct beneath *folders, int root);
/* Something was removed or replaced: the next call opens all of its folders again. */
void beneath_forget(struct beneath *folders);
void beneath_clear(struct beneath *folders);

/* Opens the folder whose path is the first n bytes of `path`, without slashes at its ends. `makes`: makes what is
 * missing, by the umask, and counts it in *made. Returns a descriptor that is borrowed and valid until the next call,
 * or a negative errno: -ENOTDIR: a part is no folder, but a link, for example. */
int beneath_open(struct beneath *folders, const char *path, size_t n, bool makes, unsigned *made);

#endif
