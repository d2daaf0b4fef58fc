/* Sizes for people. leat_size_parse (leat/base.h) reads them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/base.h"

/* "512", "64K", "1.5M", "3G": at most three digits before the point. Returns buffer. */
const char *size_format(uint64_t bytes, char *buffer, size_t size);

#endif
