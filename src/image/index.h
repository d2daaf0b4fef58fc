/* index.json: the images of a layout, in a folder or in an archive. */
#ifndef IMAGE_INDEX_H
#define IMAGE_INDEX_H

#include "image/document.h"
#include <leat/base.h>

#define INDEX_MAX (64u * 1024 * 1024) /* bytes of an index.json */

/* An index, whose `manifests` is a list. `where` is its name for a sentence. -EBADMSG: it is none. */
int index_read(const char *bytes, size_t n, const char *where, json_t **ret, struct leat_error *error);

/* The tag of an entry, or NULL. */
const char *index_tag(json_t *entry);

/* The entry that `tag` names, or the only one if that is NULL: *ret_self. `where` and `form` ("oci:DIRECTORY:TAG") are
 * for a sentence. -ENOENT: there is none; -EINVAL: there are several; -EBADMSG. */
int index_find(json_t *index, const char *tag, const char *where, const char *form, struct descriptor *ret_self,
               struct leat_error *error);

/* A new index: that of before (NULL: there was none) with this image. One that had the tag loses it; `tag` NULL: it has
 * no name. Gives a reference. NULL: no memory. */
json_t *index_with(json_t *old, const struct descriptor *top, const char *tag);

/* "NAME", or "NAME:TAG", whose first colon ends the name. *ret_tag becomes NULL if there is none. Both are to be freed.
 * -EINVAL: one of them is empty; -ENOMEM. */
int index_split(const char *text, char **ret_name, char **ret_tag);

#endif
