/* SPDX-License-Identifier: MIT */
/* The folders of a copy. Each is a pair: the folder of the source and that of the target. All that is done in a folder
 * goes through its two descriptors, so it does not matter who renames what meanwhile. An end that has no folders, such
 * as a store, has no descriptor there.
 *
 * A tree may be deeper than there are descriptors. So a folder that nothing works in may lose its descriptors; it is
 * opened again by its name in the folder above, and must then be the same. */
#ifndef TREE_DIR_H
#define TREE_DIR_H

#include "base/identity.h"
#include <dirent.h>
#include <leat/base.h>
#include <pthread.h>
#include <stdatomic.h>

struct tree_copy;
struct tree_extra;
struct tree_letters;

enum {
    SOURCE,
    TARGET,
    SIDES,
};

struct tree_dir {
    struct tree_dir *parent; /* has a reference; NULL: the root */
    struct stat st;          /* of the source, when it was opened; st_mode 0: nothing is known of it */
    uint32_t depth;          /* below the root */
    struct identity identity[SIDES];
    bool closes_late;             /* close(2) may report that the file system of the target could not keep bytes */
    bool existed;                 /* the target was there, so names in it may be taken */
    bool is_whole;                /* this shard copies all that is in it, see shard.h */
    uint64_t hash;                /* of the path and a slash, see shard.h */
    bool is_entered;              /* by dir_enter; only then it gets its attributes at the end */
    bool has_names;               /* the walker has found something in it */
    struct tree_extra *extra;     /* see extra.h; NULL: nothing is deleted there */
    struct tree_letters *letters; /* see letters.h; NULL: its names were not read */
    atomic_int letters_kind;      /* are upper and lower case the same in the target? See letters.c */
    atomic_bool is_linkable;      /* a file without a name has got one there */
    /* Of several targets: the folder in each, and NULL; see ends/several.h. NULL: there is one target. */
    struct tree_dir **branch;
    /* Under the lock of struct tree_dirs: */
    bool is_open;                   /* at both sides */
    int fd[SIDES];                  /* -1: closed, or the end has none */
    unsigned refs;                  /* who may still name the folder: children, batches, the table of links */
    unsigned work;                  /* what is still to be done in it; at 0 it gets its attributes */
    unsigned holders;               /* who uses the descriptors now */
    struct tree_dir *older, *newer; /* in the list of idle folders: `holders` is 0 */
    struct tree_dir *below;         /* while it is opened again: the next on the way down */
    char name[];
};

struct tree_dirs {
    pthread_mutex_t lock;
    unsigned open;                    /* folders that have descriptors */
    unsigned most;                    /* of these, if some of them are idle */
    struct tree_dir *oldest, *newest; /* of the idle folders */
};

void dirs_init(struct tree_dirs *dirs);
void dirs_clear(struct tree_dirs *dirs);
/* Says how many descriptors a folder has, if they are more than two. */
void dirs_limit(struct tree_dirs *dirs, unsigned descriptors);

/* Makes the root; the ends fill it in. It has one piece of work. NULL: no memory. */
struct tree_dir *dir_root(struct tree_copy *tree);
/* Makes a folder below another one; nothing is opened. It has one piece of work, and so does the folder above for as
 * long as the work of this one is not done. NULL: no memory. */
struct tree_dir *dir_new(struct tree_copy *tree, struct tree_dir *parent, const char *name);
/* Makes the folder of one of several targets, which dir->branch of the pair then owns. `above`: that of the same target
 * around it; NULL: it is a root, and `name` is the name of the target. NULL: no memory. */
struct tree_dir *dir_branch(struct tree_dir *above, const char *name);
/* Opens the folder of the source for the first time, and makes or opens that of the target, and holds both. Returns 0;
 * DIR_LEFT: another shard copies it with all that is in it; or a code after it has recorded the problem. */
enum {
    DIR_LEFT = 1
};
int dir_enter(struct tree_copy *tree, struct tree_dir *dir);

/* Holds the descriptors: opens them again if they were closed. Returns 0, or a negative errno; then *ret_side is the
 * side that can't be opened. */
int dir_hold(struct tree_copy *tree, struct tree_dir *dir, enum leat_side *ret_side);
void dir_release(struct tree_copy *tree, struct tree_dir *dir);

/* One more piece of work, and the end of one. The end of the last one gives the folder its attributes. */
void dir_add_work(struct tree_copy *tree, struct tree_dir *dir);
void dir_end_work(struct tree_copy *tree, struct tree_dir *dir);

void dir_ref(struct tree_copy *tree, struct tree_dir *dir);
void dir_unref(struct tree_copy *tree, struct tree_dir *dir);

/* The sink could not open the folder: records that, and returns the code. */
int dir_problem_of_target(struct tree_copy *tree, const struct tree_dir *dir, int code, const char *operation);

/* What -EEXIST of a new name means: upper and lower case are the same in the target, or the target was changed. */
#define TREE_NAME_TAKEN                                                                                                \
    "Another name of the source is the same one in the target, or something has got the name just now"

/* Makes the path of a name in the folder, relative to the root; `name` NULL: of the folder itself. NULL: no memory. */
char *dir_path(const struct tree_dir *dir, const char *name);

/* Reads the next name of a folder, "." and ".." left out. NULL: there are no more if errno is 0, otherwise it failed.
 */
const struct dirent *dir_next(DIR *stream);

#endif
