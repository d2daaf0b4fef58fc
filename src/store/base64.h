/* SPDX-License-Identifier: MIT */
/* Base64 with the standard alphabet (RFC 4648). */
#ifndef STORE_BASE64_H
#define STORE_BASE64_H

#include "base/base.h"

/* Encodes n bytes. Returns a string that the caller frees, or NULL if memory is short. */
char *base64_write(const char *bytes, size_t n);

/* Decodes `text`; padding may be missing. Returns the bytes with a NUL after them, which the caller frees, and sets
 * *ret_n. NULL: `text` is not base64, or memory is short. */
char *base64_read(const char *text, size_t *ret_n);

#endif
