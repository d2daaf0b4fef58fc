/* SPDX-License-Identifier: MIT */
/* The layers of an image, for the room `tree`: each is a tar archive, compressed or not. */
#ifndef IMAGE_LAYERS_H
#define IMAGE_LAYERS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct image_layers;

/* Finds the image that `spec` names, or, of an index, the one for this machine. `is_wanted` is asked from time to time,
 * on the calling thread, whether to go on; if not, calls return -ECANCELED. Blocks. Returns 0 or a negative errno with
 * *error filled in. */
int image_layers_open(struct image_layers **ret, const char *spec, bool (*is_wanted)(void *user), void *user,
                      struct leat_error *error);
size_t image_layers_count(const struct image_layers *layers);
/* Puts layer `i`, counted from the lowest, into a file without a name, and compares it with its digest. Blocks. Gives
 * the descriptor, whose position is not defined, or returns a negative errno with *error filled in. */
int image_layers_take(struct image_layers *layers, size_t i, struct leat_error *error);
/* NULL is allowed. */
void image_layers_close(struct image_layers *layers);

#endif
