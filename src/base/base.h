/* SPDX-License-Identifier: MIT */
/* Helpers for every room: cleanup of local variables, array sizes, the clock, copies of option structs. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))
#define UNUSED           __attribute__((unused))
#define CLEANUP(f)       __attribute__((cleanup(f)))
#define COLD             __attribute__((cold, noinline))
#define PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))

#define PAGE 4096u /* unit of pipe slots and of file blocks; used for rounding, never taken for the kernel's size */

#ifndef ELIBACC /* Linux defines it, POSIX does not */
#define ELIBACC ENOSYS
#endif

static inline void free_pointer(void *p)
{
    free(*(void **)p);
}
#define CLEANUP_FREE CLEANUP(free_pointer)

static inline int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#define OPTIONS_MAX PAGE /* no struct of options is that large, so a larger size is garbage */

static inline size_t options_size(const void *options)
{
    size_t size;
    memcpy(&size, options, sizeof(size));
    return size;
}

/* Copies the caller's struct `from`, which begins with its own size, to `to`, which has `size` bytes. The caller may
 * have been compiled with an older or a newer header, so its struct may be shorter or longer. Members that the caller's
 * struct lacks become zero. `from` NULL: all members become zero.
 *
 * Returns 0. -EINVAL: the size is impossible, such as 0 in a struct that was never initialised; then all members are
 * zero. -E2BIG: the caller's struct has bytes beyond `size` that are not zero, which ask for something that this
 * library does not know, or its size is more than OPTIONS_MAX; the members that are known have been copied. */
static inline int options_copy(void *to, size_t size, const void *from)
{
    size_t theirs = from ? options_size(from) : size;
    int r = theirs < sizeof(theirs) ? -EINVAL : theirs > OPTIONS_MAX ? -E2BIG : 0;
    memset(to, 0, size);
    if (from && r != -EINVAL)
        memcpy(to, from, MIN(theirs, size));
    for (size_t i = size; r == 0 && i < theirs; i++)
        r = ((const unsigned char *)from)[i] ? -E2BIG : 0;
    memcpy(to, &size, sizeof(size));
    return r;
}

/* Copies the result `from` to the caller's struct `to`: as many bytes as the size in `to` says, at most `size`. That
 * size stays. Returns 0, or -EINVAL if the size is impossible. */
static inline int return_sized(void *to, const void *from, size_t size)
{
    size_t theirs = options_size(to);
    if (theirs < sizeof(theirs))
        return -EINVAL;
    memcpy(to, from, MIN(theirs, size));
    memcpy(to, &theirs, sizeof(theirs));
    return 0;
}

/* Returns 0 if `value` is an enumerator from 0 to `last`, or -EINVAL. */
static inline int enum_check(int64_t value, int64_t last)
{
    return value < 0 || value > last ? -EINVAL : 0;
}

#endif
