/* leat bench: what its files share. A row compares contenders, which are ways to do the same thing; each of them runs
 * once in every round. */
#ifndef CLI_BENCH_BENCH_H
#define CLI_BENCH_BENCH_H

#include "cli.h"

#define BENCH_LIMITS 8   /* memory limits on a command line */
#define CONTENDERS   160 /* of a row */
#define REASON       200

struct bench_options {
    unsigned rounds;
    uint64_t seconds; /* of a row: no further round begins after them */
    uint64_t size;    /* of one run in bytes, at most */
    uint64_t limit[BENCH_LIMITS];
    size_t limits;
    const char *directory; /* for own files */
    const char *only;      /* NULL, or rows with commas between them */
    int cpu[2];            /* of the thread that moves and of the others; -1: wherever they are put */
    bool json, quick, overwrite;
};

/* Reads argv up to the first operand, whose index is optind afterwards. 0, or an exit code that has been explained;
 * -1: --help was asked for. */
int bench_options_parse(struct bench_options *options, int argc, char **argv);
extern const char bench_help[];

/* ---- one run ---- */

enum percentile {
    P50,
    P99,
    P999,
    PERCENTILES,
};

struct sample {
    double seconds, cpu_seconds;
    uint64_t bytes;
    double latency[PERCENTILES]; /* microseconds; of rows with latencies only */
};

struct spread {
    double median, low, high; /* the middle half of the values is between low and high */
};

struct contender {
    char route[32], engine[16]; /* as they are shown; of `auto`: what it took */
    uint64_t block;             /* a memory limit, or bytes of one call; 0: it has none */
    bool is_auto;
    bool again; /* the first one a second time, to see the noise; not shown */
    const void *how;
    char reason[REASON]; /* why it can't serve; empty if it can */
    struct sample *sample;
    struct spread speed, cpu; /* GB/s, s/GB */
    double latency[PERCENTILES];
    double of_best; /* its median by that of the best one */
    bool best;
};

struct row {
    const char *name;
    char title[256];
    char note[256]; /* empty, or a sentence to be told below */
    uint64_t pipe;  /* size of the pipes that it runs between; 0: between none, or each contender has its own */
    bool latencies;
    void *user;
    /* One run; on failure -ECANCELED, or another code with `reason` filled in. */
    int (*run)(struct row *row, struct contender *contender, struct sample *ret);
    struct contender contender[CONTENDERS];
    size_t count;
    /* what came of it */
    unsigned rounds;
    uint64_t bytes; /* of one run */
    struct spread itself;
    bool noisy; /* the first contender against itself is beyond a tenth */
};

/* ---- measuring (bench_row.c) ---- */

struct row *row_new(const char *name, const struct bench_options *options, void *user,
                    int (*run)(struct row *, struct contender *, struct sample *));
void row_free(struct row *row);

/* NULL: the row is full. */
struct contender *row_add(struct row *row, const char *route, const char *engine, uint64_t block);

/* A trial for each, the rounds, the figures; then it is printed. 0, or an exit code. */
int row_measure(struct row *row, const struct bench_options *options);

/* Is this row asked for? `only` is a name, or the beginning of one up to a slash. */
bool row_wanted(const char *name, const char *only);

/* Was there any so far? */
bool row_any(void);

double clock_seconds(void);
double cpu_seconds(void); /* of the whole process */

/* ---- figures (bench_figures.c) ---- */

/* Sorts the values. */
struct spread spread_of(double *values, size_t n);
double quantile(const double *sorted, size_t n, double q);
void row_figures(struct row *row);

/* ---- printing (bench_print.c) ---- */

/* 0, or EXIT_FAILED after a message. */
int row_print(const struct row *row, bool json);

/* "64K": in the largest unit that leaves it whole. */
const char *size_text(uint64_t bytes, char buffer[32]);

/* ---- ending early (bench_stop.c) ---- */

/* From here on SIGINT, SIGTERM and SIGHUP only ask for an end, and SIGPIPE is an error of the call. */
void stop_catch(void);
bool stop_asked(void);

/* As if this signal had come. */
void stop_for(int number);

/* The pipeline that a signal is to cancel; NULL: none. */
void stop_cancels(leat_pipeline *pipeline);

/* Dies of the signal that asked, if one did. */
void stop_raise(void);

/* ---- what is measured ---- */

/* Each returns an exit code. */
int bench_given(const struct bench_options *options, const char *source, const char *sink);
int bench_own(const struct bench_options *options);
int bench_pipes(const struct bench_options *options);
int bench_latency(const struct bench_options *options);

#endif
