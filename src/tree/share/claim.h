/* SPDX-License-Identifier: MIT */
/* A tree that several processes copy by claims. Each walks the tree; a worker that is free takes a batch of names by a
 * record in a place that all of them share (base/claim_place.h), and copies the batch if no other process has taken it.
 *
 * - A unit is a batch, named by the hash of its folder and its names, or a file with several names. If two processes
 *   make other batches of one folder, files are copied twice, and none is left out.
 * - UNIT.1 says who has taken the unit. UNIT.done says that it is copied; it is made once.
 * - Each process renews one record, own-TOKEN, for as long as it runs. If that of another process is older than the
 *   lease, by the clock of the place, its units may be taken as UNIT.2, and so on.
 * - A process that was only slow may copy a unit that another one has taken over. So every effect can be repeated:
 *   each file appears whole, and the bytes are the same.
 * - Folders get their attributes when all units are done, in a last walk. */
#ifndef TREE_CLAIM_H
#define TREE_CLAIM_H

#include "base/claim_place.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

struct tree_batch;
struct tree_copy;
struct tree_dir;

enum {
    CLAIM_UNIT_MAX = 40, /* bytes of the name of a unit, with its NUL */
    CLAIM_TOKEN_MAX = 80
};

struct tree_claims {
    const struct claim_place *place;
    void *state;
    int64_t lease_ns;
    char token[CLAIM_TOKEN_MAX]; /* HOST-PID-RANDOM: this process */
    char own[CLAIM_NAME_MAX];    /* own-TOKEN */
    pthread_t renewer;
    bool is_renewing, is_over;
    pthread_mutex_t lock; /* of `is_over` and what is below */
    pthread_cond_t over;
    char (*held)[CLAIM_UNIT_MAX]; /* units of others that were not done when this process met them */
    size_t held_count, held_room;
    pthread_mutex_t links; /* one file with several names at a time */
    atomic_ullong serial;  /* of a call of claim_take */
    atomic_ullong units;   /* batches that this process met in the walk */
    bool is_last;          /* the walk that gives folders their attributes, and copies nothing */
};

/* Copies the tree by `walk`, as often as it takes: until no unit is left of a process that has died, and once more for
 * the attributes of folders. Returns 0 or a code, as `walk` does. */
int claims_run(struct tree_copy *tree, const char *source, const char *target,
               int (*walk)(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error));

/* The table of folders. */
extern const struct claim_place claim_folder;

/* ---- units ---- */

enum claim_state {
    UNIT_TAKEN, /* by this call */
    UNIT_DONE,
    UNIT_HELD, /* by another process that runs */
    UNIT_OWN,  /* by this process, before */
    UNIT_DEAD, /* by another process that does not run */
};

/* Takes a unit. Returns an enum claim_state, never UNIT_DEAD, or a negative errno. */
int claim_take(struct tree_claims *claims, const char *unit);
/* The unit is copied. Returns 0; 1: another process has copied it meanwhile, whose text counts; or a negative errno. */
int claim_end(struct tree_claims *claims, const char *unit, const char *text);
/* Reads what claim_end was given. Returns the bytes, or a negative errno. */
ssize_t claim_read_done(struct tree_claims *claims, const char *unit, char *text, size_t size);
/* Remembers a unit that another process has, for claims_wait. Returns 0 or -ENOMEM. */
int claim_add_held(struct tree_claims *claims, const char *unit);
/* Sleeps for a moment, unless the copy is cancelled. */
void claim_rest(struct tree_copy *tree);
/* Records a problem with the claims themselves. Returns `code`. */
int claim_problem(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int code);

/* ---- what is claimed (claim_work.c) ---- */

/* Copies the batch, if no other process does: the `batch` of a pass. */
void claim_batch(struct tree_copy *tree, void *worker, struct tree_batch *batch);

/* Copies a file that has several names under one of them. `is_first`: the others become links to it; otherwise this
 * name can't be a link. Returns whether the file is there now. */
typedef bool claim_copy_fn(void *user, bool is_first);
/* A name of a file that has several: copies it by `copy`, or makes the name a link to that under which this process or
 * another one has copied the file; waits for the other one. One file at a time. */
void claim_link(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st,
                claim_copy_fn *copy, void *user);

#endif
