/* SPDX-License-Identifier: MIT */
#include "pipe/park.h"
#include "base/platform.h"
#include "base/spin.h"
#include "base/thread.h"

/* The other side is probably in the middle of its copy. A wake-up costs tens of microseconds, so a thread spins for at
 * most about as long before it sleeps. With a tenth of this time, a quarter of the runs between two threads took three
 * times as long (bench: threads/queue). */
#define SPIN_NS    40000
#define SPIN_LOOKS 400

int park_init(struct park *park)
{
    *park = (struct park){.flag = FD_FLAG_NONE, .spins = platform.processors() > 1};
    int r = -pthread_mutex_init(&park->lock, NULL);
    if (r == 0 && (r = thread_cond_init(&park->cond)) < 0)
        pthread_mutex_destroy(&park->lock);
    return r;
}

void park_destroy(struct park *park)
{
    fd_flag_close(&park->flag);
    pthread_cond_destroy(&park->cond);
    pthread_mutex_destroy(&park->lock);
}

static bool spin(struct park *park, park_ready ready, void *user, int64_t deadline_ns)
{
    struct spin_budget budget = {park->spins ? SPIN_LOOKS : 0, MIN(clock_ns() + SPIN_NS, deadline_ns)};
    while (spin_yield(&budget)) {
        pthread_mutex_lock(&park->lock);
        bool is_ready = ready(user);
        pthread_mutex_unlock(&park->lock);
        if (is_ready)
            return true;
    }
    return false;
}

bool park_wait(struct park *park, park_ready ready, void *user, int64_t deadline_ns)
{
    if (spin(park, ready, user, deadline_ns))
        return true;
    bool is_ready, in_time = true;
    pthread_mutex_lock(&park->lock);
    atomic_fetch_add(&park->listeners, 1);
    while (!(is_ready = ready(user)) && in_time)
        in_time = thread_cond_wait(&park->cond, &park->lock, deadline_ns);
    atomic_fetch_sub(&park->listeners, 1);
    pthread_mutex_unlock(&park->lock);
    return is_ready;
}

void park_wake_listeners(struct park *park)
{
    pthread_mutex_lock(&park->lock);
    pthread_cond_broadcast(&park->cond);
    fd_flag_set(&park->flag, true);
    pthread_mutex_unlock(&park->lock);
}

/* A thread that changes something after this look finds a listener, waits for the lock and makes the descriptor
 * readable again. */
void park_settle_fd(struct park *park, park_ready ready, void *user)
{
    pthread_mutex_lock(&park->lock);
    fd_flag_set(&park->flag, ready(user));
    pthread_mutex_unlock(&park->lock);
}

int park_fd(struct park *park, park_ready ready, void *user, int *ret)
{
    pthread_mutex_lock(&park->lock);
    int r = fd_flag_open(&park->flag);
    if (r == 0) {
        atomic_fetch_add(&park->listeners, 1);
        if (ready(user))
            fd_flag_set(&park->flag, true);
        *ret = park->flag.fd[0];
    }
    pthread_mutex_unlock(&park->lock);
    return r;
}
