/* SPDX-License-Identifier: MIT */
/* Shared by the small programs of the benchmark. They end at the first failure. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* Reads a number, which K, M or G may follow. */
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

/* Allocates pages and writes to each, so that no page fault happens later. */
static inline void *tool_buffer(size_t size)
{
    void *buffer = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    if (!buffer)
        tool_fail("memory");
    memset(buffer, 1, size);
    return buffer;
}

/* Checks the result of a function that returns 0 or a negative errno. */
static inline void tool_must(int code, const char *what)
{
    if (code == 0)
        return;
    errno = -code;
    tool_fail(what);
}

/* Maps zeros that the process shares with its children. */
static inline void *tool_shared(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        tool_fail("mmap");
    memset(at, 0, size);
    return at;
}

#endif
