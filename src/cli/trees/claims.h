/* SPDX-License-Identifier: MIT */
/* What a folder of claims says, for `leat shard status`. */
#ifndef CLI_TREES_CLAIMS_H
#define CLI_TREES_CLAIMS_H

#include <stdbool.h>

/* Prints how far the copy of these claims is. Returns an exit code, 0 if all is done, after a message if it can't be
 * read. */
int tree_claims_status(const char *folder, bool json);

#endif
