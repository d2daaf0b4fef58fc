/* SPDX-License-Identifier: MIT */
#include "tree/share/shard.h"
#include "tree/share/range.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

uint64_t shard_hash(uint64_t before, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        before = (before ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001B3);
    return before;
}

/* The mix is the end of splitmix64: names that differ in one letter are spread, too. */
uint32_t shard_of(uint64_t hash, uint32_t shards)
{
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94D049BB133111EB);
    hash ^= hash >> 31;
    return (uint32_t)(hash % shards);
}

static bool is_shared(const struct tree_copy *tree)
{
    return tree->options.shards > 1;
}

static bool has_hash(const struct tree_copy *tree, uint64_t hash)
{
    return shard_of(hash, (uint32_t)tree->options.shards) == (uint32_t)tree->options.shard;
}

static bool has_name(const struct tree_copy *tree, const struct tree_dir *dir, const char *name)
{
    return has_hash(tree, shard_hash(dir->hash, name, strlen(name)));
}

static bool keeps_links(const struct tree_copy *tree)
{
    return tree->options.keep == LEAT_TREE_ALL;
}

bool shard_leaves_name(const struct tree_copy *tree, const struct tree_dir *dir, const char *name, mode_t kind)
{
    bool is_looked_at = keeps_links(tree) || (S_ISREG(kind) && range_is_possible(tree, dir));
    if (!is_shared(tree) || dir->is_whole || is_looked_at)
        return false;
    return !has_name(tree, dir, name);
}

/* The digits of the inode number are hashed, so that the processors of all kinds agree. */
static bool has_inode(const struct tree_copy *tree, const struct stat *st)
{
    char digits[32];
    int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)st->st_ino);
    return has_hash(tree, shard_hash(SHARD_HASH_FIRST, digits, (size_t)n));
}

bool shard_leaves_looked_at(const struct tree_copy *tree, const struct tree_dir *dir, const char *name)
{
    struct stat st;
    if (!is_shared(tree) || dir->is_whole || !(keeps_links(tree) || range_is_possible(tree, dir)))
        return false;
    if (dir->fd[SOURCE] < 0 || fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return !has_name(tree, dir, name);
    if (range_is_split(tree, dir, &st))
        return range_leaves_file(tree, dir, name, &st);
    return st.st_nlink > 1 && keeps_links(tree) ? !has_inode(tree, &st) : !has_name(tree, dir, name);
}

bool shard_leaves_dir(const struct tree_copy *tree, struct tree_dir *dir)
{
    if (!is_shared(tree))
        return false;
    if (dir->parent && dir->parent->is_whole)
        dir->is_whole = true;
    if (dir->is_whole || geteuid() == 0 || !dir->st.st_mode || (dir->st.st_mode & 0300) == 0300)
        return false;
    dir->is_whole = has_hash(tree, dir->hash);
    return !dir->is_whole;
}
