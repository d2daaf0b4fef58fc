/* SPDX-License-Identifier: MIT */
/* What a report holds. report.c makes it and answers questions, report_numbers.c gives its numbers, and report_tell.c
 * writes it as JSON and as text. */
#ifndef FLOW_REPORT_H
#define FLOW_REPORT_H

#include "base/digest_provider.h"
#include "flow/run.h"
#include "flow/said.h"

struct report_digest {
    char algorithm[DIGEST_NAME_MAX];
    char hex[LEAT_DIGEST_HEX_MAX];
    const char *provider, *why; /* static */
    enum leat_side side;        /* the side whose bytes it describes */
};

struct report_leg {
    char *from;
    bool has_traffic; /* its source is an object in a store */
    struct node_traffic traffic;
    struct node_pipe pipe; /* of its source */
    struct learn learn;    /* what was compared */
    uint64_t taken;
    struct rung rung[ROUTES_MAX];
    size_t rungs;
};

struct report_branch {
    size_t leg;
    char *to;
    bool failed;
    struct leat_error error;
    struct node_pipe pipe; /* of its sink */
    uint64_t delivered, held, discarded;
    uint64_t spill_top; /* the most bytes in the file of a sink that spills */
    int spill_failed;   /* why that file took no more, or 0 */
    uint64_t by_route[ROUTES_MAX];
    bool has_traffic; /* its sink is an object in a store */
    struct node_traffic traffic;
};

struct report_buffer {
    size_t filter; /* its number */
    struct filter_level level;
};

struct leat_report {
    struct leat_error error;
    const char *status; /* static */
    int code;
    bool of_run;  /* `error` belongs to no single sink */
    bool aborted; /* `of_run`, and no sink was committed: sinks without an error have the status of the run */
    uint64_t bytes;
    double seconds, cpu_seconds;
    uint64_t memory_peak, memory_codecs;
    const char *engine;              /* static */
    char engine_why[ENGINE_WHY_MAX]; /* why it is not the engine that was asked for; "" */
    struct said said;
    size_t digests;
    struct report_digest *digest;
    size_t buffers;
    struct report_buffer *buffer;
    size_t legs, branches, sinks;
    struct report_leg *leg;
    struct report_branch *branch; /* of all legs, in their order */
    struct report_branch *sink;   /* those of the last leg, in `branch` */
};

/* report_new allocates all that a planned pipeline needs before the run (NULL: out of memory), and report_fill fills it
 * when the run has ended. So a report exists for every run that started. */
struct verdict_of_run {
    int code;
    const char *status; /* "done", "failed", "mismatch", "cancelled" */
    double seconds, cpu_seconds;
};
leat_report *report_new(const struct plan *plan);
/* Takes the digests, before anything is published. If a digest cannot be finished, *error is filled and the run
 * fails. */
void report_take_digests(leat_report *report, const struct parts *parts, struct leat_error *error);
void report_fill(leat_report *report, const struct run *run, const struct leat_error *error,
                 const struct verdict_of_run *verdict);

/* Returns "done", "failed", "cancelled" or "mismatch". Static. */
const char *report_sink_status(const leat_report *report, const struct report_branch *sink);

#endif
