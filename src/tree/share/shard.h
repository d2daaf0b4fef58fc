/* SPDX-License-Identifier: MIT */
/* A tree that several processes copy. Each reads all of the source and copies its share, so they send no messages:
 *
 * - A name belongs to the shard that shard_of(shard_hash of the path relative to the root) gives.
 * - A large file belongs to several shards, see range.h.
 * - With all attributes, a file with several names belongs to the shard of its inode number, so one process makes all
 *   its names.
 * - Each process makes all folders, and gives each its attributes after its own last change there. So the last change
 *   of a folder is always followed by its attributes, whatever order the processes end in.
 * - A folder whose owner may not write in it, with all below it, belongs to the shard of its path, unless the process
 *   is root: its attributes would keep the other processes out. Hard links between it and others are lost, which is
 *   told by links_tell_apart. */
#ifndef TREE_SHARD_H
#define TREE_SHARD_H

#include <leat/base.h>
#include <stdbool.h>
#include <sys/stat.h>

struct tree_copy;
struct tree_dir;

/* FNV-1a of 64 bits, gone on with from `before`: the hash of "a/b" is that of "b" after that of "a/". */
#define SHARD_HASH_FIRST UINT64_C(0xCBF29CE484222325)
uint64_t shard_hash(uint64_t before, const char *bytes, size_t n);
/* Mixes the hash and gives the shard, from 0 to `shards` - 1. */
uint32_t shard_of(uint64_t hash, uint32_t shards);

/* Does the copy leave this name, of no folder, to another shard? `kind` is of stat(2). A name that must be looked at is
 * never left here, but by shard_leaves_looked_at. */
bool shard_leaves_name(const struct tree_copy *tree, const struct tree_dir *dir, const char *name, mode_t kind);
/* Does the copy leave this name, in a folder that is held, to another shard? Looks at it if that is needed. */
bool shard_leaves_looked_at(const struct tree_copy *tree, const struct tree_dir *dir, const char *name);
/* Does the copy leave this folder and all below it to another shard? `dir->st` is known. Sets `dir->is_whole`. */
bool shard_leaves_dir(const struct tree_copy *tree, struct tree_dir *dir);

#endif
