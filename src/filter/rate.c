/* The filter that paces: a bucket into which tokens fall as time passes, one for each byte that may pass.
 *
 * allowance() looks into the bucket and takes nothing out; what takes out is the count of bytes that really passed
 * (filter_count), so a route that moved less than it was allowed has lost nothing. Everything but that count is under
 * the lock, since the rate may be changed by any thread. */
#include "node/filter.h"
#include <errno.h>

/* What the bucket holds at most, in seconds of the rate: so long may a wait be late without a loss of speed, and so
 * much passes at once after a pause. */
#define BURST_S 0.02
/* The least that is let pass at once: half a burst, else a fast filter would end in system calls of a few bytes. */
#define QUANTUM_S (BURST_S / 2)
/* Nobody sleeps longer than this, so that a new rate is soon obeyed. */
#define SLEEP_MAX_NS 100000000

struct rate {
    leat_filter filter;
    pthread_mutex_t lock;
    uint64_t per_second; /* 0: no limit */
    double tokens;       /* less than 0: more passed than was allowed */
    uint64_t counted;    /* bytes of the filter that are taken from the tokens */
    int64_t settled_ns;  /* until when tokens have fallen */
};

/* A little more than a byte at the lowest rates, so that a wait which was late keeps its fraction. */
static double burst(const struct rate *rate)
{
    return (double)rate->per_second * BURST_S + 1;
}

/* Brings the tokens up to this moment. */
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

/* A full bucket, from now on. */
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

/* Whole pages where there is at least one: pipes count pages, disks like them. */
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

/* What was earned at the old rate stays earned, as far as the new bucket holds it; and a debt is of bytes, whatever
 * the rate. Without a limit nothing was kept, so the bucket is full. */
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
