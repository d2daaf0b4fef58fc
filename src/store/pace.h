/* How many connections read one object: a number that was asked for, or one that is found by measurement.
 *
 * The measurement begins with one connection and adds another as long as the bytes come faster for it. It needs no
 * clock of its own: it is told the time and the bytes that have come. */
#ifndef STORE_PACE_H
#define STORE_PACE_H

#include "base/base.h"
#include <stdbool.h>

#define PACE_MOST 8 /* connections; of those that are found by measurement */

struct pace {
    unsigned connections; /* that there should be now */
    unsigned most;
    bool settled;     /* no more is tried */
    bool was_behind;  /* during the current measurement the sinks took what came more slowly than it came */
    int64_t began_ns; /* of the current measurement; 0: none is under way */
    uint64_t began_bytes;
    double rate_before; /* bytes per second with one connection fewer; 0: not measured */
    char why[160];      /* the reason for `connections`, as the end of a sentence */
};

/* `asked` 0: by measurement, up to `most`. */
void pace_init(struct pace *pace, unsigned asked, unsigned most);

/* It stays at this number for this reason (a sentence's part). */
void pace_settle(struct pace *pace, unsigned connections, const char *why);

/* `bytes` have come in all, `left` are still to come. `behind`: the sinks take what comes more slowly than it comes.
 * Changes `connections` by one at most. */
void pace_look(struct pace *pace, int64_t now_ns, uint64_t bytes, uint64_t left, bool behind);

#endif
