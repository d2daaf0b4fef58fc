/* SPDX-License-Identifier: MIT */
/* An image of containers as the source: its layers are unpacked one over the other, the lowest first. */
#ifndef TREE_UNPACK_LAYERS_H
#define TREE_UNPACK_LAYERS_H

#include "tree/archive/unpack.h"

struct image_layers;

/* Unpacks the layers into the folder `target`, which must be missing or empty. `name` is that of the image. Returns as
 * unpack_tar. */
int unpack_layers(struct tree_copy *tree, struct image_layers *layers, const char *name, const char *target,
                  struct leat_error *error);

#endif
