/* SPDX-License-Identifier: MIT */
/* A tree that is published as a whole: it is copied into a hidden folder beside the target, which then gets the name of
 * the target by one rename. If there was a folder of that name, the rename exchanges both, and the old one is removed.
 */
#ifndef TREE_STAGE_H
#define TREE_STAGE_H

#include "base/error.h"
#include "endpoint/place.h"

struct tree_copy;

struct tree_stage {
    struct place place; /* of the target; directory -1: there is no stage */
    char *path;         /* of the hidden folder */
    const char *hidden; /* its name, in `path` */
};

/* Refuses `publish`, `sync`, `resume` and a journal that must be there, where they can't be. Returns 0, or a code with
 * a sentence. */
int stage_check(const struct tree_copy *tree, const char *target, struct leat_error *error);
/* Begins with `options.publish`: finds the places. *ret_path becomes the folder that the copy is made in, valid until
 * stage_clear; otherwise it stays as it is. Returns 0, or a code with *error filled in. */
int stage_begin(struct tree_copy *tree, const char *target, const char **ret_path, struct leat_error *error);
/* Removes what an earlier copy has left there. The source is open. Returns 0, or a code with *error filled in: also if
 * the target has the source in it, or the other way round. */
int stage_prepare(struct tree_copy *tree, struct leat_error *error);
/* The roots are open: is the root of the target the hidden folder, and does it belong to this user? Another user may
 * have put something in its place. Allowed without a stage. Returns 0, or a code with *error filled in. */
int stage_confirm(const struct tree_copy *tree, struct leat_error *error);
/* Gives the copy its name. Allowed without a stage. Returns 0, or a code after it has recorded the problem. */
int stage_publish(struct tree_copy *tree);
/* Ends it; `removes`: the copy was not published and no later one goes on with it. Allowed without a stage. */
void stage_clear(struct tree_copy *tree, bool removes);

/* Writes the copy to its disk, with `options.sync`. Returns 0, or a code after it has recorded the problem. */
int stage_sync(struct tree_copy *tree);

#endif
