/* SPDX-License-Identifier: MIT */
#include "store/s3/clock.h"
#include "base/wait.h"
#include <stdio.h>
#include <time.h>

#define NEAR_S    60  /* the time that an answer may take: clocks that differ by less count as equal */
#define SUSPECT_S 300 /* stores allow 5 minutes or more */
#define FRESH_NS  INT64_C(2000000000)

int64_t s3_clock_now(const struct s3_clock *clock)
{
    return (int64_t)time(NULL) + (int64_t)atomic_load(&clock->ahead_s);
}

bool s3_clock_correct(struct s3_clock *clock, int64_t date_s, bool told)
{
    long long ahead = date_s - (int64_t)time(NULL), off = ahead - atomic_load(&clock->ahead_s);
    long long most = told ? NEAR_S : SUSPECT_S, before = atomic_load(&clock->corrected);
    if (!date_s)
        return false;
    if (off >= -most && off <= most)
        return told && before && clock_ns() - before < FRESH_NS;
    atomic_store(&clock->ahead_s, ahead);
    atomic_store(&clock->corrected, clock_ns());
    return true;
}

void s3_clock_explain(const struct s3_clock *clock, char *to, size_t capacity)
{
    long long ahead = atomic_load(&clock->ahead_s);
    size_t n = strlen(to);
    if (ahead)
        snprintf(to + n, capacity - n, "; this machine's clock is %lld s %s that of the store",
                 ahead < 0 ? -ahead : ahead, ahead < 0 ? "ahead of" : "behind");
    else
        snprintf(to + n, capacity - n, "; the store does not say another time");
}
