/* SPDX-License-Identifier: MIT */
/* The option `names`: a source that has the names of a list alone. The names are sorted, so those below one folder
 * follow each other, and the walker reads that part of the list where it would read the folder. */
#ifndef TREE_NAMES_H
#define TREE_NAMES_H

#include "base/error.h"
#include "tree/ends.h"

struct tree_copy;

struct tree_names {
    char **name; /* sorted; clean: no empty parts and no "." but a slash at the end, which means all that is in it */
    size_t count;
    struct tree_source source; /* in the place of that of the copy */
    /* Of the folder that is read: */
    bool is_whole; /* all that is in it is copied */
    size_t at;     /* the next name */
    char *prefix;  /* of its names, with a slash at the end; "": the root */
    char *part;    /* the name that was given last */
};

/* Reads the names of the options. Returns 0, or a code with *error filled in: -EINVAL: one leads out of the tree. */
int names_init(struct tree_copy *tree, struct leat_error *error);
void names_clear(struct tree_copy *tree);

/* Puts a source that reads the list in the place of tree->source, which is a folder. */
void names_replace_source(struct tree_copy *tree);
/* Looks at the folders on the way to each name; the source is open. Returns 0, or -EINVAL with *error filled in: one is
 * a symbolic link. A name that is missing is found later. */
int names_check(struct tree_copy *tree, struct leat_error *error);

#endif
