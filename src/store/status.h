/* What a status of HTTP that is a failure means. */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "store/store.h"

#define STATUS_MAX 200 /* a sentence, with its NUL */

/* A negative errno. */
int status_code(int status);

/* "the server answers 404: why"; "": nothing more is known. */
void status_sentence(int status, const char *why, char ret[STATUS_MAX]);

/* "the server answers 404: NoSuchKey: ..." */
void status_explain(const struct object *object, int status, const char *body, size_t n, char ret[STATUS_MAX]);

#endif
