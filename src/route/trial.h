/* SPDX-License-Identifier: MIT */
/* Compares routes by the speeds that they had: decides which one moves the next bytes, and for how long. It is
 * arithmetic alone. Who calls it measures, and changes the route.
 *
 * One route is *home*. It moves the bytes, and now and then another one, the *rival*, is compared with it: in pairs of
 * windows, home first in one pair and last in the next, so that a peer that gets slower or faster favours neither. A
 * look is a series of pairs. It ends when the rival is clearly faster, and is home from then on, or is not. Where both
 * are equally fast, the one that takes less processor time is better.
 *
 * What trying costs is bounded: a window of a rival begins only if, were it lost whole, all losses so far would be at
 * most a small share of the time of the run. So a bad rival is tried ever more rarely. */
#ifndef ROUTE_TRIAL_H
#define ROUTE_TRIAL_H

#include "base/base.h"
#include <stdbool.h>

#define TRIAL_ROUTES 3

/* What one route did in one window, or in all of its windows. */
struct trial_sample {
    uint32_t windows;
    uint64_t bytes;
    int64_t ns, cpu_ns; /* wall time, and processor time of the thread; cpu_ns 0: not known */
};

/* The numbers behind the decisions. They are the same for all runs; only tests change them. */
struct trial_tuning {
    int64_t window_ns;     /* how long a window lasts */
    uint64_t window_bytes; /* a window in which fewer bytes move says nothing */
    double share;          /* of the time of the run, which trying may cost */
    int64_t rest_ns;       /* the least time between two looks */
    double rest;           /* the same, as a multiple of the time that the run has lasted */
};
extern struct trial_tuning trial_tuning;

struct trial {
    size_t routes;                         /* that are compared; routes are known by their numbers from 0 */
    size_t home, rival;                    /* see above */
    size_t running;                        /* the route of the current window: one of the two */
    struct trial_sample sum[TRIAL_ROUTES]; /* of all windows of each route */
    uint32_t changes;                      /* how often another route has become home */

    int64_t began_ns; /* the start of the run */
    int64_t look_ns;  /* when the next look may begin */
    int64_t lost_ns;  /* the time that rivals have cost so far */
    double speed;     /* of home since the last look, in bytes per ns, averaged; 0: not known yet */
    unsigned falls;   /* windows in a row in which home was much slower than that */

    /* The look that goes on. */
    bool looks;
    enum {
        TRIAL_REST,   /* home runs, and nothing is compared */
        TRIAL_FIRST,  /* the first window of a pair */
        TRIAL_SECOND, /* the second one */
    } phase;
    struct trial_sample first;       /* what came of the first window */
    unsigned pairs, useless;         /* pairs that count, and those that say nothing */
    double faster, faster_squares;   /* sums over the pairs: how much faster the rival was, from -1 to 1 */
    double cheaper, cheaper_squares; /* the same for processor time per byte */
};

/* Begins with the table's route as home. `routes` is at least 2. */
void trial_begin(struct trial *trial, size_t routes, size_t home, int64_t now);

/* Takes what the running route did in the window that has just ended. Returns the route for the next window, which
 * lasts trial_tuning.window_ns. */
size_t trial_step(struct trial *trial, const struct trial_sample *sample, int64_t now);

#endif
