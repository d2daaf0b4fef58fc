/* SPDX-License-Identifier: MIT */
/* The filter that limits the rate, with a token bucket: tokens are added as time passes, and each byte takes one token.
 *
 * rate_allowance() only reads the bucket. Tokens are taken for the bytes that really passed (filter_count), so a route
 * loses nothing if it moves less than it was allowed. The lock protects everything except that count, because any
 * thread may change the rate. */
#include "node/filter.h"
#include <errno.h>

/* The capacity of the bucket, in seconds at the rate. If a wait ends late by less than this, no speed is lost. After a
 * pause, so many bytes may pass at once. */
#define BURST_S 0.02
/* The least that may pass at once: half a burst. With less, a fast filter would need system calls of a few bytes each.
 */
#define QUANTUM_S (BURST_S / 2)
/* The longest wait, so that a new rate takes effect soon. */
#define SLEEP_MAX_NS 100000000

struct rate {
    leat_filter filter;
    pthread_mutex_t lock;
    uint64_t per_second; /* 0: no limit */
    double tokens;       /* negative: more bytes passed than were allowed */
    uint64_t counted;    /* bytes for which tokens have been taken */
    int64_t settled_ns;  /* tokens have been added up to this time */
};

/* At the lowest rates this is a little more than one byte, so that a late wait keeps its fraction of a token. */
static double burst(const struct rate *rate)
{
    return (double)rate->per_second * BURST_S + 1;
}

/* Updates the tokens to the current time. */
static void settle(struct rate *rate)
{
    int64_t now = clock_ns();
    uint64_t bytes = atomic_load(&rate->filter.bytes);
    rate->tokens += (double)(now - rate->settled_ns) / 1e9 * (double)rate->per_second;
    rate->tokens -= (double)(bytes - rate->counted);
    rate->tokens = MIN(rate->tokens, burst(rate));
    rate->counted = bytes;
    rate->settled_ns = now;
}

/* Fills the bucket, and starts to count now. */
static void fill(struct rate *rate)
{
    rate->counted = atomic_load(&rate->filter.bytes);
    rate->settled_ns = clock_ns();
    rate->tokens = burst(rate);
}

static int rate_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    struct rate *rate = (struct rate *)filter;
    pthread_mutex_lock(&rate->lock);
    fill(rate);
    pthread_mutex_unlock(&rate->lock);
    return 0;
}

/* Returns how many of `want` bytes may pass. Rounds down to whole pages if there is at least one, because pipes count
 * pages and disks prefer them. */
static uint64_t grant(const struct rate *rate, uint64_t want)
{
    if (rate->tokens >= (double)want)
        return want;
    uint64_t whole = (uint64_t)rate->tokens;
    return whole >= PAGE ? whole / PAGE * PAGE : whole;
}

static uint64_t rate_allowance(leat_filter *filter, uint64_t want, int64_t *ret_deadline_ns)
{
    struct rate *rate = (struct rate *)filter;
    uint64_t granted = want;
    pthread_mutex_lock(&rate->lock);
    if (rate->per_second != 0) {
        settle(rate);
        double quantum = MAX((double)rate->per_second * QUANTUM_S, 1);
        double least = MIN((double)want, quantum);
        if (rate->tokens >= least) {
            granted = grant(rate, want);
        } else {
            double wait_ns = (least - rate->tokens) / (double)rate->per_second * 1e9 + 1;
            *ret_deadline_ns = rate->settled_ns + (int64_t)MIN(wait_ns, SLEEP_MAX_NS);
            granted = 0;
        }
    }
    pthread_mutex_unlock(&rate->lock);
    return granted;
}

static void rate_free(leat_filter *filter)
{
    struct rate *rate = (struct rate *)filter;
    pthread_mutex_destroy(&rate->lock);
    free(rate);
}

static const struct filter_ops rate_ops = {
    .name = "rate",
    .caps = FILTER_PACES,
    .start = rate_start,
    .allowance = rate_allowance,
    .free = rate_free,
};

int leat_filter_rate(leat_filter **ret_filter, uint64_t bytes_per_second)
{
    struct rate *rate = calloc(1, sizeof(*rate));
    if (!rate)
        return -ENOMEM;
    int r = -pthread_mutex_init(&rate->lock, NULL);
    if (r < 0) {
        free(rate);
        return r;
    }
    filter_init(&rate->filter, &rate_ops);
    rate->per_second = bytes_per_second;
    fill(rate);
    *ret_filter = &rate->filter;
    return 0;
}

/* Tokens that were earned at the old rate stay, as far as the new bucket has room. A debt stays as well, because it is
 * counted in bytes. Without an old limit no tokens were counted, so the bucket starts full. */
int leat_filter_rate_set(leat_filter *filter, uint64_t bytes_per_second)
{
    struct rate *rate = (struct rate *)filter;
    if (filter->ops != &rate_ops)
        return -EINVAL;
    pthread_mutex_lock(&rate->lock);
    bool was_limited = rate->per_second != 0;
    if (was_limited)
        settle(rate);
    rate->per_second = bytes_per_second;
    if (was_limited)
        rate->tokens = MIN(rate->tokens, burst(rate));
    else
        fill(rate);
    pthread_mutex_unlock(&rate->lock);
    return 0;
}
