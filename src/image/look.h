/* What a target has already. A registry is asked about several blobs at the same time, so that an image of many layers
 * does not wait for one answer after the other. */
#ifndef IMAGE_LOOK_H
#define IMAGE_LOOK_H

#include "image/place.h"
#include "image/work.h"

enum image_look {
    LOOK_MISSING,
    LOOK_PRESENT,
    LOOK_MOUNTED, /* the target took it from another repository */
};

/* What there is of each blob, into ret[0 .. blobs->count - 1]; what can be mounted is. The first failure ends it. */
int look_at(struct image_place *target, const struct image_place *source, const struct blobs *blobs,
            enum image_look *ret, struct leat_error *error);

#endif
