/* SPDX-License-Identifier: MIT */
/* The folders of the target while an archive is unpacked. Each part of a path is opened in the folder above it, without
 * following links, so no name leads out of the target. */
#ifndef TREE_UNPACK_FOLDERS_H
#define TREE_UNPACK_FOLDERS_H

#include "base/base.h"
#include <stdbool.h>

struct unpack_level {
    size_t end; /* of its part of the path */
    int fd;     /* -1: closed for the time being */
};

/* The folders from the root down to the one that was opened last. */
struct unpack_folders {
    char *path;
    size_t room;
    struct unpack_level *level; /* the first is the root */
    size_t depth, capacity;     /* depth: the last level */
};

/* Begins at the root, whose descriptor it borrows. Returns 0 or -ENOMEM. */
int unpack_folders_init(struct unpack_folders *folders, int root);
void unpack_folders_clear(struct unpack_folders *folders);

/* Opens the folder whose path is the first n bytes of `path`, without slashes at its ends. `makes`: makes what is
 * missing, by the umask, and counts it in *made. Returns a descriptor that is borrowed and valid until the next call,
 * or a negative errno: -ENOTDIR: a part is no folder, but a link, for example. */
int unpack_folders_open(struct unpack_folders *folders, const char *path, size_t n, bool makes, unsigned *made);

#endif
