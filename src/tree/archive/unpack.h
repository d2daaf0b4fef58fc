/* SPDX-License-Identifier: MIT */
/* A copy whose source is an archive. One thread reads the entries in their order and makes what they say, because an
 * archive has no other order; nothing is read by the walker, and there are no workers. */
#ifndef TREE_UNPACK_H
#define TREE_UNPACK_H

#include "base/error.h"
#include "tree/archive/unpack_reader.h"
#include "tree/beneath.h"
#include "tree/given.h"

struct tree_copy;

struct image_layers;

/* What waits for the end: the attributes of a folder, or, of an image, the digest of a file. */
struct unpack_kept {
    char *path;
    size_t number; /* the later one of two entries counts */
    struct given_values given;
    char *hex; /* NULL: it is a folder */
};

struct unpack {
    struct tree_copy *tree;
    struct unpack_reader reader;
    struct beneath names, links; /* the folder of the entry, and that of the file it is a link to */
    struct image_layers *layers; /* of an image, whose entries replace what the layers below have, of whatever kind */
    struct unpack_kept *kept;
    size_t kept_count, kept_room, entries;
    /* The entry: */
    const char *warning; /* what libarchive can't make of it; NULL: it makes all of it */
    char *path;          /* clean: parts with one slash between them; "" is the root */
    const char *name;    /* its last part */
    struct given_values given;
};

/* Copies the archive that `source` gives, which it takes, to the folder `target`, which is made if it is missing.
 * `name` is that of the archive. Returns 0 or a negative errno: it could not begin, with *error filled in, or not go
 * on, which it has told. Problems with entries are recorded, and are no failure. */
int unpack_tar(struct tree_copy *tree, leat_endpoint *source, const char *name, const char *target,
               struct leat_error *error);

/* ---- between the files of unpack ---- */

/* Opens the target. Returns 0 or a negative errno with *error filled in. `unpack_end` follows in any case. */
int unpack_begin(struct unpack *u, const char *target, struct leat_error *error);
/* Calls `take_all`, tells its failure, and does what waits for the end. Returns what `take_all` has returned. */
int unpack_run(struct unpack *u, int (*take_all)(struct unpack *u, struct leat_error *error), const char *name,
               struct leat_error *error);
void unpack_end(struct unpack *u);

/* Calls `take` for each entry of the reader. Returns 0 or a negative errno with *error filled in. */
int unpack_entries(struct unpack *u, int (*take)(struct unpack *, struct archive_entry *, struct leat_error *),
                   struct leat_error *error);
/* Takes over the name of the entry. Returns 0; -EINVAL: the name leads out of the tree; or -ENOMEM. */
int unpack_take_name(struct unpack *u, struct archive_entry *entry);
/* Makes what an entry says. Returns 0, also after a problem that was recorded, or a negative errno with *error filled
 * in: the archive can't be read on, or there is no memory. */
int unpack_entry(struct unpack *u, struct archive_entry *entry, struct leat_error *error);

/* Unpacks the bytes and attributes of a regular file into `folder`. Returns as unpack_entry. */
int unpack_file(struct unpack *u, struct archive_entry *entry, int folder, struct leat_error *error);

/* Make the name in `folder`, and replace what has it. They record problems. */
void unpack_symlink(struct unpack *u, int folder, const char *text);
void unpack_special(struct unpack *u, int folder);
/* `to`: the clean path of the file. */
void unpack_link(struct unpack *u, int folder, const char *to);

/* Reads what an entry says of attributes. Returns 0 or -ENOMEM. */
int unpack_given(struct given_values *given, struct archive_entry *entry);

/* Keep for the end: the attributes of the folder that is the entry, which it takes over; the digest of the file. Return
 * 0 or -ENOMEM. */
int unpack_keep_folder(struct unpack *u);
int unpack_keep_digest(struct unpack *u, const char *hex);
/* Forgets what is kept of a path and of all below it. `below`: only of what is below. */
void unpack_forget(struct unpack *u, const char *path, bool below);
/* Gives folders their attributes, the deepest first, and tells digests. */
void unpack_end_kept(struct unpack *u);
void unpack_clear_kept(struct unpack *u);

/* Removes what has the name, whatever it is; or all that is in the folder. No link is followed. Return 0 or a negative
 * errno. */
int unpack_remove(int folder, const char *name);
int unpack_remove_all(int folder);
bool unpack_is_empty(int folder);

/* Records a problem with the entry. */
int unpack_problem(struct unpack *u, enum leat_side side, int code, const char *operation, const char *text);

#endif
