/* Sizes for people. leat_size_parse and leat_time_parse (leat/base.h) read what people write. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/base.h"

/* "512", "1.50M", "64.0K", "300G": at most three digits, and a point where there is room for one. Returns buffer. */
const char *size_format(uint64_t bytes, char *buffer, size_t size);

#endif
