/* SPDX-License-Identifier: MIT */
/* JSON texts, with names in them that may have any bytes although JSON is Unicode. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

/* Parses a document. Returns 0 and gives a reference. -EBADMSG: the bytes are not a JSON document. -ENOMEM. */
int json_read(json_t **ret, const char *bytes, size_t n);

/* Makes a string; bytes that are not valid UTF-8 become U+FFFD, and NULL becomes null. Gives a reference, or returns
 * NULL if there is no memory. */
json_t *json_name(const char *name);

/* Add `value` to a list or to an object, and take its reference. If the list or object or `value` is NULL because
 * memory ran out, or if memory runs out now, the list or object is freed and becomes NULL. So no list has a gap, and
 * the caller only checks the finished document. */
void json_append(json_t **list, json_t *value);
void json_set(json_t **object, const char *key, json_t *value);

/* Makes one line of text with a newline of the document. Takes the reference, which may be NULL. The caller frees the
 * text. NULL: no memory. json_dumps is not used, because it silently leaves out a key if its buffer can't grow. */
char *json_line(json_t *json, size_t flags);

#endif
