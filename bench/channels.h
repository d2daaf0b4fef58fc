/* SPDX-License-Identifier: MIT */
/* The queue of channels_boost.cpp, for C. Each function ends the program if it fails. */
#ifndef BENCH_CHANNELS_H
#define BENCH_CHANNELS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a queue of `count` messages of `size` bytes between this process and its children. It has no name then. */
void *boost_open(size_t count, size_t size);
void boost_put(void *queue, const void *bytes, size_t size);
void boost_get(void *queue, void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
