/* The clock of a pipe with filters that pace. Whoever waits in a call knows when to look again; whoever polls a
 * descriptor has to be told. So when the first descriptor is asked for a thread is started, which sleeps until the
 * moment that the chain last waited for and then says `tick`.
 *
 * Its lock is the last one that anybody takes; `tick` is called without it. */
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
    atomic_bool runs; /* changed under the lock */

    /* Under the lock. */
    bool stops;
    int64_t at_ns; /* NEVER: nobody waits for a time */
    void (*tick)(void *user);
    void *user;
};

int clock_init(struct clock *clock);
/* The thread is gone. */
void clock_destroy(struct clock *clock);

/* Once is enough, and any thread may do it. 0, or -ENOMEM: there can be no thread. */
int clock_start(struct clock *clock, void (*tick)(void *user), void *user);

/* It ticks at this time, and no more at the one before. */
void clock_set_running(struct clock *clock, int64_t at_ns);
static inline void clock_set(struct clock *clock, int64_t at_ns)
{
    if (atomic_load(&clock->runs))
        clock_set_running(clock, at_ns);
}

#endif
