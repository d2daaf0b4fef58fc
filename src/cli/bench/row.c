/* SPDX-License-Identifier: MIT */
/* Measures a row: a trial first, which finds the contenders that don't work here, then the rounds, each in another
 * order. The first contender runs twice in every round. If its two results differ, the row says nothing about the
 * others. */
#include "bench/bench.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static unsigned rows_made;

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct row *row_new(const char *name, const struct bench_options *options, void *user,
                    int (*run)(struct row *, struct contender *, struct sample *))
{
    struct row *row = calloc(1, sizeof(*row));
    if (!row)
        return NULL;
    rows_made++;
    row->name = name;
    row->bytes = options->size;
    row->user = user;
    row->run = run;
    return row;
}

void row_free(struct row *row)
{
    if (!row)
        return;
    for (size_t i = 0; i < row->count; i++)
        free(row->contender[i].sample);
    free(row);
}

struct contender *row_add(struct row *row, const char *route, const char *engine, uint64_t block)
{
    if (row->count == CONTENDERS - 1) /* the last place is for the contender that runs twice */
        return NULL;
    struct contender *c = &row->contender[row->count++];
    *c = (struct contender){.block = block};
    snprintf(c->route, sizeof(c->route), "%s", route);
    snprintf(c->engine, sizeof(c->engine), "%s", engine);
    return c;
}

bool row_any(void)
{
    return rows_made > 0;
}

bool row_wanted(const char *name, const char *only)
{
    for (const char *at = only; at && *at;) {
        size_t n = strcspn(at, ",");
        if (n && strncmp(name, at, n) == 0 && (name[n] == '\0' || name[n] == '/'))
            return true;
        at += n + (at[n] == ',');
    }
    return !only;
}

/* Runs a contender once. If it fails, it is left out and keeps the reason. */
static int try_one(struct row *row, struct contender *c, struct sample *ret)
{
    int r = c->reason[0] ? 0 : row->run(row, c, ret);
    if (stop_asked())
        return -ECANCELED;
    if (r < 0 && !c->reason[0])
        snprintf(c->reason, REASON, "%s", strerror(-r));
    return 0;
}

static int trial(struct row *row, unsigned rounds)
{
    struct contender *first = NULL;
    struct sample nobody_looks;
    for (size_t i = 0; i < row->count; i++) {
        struct contender *c = &row->contender[i];
        int r = try_one(row, c, &nobody_looks);
        if (r < 0)
            return r;
        if (!c->reason[0] && !first) {
            first = c;
            row->bytes = nobody_looks.bytes;
        }
    }
    if (first) {
        row->contender[row->count] = *first;
        row->contender[row->count++].again = true;
    }
    for (size_t i = 0; i < row->count; i++)
        if (!row->contender[i].reason[0] && !(row->contender[i].sample = calloc(rounds, sizeof(struct sample))))
            return -ENOMEM;
    return 0;
}

/* The orders are the same in each run of the program, so that a run can be repeated. */
static void shuffle(size_t *order, size_t n)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;
    for (size_t i = n; i > 1; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t k = (size_t)(state >> 33) % i, kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
}

static int rounds(struct row *row, const struct bench_options *options)
{
    size_t order[CONTENDERS];
    double began = clock_seconds();
    for (size_t i = 0; i < row->count; i++)
        order[i] = i;
    for (unsigned round = 0; round < options->rounds; round++) {
        if (round > 0 && clock_seconds() - began > (double)options->seconds)
            break;
        shuffle(order, row->count);
        for (size_t i = 0; i < row->count; i++) {
            struct contender *c = &row->contender[order[i]];
            int r = c->reason[0] ? 0 : try_one(row, c, &c->sample[round]);
            if (r < 0)
                return r;
        }
        row->rounds = round + 1;
    }
    return 0;
}

int row_measure(struct row *row, const struct bench_options *options)
{
    int r = trial(row, options->rounds);
    if (r == 0)
        r = rounds(row, options);
    if (r < 0) {
        if (r != -ECANCELED)
            cli_warn("bench: %s", strerror(-r));
        return EXIT_FAILED;
    }
    row_figures(row);
    return row_print(row, options->json);
}
