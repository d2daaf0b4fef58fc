/* Times in the answers of stores, as seconds since 1970 (UTC). */
#ifndef STORE_DATE_H
#define STORE_DATE_H

#include <stdint.h>

/* "2026-11-28T22:21:57Z", perhaps with a fraction, which is dropped, or with an offset "+01:00" in place of the Z.
 * -EINVAL: it is none, or a date that is not there. */
int date_read_iso(const char *text, int64_t *ret);

/* "Sat, 28 Nov 2026 22:21:57 GMT", as HTTP has it. -EINVAL. */
int date_read_http(const char *text, int64_t *ret);

/* "2026-11-28T22:21:57Z" of a time between the years 0 and 9999, else "". */
#define DATE_MAX 32
void date_write(int64_t seconds, char ret[DATE_MAX]);

#endif
