/* SPDX-License-Identifier: MIT */
#include "pipe/clock.h"
#include "base/thread.h"
#include "pipe/park.h"
#include <errno.h>

int clock_init(struct clock *clock)
{
    *clock = (struct clock){.at_ns = NEVER};
    int r = -pthread_mutex_init(&clock->lock, NULL);
    if (r == 0 && (r = thread_cond_init(&clock->cond)) < 0)
        pthread_mutex_destroy(&clock->lock);
    return r;
}

void clock_destroy(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    clock->stops = true;
    pthread_cond_signal(&clock->cond);
    pthread_mutex_unlock(&clock->lock);
    if (atomic_load(&clock->runs))
        pthread_join(clock->thread, NULL);
    pthread_cond_destroy(&clock->cond);
    pthread_mutex_destroy(&clock->lock);
}

static void *run(void *user)
{
    struct clock *clock = user;
    pthread_mutex_lock(&clock->lock);
    while (!clock->stops) {
        if (clock->at_ns == NEVER || clock->at_ns > clock_ns()) {
            thread_cond_wait(&clock->cond, &clock->lock, clock->at_ns);
            continue;
        }
        clock->at_ns = NEVER;
        pthread_mutex_unlock(&clock->lock);
        clock->tick(clock->user);
        pthread_mutex_lock(&clock->lock);
    }
    pthread_mutex_unlock(&clock->lock);
    return NULL;
}

int clock_start(struct clock *clock, void (*tick)(void *user), void *user)
{
    int r = 0;
    pthread_mutex_lock(&clock->lock);
    if (!atomic_load(&clock->runs)) {
        clock->tick = tick;
        clock->user = user;
        r = thread_create(&clock->thread, run, clock) < 0 ? -ENOMEM : 0;
        atomic_store(&clock->runs, r == 0);
    }
    pthread_mutex_unlock(&clock->lock);
    return r;
}

void clock_set_running(struct clock *clock, int64_t at_ns)
{
    pthread_mutex_lock(&clock->lock);
    clock->at_ns = at_ns;
    pthread_cond_signal(&clock->cond);
    pthread_mutex_unlock(&clock->lock);
}
