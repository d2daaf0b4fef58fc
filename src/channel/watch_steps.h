/* SPDX-License-Identifier: MIT */
/* When the watcher looks for crashed peers: several times after an open file was closed, in growing steps, because the
 * kernel tells of a close shortly before it drops the lock that is the sign of life. Until the first look the watcher
 * hears of no other close: otherwise a peer that closes all the time would put that look off for ever. */
#ifndef CHANNEL_WATCH_STEPS_H
#define CHANNEL_WATCH_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#define WATCH_STEPS 6

/* How many looks were made. WATCH_STEPS: no look is due. */
struct watch_steps {
    size_t made;
};

/* Milliseconds until the next look. -1: no look is due. */
static inline int watch_steps_wait(const struct watch_steps *steps)
{
    static const int wait_ms[WATCH_STEPS] = {1, 4, 15, 80, 400, 1500};
    return steps->made < WATCH_STEPS ? wait_ms[steps->made] : -1;
}

/* Does the watcher hear of closes while it waits? */
static inline bool watch_steps_hears(const struct watch_steps *steps)
{
    return steps->made != 0;
}

static inline void watch_steps_heard(struct watch_steps *steps)
{
    steps->made = 0;
}

/* True: that was the last look. */
static inline bool watch_steps_looked(struct watch_steps *steps)
{
    return ++steps->made == WATCH_STEPS;
}

#endif
