/* SPDX-License-Identifier: MIT */
/* A copy whose source is an archive. One thread reads the entries in their order and makes what they say, because an
 * archive has no other order; nothing is read by the walker, and there are no workers. */
#ifndef TREE_UNPACK_H
#define TREE_UNPACK_H

#include "base/error.h"
#include "tree/beneath.h"
#include "tree/given.h"
#include "tree/unpack_reader.h"

struct tree_copy;

/* A folder that gets its attributes at the end. */
struct unpack_folder {
    char *path;
    size_t number; /* the later one of two entries counts */
    struct given_values given;
};

struct unpack {
    struct tree_copy *tree;
    struct unpack_reader reader;
    struct beneath names, links; /* the folder of the entry, and that of the file it is a link to */
    bool is_layer;               /* an entry replaces what the layers below have, of whatever kind */
    struct unpack_folder *folder;
    size_t folders, capacity;
    /* The entry: */
    char *path;       /* clean: parts with one slash between them; "" is the root */
    const char *name; /* its last part */
    struct given_values given;
};

/* Copies the archive that `source` gives, which it takes, to the folder `target`, which is made if it is missing.
 * `name` is that of the archive. Returns 0 or a negative errno: it could not begin, with *error filled in, or not go
 * on, which it has told. Problems with entries are recorded, and are no failure. */
int unpack_tar(struct tree_copy *tree, leat_endpoint *source, const char *name, const char *target,
               struct leat_error *error);

/* ---- between the files of unpack ---- */

/* Unpacks the bytes and attributes of a regular file into `folder`. Returns 0, also after a problem that was recorded,
 * or a negative errno with *error filled in: the archive can't be read on. */
int unpack_file(struct unpack *u, struct archive_entry *entry, int folder, struct leat_error *error);

/* Make the name in `folder`, and replace what has it. They record problems. */
void unpack_symlink(struct unpack *u, int folder, const char *text);
void unpack_special(struct unpack *u, int folder);
/* `to`: the clean path of the file. */
void unpack_link(struct unpack *u, int folder, const char *to);

/* Reads what an entry says of attributes. Returns 0 or -ENOMEM. */
int unpack_given(struct given_values *given, struct archive_entry *entry);

/* Records a problem with the entry. */
int unpack_problem(struct unpack *u, enum leat_side side, int code, const char *operation, const char *text);

#endif
