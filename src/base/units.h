/* SPDX-License-Identifier: MIT */
/* Sizes and times as people read and write them: leat_size_parse, leat_size_format and leat_time_parse (leat/base.h).
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/base.h"

/* As leat_size_format, in powers of 1024. Returns buffer, for printf. */
const char *size_format(uint64_t bytes, char *buffer, size_t size);

/* As leat_size_parse, of the first n bytes of a text. */
int size_parse(const char *text, size_t n, uint64_t *ret_bytes);

#endif
