/* A row of pipelines: every route, engine and memory limit between the same two ends. */
#ifndef CLI_BENCH_FLOW_H
#define CLI_BENCH_FLOW_H

#include "bench/bench.h"

/* What is at the two ends; every run gets it anew. */
struct ends {
    uint64_t length; /* bytes that are taken at most; 0: all that come */
    /* Makes both endpoints, which are the caller's then. On failure `reason` may be filled in. */
    int (*begin)(struct ends *ends, leat_endpoint **ret_source, leat_endpoint **ret_sink, char reason[REASON]);
    /* The pipeline has ended: waits until its reader has had the last byte, and says how much processor time threads of
     * the benchmark itself took. Called once for each that began. -EIO: bytes are missing. */
    int (*finish)(struct ends *ends, uint64_t bytes, double *ret_cpu);
    /* Clears away what the run left; its time does not count. */
    void (*clean)(struct ends *ends);
};

/* Measures and prints. 0, or an exit code. `pipe`: as in struct row. */
int flow_row(const char *name, const char *title, uint64_t pipe, struct ends *ends,
             const struct bench_options *options);

#endif
