/* Names in JSON: they may be any bytes, and JSON is Unicode. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

/* Reads a document. -EBADMSG: it is none; -ENOMEM. */
int json_read(json_t **ret, const char *bytes, size_t n);

/* A string; bytes that are no UTF-8 become U+FFFD. NULL becomes null. Gives a reference. NULL: no memory. */
json_t *json_name(const char *name);

/* Add `value`, a reference that is taken, to a list or to an object. Where either of them is NULL, for want of memory,
 * or memory runs out, what there is so far is given up and becomes NULL: so no list has a gap, and the caller checks
 * the whole alone. */
void json_append(json_t **list, json_t *value);
void json_set(json_t **object, const char *key, json_t *value);

/* One line of text with its newline; the reference is taken, NULL too. To be freed; NULL: no memory. json_dumps is not
 * used, because it leaves out a key for which its buffer could not grow, and says nothing. */
char *json_line(json_t *json, size_t flags);

#endif
