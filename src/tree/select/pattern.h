/* SPDX-License-Identifier: MIT */
/* Patterns of names, with the rules of rsync(1):
 *
 *   *       any bytes but '/'
 *   **      any bytes
 *   ?       one byte but '/'
 *   [...]   one byte of a set, which '/' is never in: ranges, [!...] and [^...], classes such as [:digit:]
 *   \       the byte behind it stands for itself; in a pattern without * ? [ it is a byte like any other
 *
 * A pattern that begins with '/' is compared with the whole path, relative to the root of the tree. Any other one is
 * compared with the end of the path: as many parts as the pattern has, or, with a "**" in it, any number of them. A
 * pattern that ends in '/' matches folders alone. One that ends in a slash and "***" matches a folder and all that is
 * in it. */
#ifndef TREE_PATTERN_H
#define TREE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern {
    const char *text; /* borrowed; without the slashes that the members below stand for */
    size_t length;
    unsigned parts;      /* parts of a path that it is compared with; 0: see below */
    bool is_anchored;    /* it began with '/' */
    bool is_literal;     /* no byte of it is special */
    bool crosses;        /* it has "**" */
    bool begins_across;  /* it begins with "**" */
    bool takes_contents; /* it ends in "***" */
    bool is_folder;      /* it ended in '/' */
};

/* Reads a pattern. Returns false: it is empty. */
bool pattern_read(struct pattern *ret, const char *text);

/* Must the path be known, or is its last part enough? */
bool pattern_needs_path(const struct pattern *pattern);

/* Does it match? `path` is relative to the root, has no slash at either end, and is not empty. */
bool pattern_matches(const struct pattern *pattern, const char *path, bool is_folder);

#endif
