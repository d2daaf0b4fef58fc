/* SPDX-License-Identifier: MIT */
#include "route/zeros.h"
#include <stdbool.h>
#include <string.h>

uint8_t zeros[ZEROS];

/* Returns the length of the whole blocks at the start that are all zeros, or (`zero` false) that all are not. */
static size_t blocks_of(bool zero, uint64_t at, const uint8_t *bytes, size_t n)
{
    size_t run = 0, block;
    for (; run < n; run += block) {
        block = MIN(n - run, PAGE - (size_t)((at + run) % PAGE));
        if ((memcmp(bytes + run, zeros, block) == 0) != zero)
            break;
    }
    return run;
}

size_t zeros_run(uint64_t at, const uint8_t *bytes, size_t n)
{
    return blocks_of(true, at, bytes, n);
}

size_t zeros_next(uint64_t at, const uint8_t *bytes, size_t n)
{
    return blocks_of(false, at, bytes, n);
}
