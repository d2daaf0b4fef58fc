/* SPDX-License-Identifier: MIT */
#include "turn.h"
#include <errno.h>
#include <time.h>

int turn_init(struct turn *turn)
{
    pthread_condattr_t attributes;
    int r = pthread_condattr_init(&attributes);

    if (r != 0)
        return -r;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    r = pthread_cond_init(&turn->given, &attributes);
    pthread_condattr_destroy(&attributes);
    if (r != 0)
        return -r;
    if ((r = pthread_mutex_init(&turn->lock, NULL)) != 0)
        pthread_cond_destroy(&turn->given);
    turn->made = r == 0;
    return -r;
}

static struct timespec after(int timeout_ms)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    return end;
}

int turn_take(struct turn *turn, int timeout_ms)
{
    struct timespec end;
    int r = 0;

    pthread_mutex_lock(&turn->lock);
    if (turn->taken && timeout_ms == 0)
        r = -EAGAIN;
    else if (turn->taken && timeout_ms > 0)
        end = after(timeout_ms);
    while (turn->taken && r == 0)
        if (timeout_ms < 0)
            pthread_cond_wait(&turn->given, &turn->lock);
        else
            r = -pthread_cond_timedwait(&turn->given, &turn->lock, &end);
    if (!turn->taken) {
        turn->taken = true;
        r = 0;
    }
    pthread_mutex_unlock(&turn->lock);
    return r;
}

void turn_give(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->taken = false;
    pthread_cond_signal(&turn->given);
    pthread_mutex_unlock(&turn->lock);
}

void turn_free(struct turn *turn)
{
    if (!turn->made)
        return;
    pthread_mutex_destroy(&turn->lock);
    pthread_cond_destroy(&turn->given);
}
