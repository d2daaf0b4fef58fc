/* SPDX-License-Identifier: MIT */
/* An image that is made of one layer, for the room `tree`. The same layer gives the same image: its configuration has
 * no times. */
#ifndef IMAGE_MADE_H
#define IMAGE_MADE_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct image_layer {
    int fd;                     /* a file with the layer, compressed by gzip; its position is changed */
    uint64_t size;              /* of the file */
    char digest[80], plain[80]; /* "sha256:...", of the file, and of the layer when it is decompressed */
};

/* Copies the image to the place that `target` names, as leat_image_copy does. `is_wanted` as for image_layers_open.
 * Blocks. Returns 0 or a negative errno with *error filled in. */
int image_made_copy(const struct image_layer *layer, const char *target, bool (*is_wanted)(void *user), void *user,
                    struct leat_error *error);

#endif
