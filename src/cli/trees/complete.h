/* SPDX-License-Identifier: MIT */
/* Finds the files of a folder that a list of digests does not have. Both lists of names are sorted in a bounded memory.
 */
#ifndef CLI_TREES_COMPLETE_H
#define CLI_TREES_COMPLETE_H

#include "trees/verify.h"

struct complete;

/* Returns 0 or -ENOMEM. */
int complete_new(struct complete **ret);
/* NULL is allowed. */
void complete_free(struct complete *complete);

/* Adds a name of the list. A failure is said by complete_tell. */
void complete_add(struct complete *complete, const char *name);
/* Says each file of the folder that the list does not have, and counts it in `result` as LEAT_TREE_ONLY_TARGET. The
 * list itself is none. Returns 0, or a negative errno after a message. */
int complete_tell(struct complete *complete, struct verify_command *command, const char *folder, FILE *list,
                  struct leat_tree_result *result);

#endif
