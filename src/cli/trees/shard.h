/* SPDX-License-Identifier: MIT */
/* --shard K/N, --shard auto and --shard auto/N: which share of a tree this process copies. */
#ifndef CLI_TREES_SHARD_H
#define CLI_TREES_SHARD_H

#include <stdint.h>

/* Reads the value; `auto` is what the launcher of the process has set. Returns 0, or an exit code after a message. */
int tree_shard_parse(const char *value, int32_t *ret_shard, int32_t *ret_shards);

#endif
