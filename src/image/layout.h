/* Images in a folder, by the image layout of the Open Container Initiative. */
#ifndef IMAGE_LAYOUT_H
#define IMAGE_LAYOUT_H

#include "image/document.h"
#include <leat/base.h>

/* "DIRECTORY/blobs/sha256/HEX", to be freed; NULL: no memory. The digest is valid. */
char *layout_blob_path(const char *directory, const char *digest);

/* The entries of DIRECTORY/index.json: gives the document, whose `manifests` is a list. -ENOENT: there is none;
 * -EBADMSG. */
int layout_index(const char *directory, json_t **ret, struct leat_error *error);

#endif
