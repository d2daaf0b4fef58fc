/* Small things that every room uses: cleanup of locals, sizes of arrays, the clock, copying of options. */
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

#define PAGE 4096u /* the unit of pipe slots and of file blocks; only a rounding, never a promise of the kernel's */

#ifndef ELIBACC /* Linux has it, POSIX does not */
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

#define OPTIONS_MAX PAGE /* no struct of options is ever that large; a larger size is garbage */

static inline size_t options_size(const void *options)
{
    size_t size;
    memcpy(&size, options, sizeof(size));
    return size;
}

/* Copies a caller's struct that begins with its own size, which may be an older or a newer one than ours. What the
 * caller does not have is zero. `from` NULL means all zero. -EINVAL: the size can't be, as 0 of a struct that was never
 * initialised; all is zero then. -E2BIG: the caller asks for what this library does not know, because what lies behind
 * our struct is not zero; what is known was copied. */
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

/* The way back: fills what the caller has room for and keeps the caller's size. -EINVAL if that can't be. */
static inline int return_sized(void *to, const void *from, size_t size)
{
    size_t theirs = options_size(to);
    if (theirs < sizeof(theirs))
        return -EINVAL;
    memcpy(to, from, MIN(theirs, size));
    memcpy(to, &theirs, sizeof(theirs));
    return 0;
}

/* Is `value`, of an enum that counts from 0, none of those up to `last`? */
static inline int enum_check(int64_t value, int64_t last)
{
    return value < 0 || value > last ? -EINVAL : 0;
}

#endif
