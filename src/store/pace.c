/* SPDX-License-Identifier: MIT */
#include "store/pace.h"
#include <stdio.h>

#define MEASURE_NS INT64_C(250000000) /* of one measurement */
#define SETTLE_NS  INT64_C(100000000) /* after a new connection, which starts slowly */
#define GAIN       1.10               /* a further connection must make the transfer faster by this factor */

void pace_init(struct pace *pace, unsigned asked, unsigned most)
{
    unsigned first = asked ? MIN(asked, most) : 1;
    *pace = (struct pace){.connections = first, .most = most, .settled = asked != 0};
    if (!asked)
        snprintf(pace->why, sizeof(pace->why), "the transfer was too short to measure more");
    else
        snprintf(pace->why, sizeof(pace->why), asked > most ? "the memory limit allows no more" : "it was asked for");
}

void pace_settle(struct pace *pace, unsigned connections, const char *why)
{
    pace->connections = connections;
    pace->settled = true;
    snprintf(pace->why, sizeof(pace->why), "%s", why);
}

static void begin_again(struct pace *pace)
{
    pace->began_ns = 0;
    pace->was_behind = false;
}

static void add_one(struct pace *pace, double rate)
{
    pace->rate_before = rate;
    pace->connections++;
    begin_again(pace);
}

/* Is the last connection worth while? */
static void judge(struct pace *pace, double rate, uint64_t left)
{
    double gain = pace->rate_before > 0 ? rate / pace->rate_before : 0;
    if (pace->rate_before > 0 && gain < GAIN) {
        unsigned fewer = pace->connections - 1;
        snprintf(pace->why, sizeof(pace->why), "with %u connections it came at %.2f of the speed", pace->connections,
                 gain);
        pace->connections = fewer;
        pace->settled = true;
    } else if (pace->was_behind) {
        snprintf(pace->why, sizeof(pace->why), "the sinks take the bytes no faster");
        pace->settled = true;
    } else if (pace->connections == pace->most) {
        snprintf(pace->why, sizeof(pace->why), "more are not tried; the last one brought %.2f times the speed", gain);
        pace->settled = true;
    } else if ((double)left < rate) {
        snprintf(pace->why, sizeof(pace->why), "what was left takes less than a second");
        pace->settled = true;
    } else
        add_one(pace, rate);
}

void pace_look(struct pace *pace, int64_t now_ns, uint64_t bytes, uint64_t left, bool behind)
{
    if (pace->settled)
        return;
    if (!pace->began_ns) {
        pace->began_ns = now_ns + (pace->rate_before > 0 ? SETTLE_NS : 0);
        pace->began_bytes = bytes;
        return;
    }
    if (now_ns <= pace->began_ns) { /* not yet */
        pace->began_bytes = bytes;
        return;
    }
    pace->was_behind |= behind;
    if (behind && pace->connections == 1) { /* at the moment another connection would gain nothing */
        snprintf(pace->why, sizeof(pace->why), "the sinks take the bytes no faster");
        begin_again(pace);
        return;
    }
    if (now_ns - pace->began_ns < MEASURE_NS)
        return;
    double rate = (double)(bytes - pace->began_bytes) * 1e9 / (double)(now_ns - pace->began_ns);
    judge(pace, rate, left);
}
