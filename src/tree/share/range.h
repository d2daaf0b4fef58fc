/* SPDX-License-Identifier: MIT */
/* A large file that several shards copy, each some of its ranges, into one hidden file beside its name.
 *
 * - Range i belongs to the shard that is i after that of the name. All shards know all of it, so they need no messages.
 * - The hidden file's name is made from path, size and time of the source: a file that changes becomes another one.
 * - A shard that has copied all its ranges makes a marker. One that then finds the markers of all shards gives the file
 *   its attributes and its name, and removes the markers; if two do that at the same time, no harm is done.
 * - A shard that is started again finds its marker, or the file, which has the size and the time of the source. */
#ifndef TREE_RANGE_H
#define TREE_RANGE_H

#include <stdbool.h>
#include <sys/stat.h>

struct tree_copy;
struct tree_dir;
struct tree_input;
struct tree_worker;

/* Is a file of this copy split, if it is large? */
bool range_is_possible(const struct tree_copy *tree, const struct tree_dir *dir);
/* Is this file split? */
bool range_is_split(const struct tree_copy *tree, const struct tree_dir *dir, const struct stat *st);
/* Has the shard no range of a file that is split? */
bool range_leaves_file(const struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                       const struct stat *st);
/* Copies the ranges of the shard, and publishes the file if all others are there. Returns 0, or a code after it has
 * recorded the problem. */
int range_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
               struct tree_input *input);

#endif
