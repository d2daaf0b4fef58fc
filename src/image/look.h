/* SPDX-License-Identifier: MIT */
/* Finds out which blobs a target has. Several questions to a registry are in flight at once, so that an image with many
 * layers does not wait for each answer in turn. */
#ifndef IMAGE_LOOK_H
#define IMAGE_LOOK_H

#include "image/place.h"
#include "image/work.h"

enum image_look {
    LOOK_MISSING,
    LOOK_PRESENT,
    LOOK_MOUNTED, /* the target mounted it from another repository */
};

/* Fills in ret[0 .. blobs->count - 1], and mounts the blobs that can be mounted. The first failure ends it. */
int look_at(struct image_place *target, const struct image_place *source, const struct blobs *blobs,
            enum image_look *ret, struct leat_error *error);

#endif
