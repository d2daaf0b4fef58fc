/* SPDX-License-Identifier: MIT */
/* Computes medians and quartiles of the samples. */
#include "bench/bench.h"
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Interpolates linearly between two values. */
double quantile(const double *sorted, size_t n, double q)
{
    double place = q * (double)(n - 1);
    size_t below = (size_t)place;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

struct spread spread_of(double *values, size_t n)
{
    if (n == 0)
        return (struct spread){0};
    qsort(values, n, sizeof(values[0]), compare);
    return (struct spread){
        .median = quantile(values, n, 0.5), .low = quantile(values, n, 0.25), .high = quantile(values, n, 0.75)};
}

/* The figure by which contenders are ranked, higher is better: GB/s, or round trips per microsecond. */
static double speed(const struct row *row, const struct sample *s)
{
    if (row->latencies)
        return s->latency[P50] > 0 ? 1 / s->latency[P50] : 0;
    return s->seconds > 0 ? (double)s->bytes / s->seconds / 1e9 : 0;
}

static double cpu_per_gb(const struct sample *s)
{
    return s->bytes ? s->cpu_seconds / (double)s->bytes * 1e9 : 0;
}

static void summarize(const struct row *row, struct contender *c, double *values)
{
    for (unsigned i = 0; i < row->rounds; i++)
        values[i] = speed(row, &c->sample[i]);
    c->speed = spread_of(values, row->rounds);
    for (unsigned i = 0; i < row->rounds; i++)
        values[i] = cpu_per_gb(&c->sample[i]);
    c->cpu = spread_of(values, row->rounds);
    for (int p = 0; p < PERCENTILES; p++) {
        for (unsigned i = 0; i < row->rounds; i++)
            values[i] = c->sample[i].latency[p];
        c->latency[p] = spread_of(values, row->rounds).median;
    }
}

/* Compares two contenders round by round, so that a slow phase of the machine affects both. */
static struct spread paired(const struct row *row, const struct contender *a, const struct contender *b, double *values)
{
    for (unsigned i = 0; i < row->rounds; i++) {
        double other = speed(row, &b->sample[i]);
        values[i] = other > 0 ? speed(row, &a->sample[i]) / other : 0;
    }
    return spread_of(values, row->rounds);
}

static struct contender *find_best(struct row *row)
{
    struct contender *best = NULL;
    for (size_t i = 0; i < row->count; i++) {
        struct contender *c = &row->contender[i];
        if (!c->reason[0] && !c->again && (!best || c->speed.median > best->speed.median))
            best = c;
    }
    return best;
}

static struct contender *find_first(struct row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (!row->contender[i].reason[0])
            return &row->contender[i];
    return NULL;
}

void row_figures(struct row *row)
{
    double *values = calloc(row->rounds, sizeof(values[0]));
    if (!values || row->rounds == 0) {
        free(values);
        return;
    }
    for (size_t i = 0; i < row->count; i++)
        if (!row->contender[i].reason[0])
            summarize(row, &row->contender[i], values);
    struct contender *best = find_best(row), *first = find_first(row);
    for (size_t i = 0; i < row->count; i++) {
        struct contender *c = &row->contender[i];
        if (c->reason[0] || !best)
            continue;
        c->best = c == best;
        c->of_best = best->speed.median > 0 ? c->speed.median / best->speed.median : 1;
        if (c->again && first) {
            row->itself = paired(row, c, first, values);
            row->noisy = row->itself.low < 0.9 || row->itself.high > 1.1;
        }
    }
    free(values);
}
