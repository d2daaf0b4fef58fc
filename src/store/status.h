/* SPDX-License-Identifier: MIT */
/* The meaning of an HTTP status that is a failure. */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "store/store.h"

#define STATUS_MAX 200 /* a sentence, with its NUL */

/* Returns a negative errno for the status. */
int status_code(int status);

/* Writes "the server answers 404: why". `why` may be "". */
void status_sentence(int status, const char *why, char ret[STATUS_MAX]);

/* Writes "the server answers 404: NoSuchKey: ...", with the store's explanation of the body. */
void status_explain(const struct object *object, int status, const char *body, size_t n, char ret[STATUS_MAX]);

#endif
