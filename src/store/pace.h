/* SPDX-License-Identifier: MIT */
/* Decides how many connections read one object: the number that was requested, or one found by measurement.
 *
 * The measurement starts with one connection. It adds another as long as that makes the transfer faster. It has no
 * clock: the caller passes the time and the number of bytes. */
#ifndef STORE_PACE_H
#define STORE_PACE_H

#include "base/base.h"
#include <stdbool.h>

#define PACE_MOST 8 /* the most connections that measurement may use */

struct pace {
    unsigned connections; /* connections that there should be now */
    unsigned most;
    bool settled;     /* the measurement is over */
    bool was_behind;  /* in the current measurement, the sinks were slower than the connections */
    int64_t began_ns; /* start of the current measurement; 0: none is running */
    uint64_t began_bytes;
    double rate_before; /* bytes per second with one connection fewer; 0: not measured */
    char why[160];      /* the reason for `connections`, as the end of a sentence */
};

/* `asked` is the requested number; 0: measure, up to `most`. */
void pace_init(struct pace *pace, unsigned asked, unsigned most);

/* Ends the measurement with this number, and for this reason (a part of a sentence). */
void pace_settle(struct pace *pace, unsigned connections, const char *why);

/* Continues the measurement: `bytes` have arrived in all, `left` are missing. `behind`: the sinks are slower than the
 * connections. Changes `connections` by one at most. */
void pace_look(struct pace *pace, int64_t now_ns, uint64_t bytes, uint64_t left, bool behind);

#endif
