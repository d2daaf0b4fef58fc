/* SPDX-License-Identifier: MIT */
#include "store/retry.h"
#include <errno.h>

#define ATTEMPTS    8
#define FIRST_MS    100
#define LONGEST_MS  20000
#define PATIENCE_MS 120000

void retry_init(struct retry *retry, int32_t retries)
{
    *retry = (struct retry){.most = retries > 0    ? (unsigned)retries
                                    : retries == 0 ? ATTEMPTS
                                                   : 0,
                            .random = (uint64_t)clock_ns() | 1};
}

void retry_after(struct retry *retry, int64_t seconds)
{
    retry->after_ms = seconds > 0 ? seconds * 1000 : 0;
}

void retry_progress(struct retry *retry)
{
    retry->attempts = 0;
    retry->after_ms = 0;
}

/* xorshift64. Random delays spread out clients that were refused at the same time. */
static uint64_t next_random(struct retry *retry)
{
    retry->random ^= retry->random << 13;
    retry->random ^= retry->random >> 7;
    retry->random ^= retry->random << 17;
    return retry->random;
}

int64_t retry_delay_ms(struct retry *retry)
{
    if (retry->attempts >= retry->most || retry->after_ms > PATIENCE_MS)
        return -1;
    int64_t longest = MIN((int64_t)FIRST_MS << MIN(retry->attempts, 16u), LONGEST_MS);
    retry->attempts++;
    int64_t delay = longest / 2 + (int64_t)(next_random(retry) % (uint64_t)(longest / 2));
    return MAX(delay, retry->after_ms);
}

bool retry_is_status(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

bool retry_is_code(int code, bool reached)
{
    bool unreachable = code == -ECONNREFUSED || code == -ETIMEDOUT || code == -EHOSTUNREACH || code == -ENETUNREACH;
    return code == -ECONNRESET || code == -EPIPE || (reached && unreachable);
}
