/* SPDX-License-Identifier: MIT */
/* What the command knows of trees in archives. */
#ifndef CLI_TREES_ARCHIVE_H
#define CLI_TREES_ARCHIVE_H

#include "trees/options.h"

/* Is it the name of an archive or an image? It has no last part that could be the name of a folder in the target. */
bool tree_archive_is_named(const char *name);
/* Is the command possible with this target? Returns 0, or an exit code after a message. */
int tree_archive_check(const struct tree_request *q, int sources, const char *target);

#endif
