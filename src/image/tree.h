/* SPDX-License-Identifier: MIT */
/* A tree: everything that a manifest or an index refers to. */
#ifndef IMAGE_TREE_H
#define IMAGE_TREE_H

#include "image/place.h"
#include "image/work.h"

struct tree {
    struct document *document; /* each document comes after everything that it refers to, so the top is the last */
    size_t count, capacity;
    size_t bytes;
    struct blobs blobs; /* each digest once */
};

/* Reads the image that the place's name means. With the option `all`, an index is read with everything that it refers
 * to; otherwise only the image for the platform. Returns 0, -ENOENT if there is none for the platform, or another
 * negative errno. */
int tree_read(struct tree *ret, struct image_place *place, struct leat_error *error);

/* The same for one manifest or index, if several are read. `tree` is empty before the first; tree_unite follows the
 * last. */
int tree_add(struct tree *tree, struct image_place *place, const struct descriptor *top, struct leat_error *error);
int tree_unite(struct tree *tree, struct leat_error *error);
void tree_clear(struct tree *tree);

/* Reads the document that the place's name means, or the one that is chosen from it for the platform. */
int tree_top(struct image_place *place, struct document *ret, struct leat_error *error);

#endif
