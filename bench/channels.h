/* The queue of channels_boost.cpp, as C sees it. Each ends the program when it can't. */
#ifndef BENCH_CHANNELS_H
#define BENCH_CHANNELS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A queue between this process and its children, of `count` messages of `size` bytes. It has no name afterwards. */
void *boost_open(size_t count, size_t size);
void boost_put(void *queue, const void *bytes, size_t size);
void boost_get(void *queue, void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
