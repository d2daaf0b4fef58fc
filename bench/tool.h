/* What the little programs of the benchmark share. They end at the first failure. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline _Noreturn void tool_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline _Noreturn void tool_usage(const char *usage)
{
    fprintf(stderr, "usage: %s\n", usage);
    exit(2);
}

/* A number with K, M or G behind it. */
static inline uint64_t tool_number(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);
    if (*end == 'K' || *end == 'M' || *end == 'G')
        n <<= *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
    else if (*end || end == text)
        tool_usage("a number may end with K, M or G");
    return n;
}

/* Page-aligned and touched, so that no page fault is left for later. */
static inline void *tool_buffer(size_t size)
{
    void *buffer = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    if (!buffer)
        tool_fail("memory");
    memset(buffer, 1, size);
    return buffer;
}

#endif
