/* SPDX-License-Identifier: MIT */
/* The clock of a pipe with filters that pace. A call that waits knows when to look again, but a caller that polls a
 * descriptor has to be told. So the first request for a descriptor starts a thread. It sleeps until the moment that the
 * chain last waited for, and then calls `tick`.
 *
 * The lock of the clock is the last in the order of locks. `tick` is called without it. */
#ifndef PIPE_CLOCK_H
#define PIPE_CLOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    pthread_t thread;
    atomic_bool runs; /* Changed under the lock. */

    /* Under the lock. */
    bool stops;
    int64_t at_ns; /* NEVER: no time is waited for. */
    void (*tick)(void *user);
    void *user;
};

int clock_init(struct clock *clock);
/* Ends the thread and waits for it. */
void clock_destroy(struct clock *clock);

/* Starts the thread, unless it runs already. Any thread may call it. Returns 0, or -ENOMEM: the thread cannot be
 * made. */
int clock_start(struct clock *clock, void (*tick)(void *user), void *user);

/* Sets the time of the next tick. It replaces the time that was set before. */
void clock_set_running(struct clock *clock, int64_t at_ns);
static inline void clock_set(struct clock *clock, int64_t at_ns)
{
    if (atomic_load(&clock->runs))
        clock_set_running(clock, at_ns);
}

#endif
