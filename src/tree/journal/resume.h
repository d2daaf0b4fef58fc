/* SPDX-License-Identifier: MIT */
/* What the copy of a tree does with its journal: it records each name that is copied, and does not copy again what the
 * journal proves to be copied.
 *
 * An entry proves that a name is copied if the source is the same file as then, by inode, size and both times, and the
 * copy is the same file as then: the inode and the size are the recorded ones, it was modified when the source was, and
 * its status has not changed since the entry was made.
 *
 * The bytes of a file are compared if only the status of its copy has changed, as a hard link does, which then gets its
 * attributes again; and if the machine was started anew since, so that bytes of the copy may not have reached the disk,
 * unless a record says that they were synced; and if the source was changed within 20 ms before the entry was made,
 * since it may have been changed again without another time. All else is copied again. */
#ifndef TREE_RESUME_H
#define TREE_RESUME_H

#include "base/base.h"
#include "base/error.h"
#include "tree/journal/record.h"
#include <sys/stat.h>

struct tree_copy;
struct tree_dir;
struct tree_input;
struct tree_link;
struct tree_worker;

/* Opens the journal that the options name, and reads it if the copy goes on. Returns 0, or a code with *error filled
 * in. */
int resume_open(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error);
/* The roots are open. Returns 0 or -ENOMEM. */
int resume_begin(struct tree_copy *tree);
/* Ends the journal, and removes it if all is copied (`is_done`), or if nothing was done (not `begins`) and it is new.
 * Records a problem with it. Allowed without a journal. */
void resume_close(struct tree_copy *tree, bool begins, bool is_done);

/* Make and end what a worker needs. resume_worker_open returns 0 or -ENOMEM. */
int resume_worker_open(struct tree_copy *tree, struct tree_worker *worker);

/* Is a file copied, as far as the journal proves? `input` is open; `hex` gets the digest, if one is wanted. Also true
 * for the journal itself, which is no part of the tree; then *hex is "". */
bool resume_has_file(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                     const struct tree_input *input, char *hex);
/* The same for a symbolic link, a FIFO, a socket or a device. */
bool resume_has_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct stat *st);
/* Is a name already a hard link to the copy of a first name, whose folder is held? */
bool resume_has_link(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct tree_dir *from,
                     const char *first);

/* Record a file that was copied with all that is kept of it: `bytes` long, its copy has the inode. `hex` "": there is
 * no digest. A caller that may have left something out counts the problems before and after; then it records nothing,
 * so that the name is copied again, and the problem named again. */
void resume_add_file(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                     const struct stat *st, ino_t inode, uint64_t bytes, const char *hex);
/* The same for a further name of a file. Nothing is recorded if the file had changed since its first name was copied.
 */
void resume_add_link(struct tree_copy *tree, struct tree_worker *worker, const struct tree_link *link,
                     const struct tree_dir *dir, const char *name, const struct stat *st);
/* The same for another name that was made; it looks at the copy. */
void resume_add_name(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                     const struct stat *st, enum record_what kind);

#endif
