/* Where threads of one side wait for the other side, and what wakes them: a condition, and a descriptor for those who
 * poll instead.
 *
 * No wake-up is lost: who waits announces itself (`listeners`) and then looks once more; who changes something does
 * that first and then looks for listeners. All four are sequentially consistent, so at least one sees the other. A
 * wake-up costs one load where nobody waits. */
#ifndef PIPE_PARK_H
#define PIPE_PARK_H

#include "base/base.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct park {
    atomic_uint listeners; /* threads that wait here, and one more once the descriptor was asked for */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool spins; /* it looks around for some microseconds before it sleeps */

    /* Under the lock. */
    int fd[2];   /* a pipe, made when it is asked for */
    bool raised; /* a byte is in it */
};

/* Is there something to do? Called with the lock held: may take no lock under which park_wake is called. */
typedef bool (*park_ready)(void *user);

#define NEVER INT64_MAX /* a deadline */

int park_init(struct park *park);
void park_destroy(struct park *park);

/* Until it is ready (true), or the deadline of clock_ns has come. */
bool park_wait(struct park *park, park_ready ready, void *user, int64_t deadline_ns);

/* Something changed. Any thread. */
void park_wake_listeners(struct park *park);
static inline void park_wake(struct park *park)
{
    if (atomic_load(&park->listeners))
        park_wake_listeners(park);
}

/* A descriptor that is readable while it is ready, as park_settle last found out, or something has changed since. */
int park_fd(struct park *park, park_ready ready, void *user, int *ret);
void park_settle_fd(struct park *park, park_ready ready, void *user);
static inline void park_settle(struct park *park, park_ready ready, void *user)
{
    if (atomic_load_explicit(&park->listeners, memory_order_relaxed))
        park_settle_fd(park, ready, user);
}

#endif
