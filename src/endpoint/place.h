/* SPDX-License-Identifier: MIT */
/* A place: an open directory and a name in it. Later calls use the name in this directory, whatever becomes of the path
 * that led there. */
#ifndef ENDPOINT_PLACE_H
#define ENDPOINT_PLACE_H

#include "base/identity.h"

struct place {
    int directory; /* -1: there is none. */
    char *name;
};

/* Finds the place where a path ends, after following the symbolic links of its last part. Opens nothing but
 * directories. `ret_now` may be NULL; it receives the identity of the file that has the name now. If no file has it,
 * that is the name itself, and `ret` must live longer than `ret_now`. Returns 0, or a negative errno of the directory
 * or of a link, and `*ret` is empty. -ENOTDIR: also a path that ends in a slash. -EACCES: also a link to nothing that
 * another user has put into a directory where everybody may write. -ELOOP: more than 40 links. */
int place_find(struct place *ret, const char *path, struct identity *ret_now);
void place_clear(struct place *place);

/* Looks at the file that has the name now, without following links. Returns 0; -ENOENT: there is none; or another
 * negative errno. */
int place_stat(const struct place *place, struct stat *ret);

/* Returns the number of the descriptor that a path stands for, also through links: a log file may be a link to
 * /dev/stdout. -1: it stands for none. */
int place_descriptor(const char *path);

#endif
