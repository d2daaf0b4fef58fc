/* SPDX-License-Identifier: MIT */
/* For systems other than Linux: POSIX has none of these calls. Waiting yields the processor. */
#include "bench/system.h"
#include <errno.h>
#include <sched.h>

const bool system_sleeps = false;

static int absent(void)
{
    errno = ENOSYS;
    return -ENOSYS;
}

int system_pipe_size(int fd, size_t want)
{
    (void)fd, (void)want;
    return absent();
}

ssize_t system_give(int pipe, const void *bytes, size_t n, bool wait)
{
    (void)pipe, (void)bytes, (void)n, (void)wait;
    absent();
    return -1;
}

ssize_t system_pass(int pipe, int to, size_t n, bool wait)
{
    (void)pipe, (void)to, (void)n, (void)wait;
    absent();
    return -1;
}

int system_huge(void *bytes, size_t n, bool wanted)
{
    (void)bytes, (void)n, (void)wanted;
    return absent();
}

int system_pin(int cpu)
{
    (void)cpu;
    return absent();
}

int system_eventfd(void)
{
    return absent();
}

void system_wait(_Atomic uint32_t *word, uint32_t value)
{
    if (atomic_load(word) == value)
        sched_yield();
}

void system_wake(_Atomic uint32_t *word)
{
    (void)word;
}
