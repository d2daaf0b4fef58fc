/* SPDX-License-Identifier: MIT */
/* Spinning: a thread looks again for a short time before it sleeps. It pays where another thread is about to finish,
 * because a sleep costs a wake-up of tens of microseconds.
 *
 * Each wait brings its own budget: how many looks, and until when. Which budget pays depends on what a look costs, so
 * the waits keep theirs beside the benchmark row that justifies it. If the thread has only one processor, the other
 * side cannot go on meanwhile; see platform.processors. */
#ifndef BASE_SPIN_H
#define BASE_SPIN_H

#include "base/base.h"
#include <sched.h>
#include <stdbool.h>

struct spin_budget {
    unsigned looks;   /* looks that are left */
    int64_t until_ns; /* a time of clock_ns; INT64_MAX: the looks alone count */
};

/* May the caller look once more? Counts that look. */
static inline bool spin_again(struct spin_budget *budget)
{
    if (budget->looks == 0 || (budget->until_ns != INT64_MAX && clock_ns() >= budget->until_ns))
        return false;
    budget->looks--;
    return true;
}

/* Same as spin_again, and lets another thread have the processor before that look. */
static inline bool spin_yield(struct spin_budget *budget)
{
    bool again = spin_again(budget);
    if (again)
        sched_yield();
    return again;
}

/* Tells the processor that the thread is in a loop that waits. */
static inline void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits while `busy`, without a limit. Only for what another thread ends within a few instructions or one call that
 * does not sleep. */
#define SPIN_WHILE(busy)                                                                                               \
    do {                                                                                                               \
        while (busy)                                                                                                   \
            sched_yield();                                                                                             \
    } while (0)

#endif
