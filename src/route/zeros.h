/* SPDX-License-Identifier: MIT */
/* A block of zeros to write from, and functions that find zeros. */
#ifndef ROUTE_ZEROS_H
#define ROUTE_ZEROS_H

#include "base/base.h"

#define ZEROS (64 * 1024) /* bytes */

extern uint8_t zeros[ZEROS]; /* nothing writes to it; it is not const because an op has no pointer to const */

/* `bytes` go to offset `at` of a file. zeros_run returns how many bytes at the start are whole blocks of zeros;
 * zeros_next how many bytes come before the next such block. A block is a page of the file, or the part of a page that
 * `bytes` cover. */
size_t zeros_run(uint64_t at, const uint8_t *bytes, size_t n);
size_t zeros_next(uint64_t at, const uint8_t *bytes, size_t n);

#endif
