/* SPDX-License-Identifier: MIT */
/* Images in a folder, in the image layout of the Open Container Initiative. */
#ifndef IMAGE_LAYOUT_H
#define IMAGE_LAYOUT_H

#include "image/document.h"
#include <leat/base.h>

/* Returns "DIRECTORY/blobs/sha256/HEX", which the caller frees; NULL if memory is short. The digest must be valid. */
char *layout_blob_path(const char *directory, const char *digest);

/* Reads DIRECTORY/index.json, whose `manifests` is a list. *ret is a new reference. Returns 0, -ENOENT if it does not
 * exist, or -EBADMSG. */
int layout_index(const char *directory, json_t **ret, struct leat_error *error);

#endif
