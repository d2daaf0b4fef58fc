/* SPDX-License-Identifier: MIT */
/* Routes that learn: while a hop moves bytes, it compares the routes that can serve it (trial.h), and goes on with the
 * best. A change of route loses nothing: the hop's end is moved to where it is, so that the old route delivers all that
 * it holds and ends there; then the new one begins. */
#ifndef ROUTE_LEARN_H
#define ROUTE_LEARN_H

#include "route/trial.h"

struct hop;

struct learn {
    bool asked;                /* the options allow it */
    bool on;                   /* there are routes to compare */
    size_t rung[TRIAL_ROUTES]; /* of each route that is compared; so many as trial.routes */
    struct trial trial;
    struct trial_sample window; /* at the beginning of the current window: the hop's bytes, and times */
    bool stepped;               /* trial_step has been called for the current window */
    bool leaves;                /* the hop's end is the window's, so that the route ends */
    uint64_t end;               /* the hop's own end meanwhile */
    uint64_t since;             /* the byte from which on the route that is home now has been home */
};

/* Returns how many routes of the ladder can be compared, and stores their rungs. Less than 2: there is nothing to
 * learn. */
size_t learn_candidates(const struct hop *hop, size_t ret_rung[TRIAL_ROUTES]);

/* Begins to compare, or begins anew after a route was given up. All nodes are open. */
void learn_begin(struct hop *hop);
/* Stops comparing. Returns true if the current route was only being compared, and has no state any more: hop->current
 * is the one that was to go on. */
bool learn_stop(struct hop *hop);
/* Before each step of the route: ends the window if its time is over. */
void learn_look(struct hop *hop);
/* The route has ended. Returns true if only the window has: the caller stops the route, and then calls learn_change. */
bool learn_goes_on(struct hop *hop);
/* The route of the next window becomes hop->current, to be started. */
void learn_change(struct hop *hop);

#endif
