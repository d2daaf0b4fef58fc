/* SPDX-License-Identifier: MIT */
/* Which folders become the copies: a target itself, or a folder in it. And the further targets of --also. */
#ifndef CLI_TREES_TARGETS_H
#define CLI_TREES_TARGETS_H

#include <leat/tree.h>
#include <stdbool.h>

struct tree_request;

struct tree_also {
    const char *name[LEAT_TREE_TARGETS_MAX];
    int count;
};

/* Is it in a store or in an archive? */
bool tree_target_is_elsewhere(const char *spec);
/* Has the last part of the path a name, other than "." and ".."? */
bool tree_target_has_name(const char *path);
/* Returns the path of the source's name in the target, which the caller frees. NULL: no memory. */
char *tree_target_in(const char *target, const char *source);

/* Adds what --also names. Returns 0 or an exit code after a message. */
int tree_also_add(struct tree_also *also, const char *name);
/* Refuses options that --also does not go with; `folders`: how many are copied. Returns 0 or an exit code after a
 * message. */
int tree_also_check(struct tree_request *q, int folders);
/* Makes the list of what becomes the copies of a source besides the first target. *ret is NULL if there is no --also.
 * Returns 0 or an exit code after a message; tree_also_free takes the list. */
int tree_also_list(const struct tree_also *also, const char *source, char ***ret);
void tree_also_free(char **list);

#endif
