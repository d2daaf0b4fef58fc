/* Base64 with the usual letters (RFC 4648). */
#ifndef STORE_BASE64_H
#define STORE_BASE64_H

#include "base/base.h"

/* The text, to be freed. NULL: no memory. */
char *base64_write(const char *bytes, size_t n);

/* The bytes, with a NUL behind them, to be freed. Padding may be missing. NULL: it is no base64, or there is no memory.
 */
char *base64_read(const char *text, size_t *ret_n);

#endif
