/* Formats sizes for people. leat_size_parse and leat_time_parse (leat/base.h) parse what people write. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/base.h"

/* Formats a size such as "512", "1.50M", "64.0K" or "300G": at most three digits, and a point if there is room for one.
 * Returns buffer. */
const char *size_format(uint64_t bytes, char *buffer, size_t size);

#endif
