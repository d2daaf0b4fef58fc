/* SPDX-License-Identifier: MIT */
/* The arithmetic of a buffer's level: when it takes bytes, and when it gives them. Pure functions.
 *
 * It takes bytes until it is full. Then it takes none before its level has fallen to `stop`. It gives bytes once its
 * level has reached `start`. When it has run empty, it waits for `start` again. A full buffer gives, whatever `start`
 * is, and an empty buffer takes, whatever `stop` is, so one of the two sides always goes on. When the input has ended,
 * the buffer gives all that it has. */
#ifndef BUFFER_WATER_H
#define BUFFER_WATER_H

#include "base/base.h"
#include <stdbool.h>

struct water {
    uint64_t size, start, stop; /* in bytes; start and stop are at most size */
    uint64_t level, top;        /* the bytes in the buffer now, and the most there have been */
    bool takes, gives, ended;
    uint64_t filled, emptied; /* how often it became full, and how often it ran empty before its input ended */
};

/* Returns that many percent of a size, without an overflow. */
static inline uint64_t water_percent(uint64_t size, unsigned percent)
{
    return size / 100 * percent + size % 100 * percent / 100;
}

static inline struct water water_of(uint64_t size, unsigned start, unsigned stop)
{
    return (struct water){.size = size,
                          .start = water_percent(size, start),
                          .stop = water_percent(size, stop),
                          .takes = true,
                          .gives = start == 0};
}

/* Returns how many bytes the buffer takes now. */
static inline uint64_t water_room(const struct water *w)
{
    return w->takes && !w->ended ? w->size - w->level : 0;
}

/* Returns how many bytes the buffer gives now. */
static inline uint64_t water_ready(const struct water *w)
{
    return w->gives || w->ended ? w->level : 0;
}

/* The buffer can't grow any more, whatever its size is. */
static inline void water_full(struct water *w)
{
    w->filled += w->takes;
    w->takes = false;
    w->gives = true;
}

static inline void water_rise(struct water *w, uint64_t n)
{
    w->level += n;
    w->top = MAX(w->top, w->level);
    w->gives |= w->level >= w->start;
    if (w->level == w->size)
        water_full(w);
}

/* Takes bytes again after water_full, if the level is low enough. */
static inline void water_resume(struct water *w)
{
    w->takes |= w->level <= w->stop && w->level < w->size;
}

static inline void water_fall(struct water *w, uint64_t n)
{
    w->level -= n;
    water_resume(w);
    if (w->level || w->ended)
        return;
    w->emptied++;
    w->gives = w->start == 0;
}

static inline void water_end(struct water *w)
{
    w->ended = true;
}

#endif
