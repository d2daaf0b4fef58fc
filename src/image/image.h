/* SPDX-License-Identifier: MIT */
/* Shared by the public calls. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/error.h"
#include <leat/image.h>

/* Copies the caller's options to *ret and *endpoint, which becomes a part of *ret, and checks the size of `result` (may
 * be NULL). Returns 0, or -EINVAL or another negative errno with a sentence. */
int image_options(struct leat_image_options *ret, struct leat_endpoint_options *endpoint,
                  const struct leat_image_options *options, const struct leat_image_result *result,
                  struct leat_error *error);
size_t image_jobs(const struct leat_image_options *options);

struct image_place;

/* Copies the image of an open place, which stays the caller's, to `target`. Returns as leat_image_copy does. */
int image_copy_place(struct image_place *source, const char *target, const struct leat_image_options *options,
                     struct leat_error *error);

#endif
