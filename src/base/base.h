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

/* Copies a caller's struct that begins with its own size, which may be an older or a newer one than ours: what the
 * caller does not have is zero, what we do not know is left out. `from` NULL means all zero. */
static inline void copy_sized(void *to, size_t size, const void *from)
{
    memset(to, 0, size);
    if (from) {
        size_t theirs;
        memcpy(&theirs, from, sizeof(theirs));
        memcpy(to, from, MIN(theirs, size));
    }
    memcpy(to, &size, sizeof(size));
}

/* The way back: fills what the caller has room for and keeps the caller's size. */
static inline void return_sized(void *to, const void *from, size_t size)
{
    size_t theirs;
    memcpy(&theirs, to, sizeof(theirs));
    memcpy(to, from, MIN(theirs, size));
    memcpy(to, &theirs, sizeof(theirs));
}

#endif
