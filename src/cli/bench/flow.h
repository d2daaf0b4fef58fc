/* SPDX-License-Identifier: MIT */
/* A row of pipelines: every route, engine and memory limit between the same source and sink. */
#ifndef CLI_BENCH_FLOW_H
#define CLI_BENCH_FLOW_H

#include "bench/bench.h"

/* The source and the sink. Every run makes them anew. */
struct ends {
    uint64_t length; /* at most so many bytes are moved; 0: all */
    /* Makes both endpoints and gives them to the caller. On failure it may fill in `reason`. */
    int (*begin)(struct ends *ends, leat_endpoint **ret_source, leat_endpoint **ret_sink, char reason[REASON]);
    /* Called once for each successful `begin`, after the pipeline has ended. Waits until the reader has read the last
     * byte and returns the processor time that the benchmark's own threads used. -EIO: bytes are missing. */
    int (*finish)(struct ends *ends, uint64_t bytes, double *ret_cpu);
    /* Removes what the run left. Its time is not measured. */
    void (*clean)(struct ends *ends);
};

/* Measures and prints the row. Returns 0, or an exit code. `pipe` has the meaning of row.pipe. */
int flow_row(const char *name, const char *title, uint64_t pipe, struct ends *ends,
             const struct bench_options *options);

#endif
