/* SPDX-License-Identifier: MIT */
/* Times in the answers of stores, as seconds since 1970 (UTC). */
#ifndef STORE_DATE_H
#define STORE_DATE_H

#include <stdint.h>

/* Parses "2026-11-28T22:21:57Z". A fraction is allowed and dropped; an offset such as "+01:00" may replace the Z.
 * Returns 0, or -EINVAL if the text is not in this form or the date does not exist. */
int date_read_iso(const char *text, int64_t *ret);

/* Parses "Sat, 28 Nov 2026 22:21:57 GMT", the form that HTTP uses. Returns 0 or -EINVAL. */
int date_read_http(const char *text, int64_t *ret);

/* Writes a time as "2026-11-28T22:21:57Z". Outside the years 0 to 9999 it writes "". */
#define DATE_MAX 32
void date_write(int64_t seconds, char ret[DATE_MAX]);

#endif
