/* SPDX-License-Identifier: MIT */
#include "flow/run.h"
#include <time.h>

void run_poke_leg(struct leg *leg)
{
    struct loop *loop = atomic_load(&leg->loop);
    if (loop)
        loop_poke(loop, &leg->task);
}

void run_poke(struct run *run)
{
    for (size_t i = 0; i < run->plan->legs; i++)
        run_poke_leg(&run->leg[i]);
}

double run_cpu_seconds(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
        return 0; /* not every system counts it */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
