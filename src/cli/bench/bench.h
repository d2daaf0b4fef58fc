/* SPDX-License-Identifier: MIT */
/* leat bench: declarations that its files share. A row compares contenders, which are different ways to do the same
 * work. Each contender runs once in every round. */
#ifndef CLI_BENCH_BENCH_H
#define CLI_BENCH_BENCH_H

#include "cli.h"

#define BENCH_LIMITS 8   /* memory limits on a command line */
#define CONTENDERS   160 /* at most, in a row */
#define REASON       200

struct bench_options {
    unsigned rounds;
    uint64_t seconds; /* of a row: when they have passed, no further round begins */
    uint64_t size;    /* at most, of one run in bytes */
    uint64_t limit[BENCH_LIMITS];
    size_t limits;
    const char *directory; /* where the benchmark makes its files */
    const char *plot;      /* NULL, or the file of a picture */
    const char *only;      /* NULL, or names of rows, separated by commas */
    int cpu[2];            /* of the thread that moves the bytes, and of the peers; -1: not pinned */
    bool json, quick, overwrite;
};

/* Reads argv up to the first operand; afterwards optind is its index. Returns 0, an exit code after a message, or -1 if
 * --help was given. */
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
    double latency[PERCENTILES]; /* microseconds; only in rows that measure latency */
};

struct spread {
    double median, low, high; /* low and high are the quartiles: half of the values lie between them */
};

struct contender {
    char route[32], engine[16]; /* as printed; for `auto` the ones that it chose */
    uint64_t block;             /* a memory limit, or bytes of one call; 0: none */
    bool is_auto;
    bool again; /* the first contender a second time, to measure the noise; not printed */
    const void *how;
    char reason[REASON]; /* why it can't run here; empty if it can */
    struct sample *sample;
    struct spread speed, cpu; /* GB/s, s/GB */
    double latency[PERCENTILES];
    double of_best; /* its median divided by that of the best contender */
    bool best;
};

struct row {
    const char *name;
    char title[256];
    char note[256]; /* empty, or a sentence that is printed below the row */
    uint64_t pipe;  /* size of the pipes at its ends; 0: there are none, or each contender has its own */
    bool latencies;
    void *user;
    /* Does one run. On failure it returns -ECANCELED, or another code with `reason` filled in. */
    int (*run)(struct row *row, struct contender *contender, struct sample *ret);
    struct contender contender[CONTENDERS];
    size_t count;
    /* results */
    unsigned rounds;
    uint64_t bytes; /* of one run */
    struct spread itself;
    bool noisy; /* the first contender differs from itself by more than a tenth */
};

/* ---- measuring (bench_row.c) ---- */

struct row *row_new(const char *name, const struct bench_options *options, void *user,
                    int (*run)(struct row *, struct contender *, struct sample *));
void row_free(struct row *row);

/* Adds a contender. NULL: the row is full. */
struct contender *row_add(struct row *row, const char *route, const char *engine, uint64_t block);

/* Runs a trial of each contender and then the rounds, computes the figures and prints the row. Returns 0, or an exit
 * code. */
int row_measure(struct row *row, const struct bench_options *options);

/* Did the user ask for this row? `only` has names of rows, or the parts of names before a slash. */
bool row_wanted(const char *name, const char *only);

/* Has a row been made so far? */
bool row_any(void);

double clock_seconds(void);
double cpu_seconds(void); /* of the whole process */

/* ---- figures (bench_figures.c) ---- */

/* Sorts the values. */
struct spread spread_of(double *values, size_t n);
double quantile(const double *sorted, size_t n, double q);
void row_figures(struct row *row);

/* ---- printing (bench_print.c) ---- */

/* Returns 0, or EXIT_FAILED after a message. */
int row_print(const struct row *row, bool json);

/* Formats a size in the largest unit that keeps it a whole number, such as "64K". */
const char *size_text(uint64_t bytes, char buffer[LEAT_SIZE_TEXT_MAX]);

/* ---- the picture (plot.c) ---- */

/* Opens the file of the picture. Returns 0, or an exit code after a message. */
int plot_open(const char *file);
/* Adds a row, its contenders in this order. Does nothing if there is no picture. */
void plot_row(const struct row *row, const struct contender *const order[], size_t count);
/* Writes the picture of the rows that were measured. Returns `code`, or EXIT_FAILED after a message. */
int plot_close(int code);

/* ---- ending early (bench_stop.c) ---- */

/* From now on SIGINT, SIGTERM and SIGHUP only note that the benchmark shall end, and a SIGPIPE is ignored, so that a
 * write fails with EPIPE. */
void stop_catch(void);
bool stop_asked(void);

/* Notes the signal as if it had come. */
void stop_for(int number);

/* Sets the pipeline that a signal cancels; NULL: none. */
void stop_cancels(leat_pipeline *pipeline);

/* If a signal was noted, ends the process with it. */
void stop_raise(void);

/* ---- kinds of measurement ---- */

/* Each returns an exit code. */
int bench_given(const struct bench_options *options, const char *source, const char *sink);
int bench_own(const struct bench_options *options);
int bench_pipes(const struct bench_options *options);
int bench_latency(const struct bench_options *options);

#endif
