/* SPDX-License-Identifier: MIT */
/* Writes tar files. The same entries give the same bytes on every machine and at any time. */
#ifndef IMAGE_ARCHIVE_PACK_H
#define IMAGE_ARCHIVE_PACK_H

#include "image/archive_spool.h"
#include "image/watch.h"

struct pack_item {
    const char *name;
    const void *bytes; /* NULL: the bytes are those of `blob` */
    size_t length;
    const struct spool_blob *blob;
};

/* Writes the archive of these items to `sink`, which the call takes. `path` is the archive's name for messages. `watch`
 * may be NULL. */
int pack_write(struct image_watch *watch, leat_endpoint *sink, const char *path, const struct pack_item *item,
               size_t count, struct leat_error *error);

#endif
