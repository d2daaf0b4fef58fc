/* All that a manifest or an index leads to. */
#ifndef IMAGE_TREE_H
#define IMAGE_TREE_H

#include "image/place.h"
#include "image/work.h"

struct tree {
    struct document *document; /* each one behind all that it leads to; the last one is the top */
    size_t count, capacity;
    size_t bytes;
    struct blobs blobs; /* each digest once */
};

/* Reads the image that the place's name means. With `all` an index is taken with all that it leads to, else the one for
 * the platform. -ENOENT: there is none for it. */
int tree_read(struct tree *ret, struct image_place *place, struct leat_error *error);

/* The same for one manifest or index, where several are read; `tree` is empty at first, and tree_unite follows. */
int tree_add(struct tree *tree, struct image_place *place, const struct descriptor *top, struct leat_error *error);
int tree_unite(struct tree *tree, struct leat_error *error);
void tree_clear(struct tree *tree);

/* The document that the place's name means, or that is chosen from it for the platform. */
int tree_top(struct image_place *place, struct document *ret, struct leat_error *error);

#endif
