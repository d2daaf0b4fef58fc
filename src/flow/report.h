/* What a report holds. Made and asked in report.c, told as numbers in report_numbers.c, as JSON and to people in
 * report_tell.c. */
#ifndef FLOW_REPORT_H
#define FLOW_REPORT_H

#include "base/digest_provider.h"
#include "flow/pipeline.h"
#include "flow/said.h"

struct report_digest {
    char algorithm[DIGEST_NAME_MAX];
    char hex[LEAT_DIGEST_HEX_MAX];
    const char *provider, *why; /* static */
    enum leat_side side;        /* of which bytes it is */
};

struct report_leg {
    char *from;
    bool has_traffic; /* its source talks to a store */
    struct node_traffic traffic;
    uint64_t taken;
    struct rung rung[ROUTES_MAX];
    size_t rungs;
};

struct report_branch {
    size_t leg;
    char *to;
    bool failed;
    struct leat_error error;
    uint64_t delivered, held, discarded;
    uint64_t by_route[ROUTES_MAX];
    bool has_traffic; /* it is an object in a store */
    struct node_traffic traffic;
};

struct leat_report {
    struct leat_error error;
    char *error_node;
    char *error_operation; /* NULL: it is static */
    const char *status;    /* static */
    int code;
    bool aborted; /* `error` is no single sink's: nothing was published */
    uint64_t bytes;
    double seconds, cpu_seconds;
    uint64_t memory_peak, memory_codecs;
    const char *engine;              /* static */
    char engine_why[ENGINE_WHY_MAX]; /* not the one that was asked for; "" */
    struct said said;
    size_t digests;
    struct report_digest *digest;
    size_t legs, branches, sinks;
    struct report_leg *leg;
    struct report_branch *branch; /* of every leg, in order */
    struct report_branch *sink;   /* those of the last one */
};

/* "done", "failed", "cancelled" or "mismatch". Static. */
const char *report_sink_status(const leat_report *report, const struct report_branch *sink);

#endif
