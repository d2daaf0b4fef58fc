/* SPDX-License-Identifier: MIT */
/* A park: where the threads of one side wait for the other side. It has a condition variable, and a descriptor for
 * callers that poll instead.
 *
 * No wake-up is lost. A thread that waits announces itself (`listeners`) and then looks once more. A thread that
 * changes something does that first and then looks for listeners. All four accesses are sequentially consistent, so at
 * least one of the two sees the other. If no thread waits, a wake-up costs one load. */
#ifndef PIPE_PARK_H
#define PIPE_PARK_H

#include "base/base.h"
#include "base/fd.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct park {
    atomic_uint listeners; /* Threads that wait here, plus one for each time that the descriptor was asked for. */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool spins; /* A thread spins for some microseconds before it sleeps. */

    /* Under the lock. */
    struct fd_flag flag;
};

/* Is there something to do? It is called with the park's lock held, so it must not take a lock under which park_wake is
 * called. */
typedef bool (*park_ready)(void *user);

#define NEVER INT64_MAX /* As a deadline: there is none. */

int park_init(struct park *park);
void park_destroy(struct park *park);

/* Waits until `ready` returns true (true), or the deadline has come (false). `deadline_ns` is a time of clock_ns. */
bool park_wait(struct park *park, park_ready ready, void *user, int64_t deadline_ns);

/* Wakes all threads that wait here and makes the descriptor readable. Call it after the change. Any thread. */
void park_wake_listeners(struct park *park);
static inline void park_wake(struct park *park)
{
    if (atomic_load(&park->listeners))
        park_wake_listeners(park);
}

/* park_fd gives a descriptor that is readable while `ready` is true, as park_settle found last, or after a park_wake
 * since. It is borrowed and lives as long as the park. Returns 0 or a negative errno. park_settle asks `ready` and
 * makes the descriptor readable or silent. */
int park_fd(struct park *park, park_ready ready, void *user, int *ret);
void park_settle_fd(struct park *park, park_ready ready, void *user);
static inline void park_settle(struct park *park, park_ready ready, void *user)
{
    if (atomic_load_explicit(&park->listeners, memory_order_relaxed))
        park_settle_fd(park, ready, user);
}

#endif
