/* Zeros: to write them, and to find them. */
#ifndef ROUTE_ZEROS_H
#define ROUTE_ZEROS_H

#include "base/base.h"

#define ZEROS (64 * 1024) /* bytes */

extern uint8_t zeros[ZEROS]; /* never written to; an op has no pointer to const */

/* Of these bytes, which go to `at` in a file: how many at the beginning are whole blocks of zeros, and how many come
 * before the next such block. A block is a page of the file, or what there is of one. */
size_t zeros_run(uint64_t at, const uint8_t *bytes, size_t n);
size_t zeros_next(uint64_t at, const uint8_t *bytes, size_t n);

#endif
