/* SPDX-License-Identifier: MIT */
#include "base/origin.h"
#include <pthread.h>
#include <stdatomic.h>

/* Number of forks between the process that made the first object and this process, plus 1. */
static atomic_uint forks = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void begin(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

unsigned origin_here(void)
{
    pthread_once(&once, begin);
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

bool origin_is_here(unsigned origin)
{
    return origin == atomic_load_explicit(&forks, memory_order_relaxed);
}
