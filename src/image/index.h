/* SPDX-License-Identifier: MIT */
/* index.json: the images of a layout, in a folder or in an archive. */
#ifndef IMAGE_INDEX_H
#define IMAGE_INDEX_H

#include "image/document.h"
#include <leat/base.h>

#define INDEX_MAX (64u * 1024 * 1024) /* bytes of an index.json */

/* Reads an index whose `manifests` is a list. `where` is its name for messages. *ret is a new reference. Returns 0, or
 * -EBADMSG if it is not such an index. */
int index_read(const char *bytes, size_t n, const char *where, json_t **ret, struct leat_error *error);

/* Returns the tag of an entry, or NULL. */
const char *index_tag(json_t *entry);

/* Finds the entry with this tag, or, if `tag` is NULL, the only entry. `where` and `form` ("oci:DIRECTORY:TAG") are for
 * messages. Returns 0, -ENOENT if there is none, -EINVAL if there are several, or -EBADMSG. */
int index_find(json_t *index, const char *tag, const char *where, const char *form, struct descriptor *ret_self,
               struct leat_error *error);

/* Makes a new index: the old one (NULL: none) with this image added. An old entry with the same tag is left out. `tag`
 * NULL: the image gets no name, and an old entry of the same image without a name is left out. Returns a new reference,
 * or NULL if memory is short. */
json_t *index_with(json_t *old, const struct descriptor *top, const char *tag);

/* Splits "NAME" or "NAME:TAG". The first colon ends the name. *ret_tag is NULL if there is no tag. The caller frees
 * both. Returns 0, -EINVAL if one of them is empty, or -ENOMEM. */
int index_split(const char *text, char **ret_name, char **ret_tag);

#endif
