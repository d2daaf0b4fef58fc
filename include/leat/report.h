/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The numbers of a report (leat_report, which leat/pipeline.h hands out), as structs. leat_report_json and
 * leat_report_text write the same numbers as text.
 *
 * Strings live as long as the report. Indices count from 0; one past the last is -ENOENT. No call blocks.
 *
 * Threads: a report does not change, so several threads may read it.
 */
#ifndef LEAT_REPORT_H
#define LEAT_REPORT_H

#include <leat/base.h>
#include <leat/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Numbers of a whole run. */
struct leat_totals {
    size_t size;
    int32_t code;         /**< 0, or the negative errno that the run returned */
    uint32_t hops;        /**< what leat_report_hop_at has */
    uint32_t sinks;       /**< what leat_report_sink_at has */
    uint32_t digests;     /**< what leat_report_digest_at has */
    uint64_t bytes;       /**< as leat_report_bytes */
    double seconds;       /**< from the start of the run to its end */
    double cpu_seconds;   /**< of processor time that the process used meanwhile, on all its threads; 0: unknown */
    uint64_t memory_peak; /**< the most bytes of pipes and chunks at one time, of which the memory limit is the bound */
    uint64_t memory_codecs; /**< the most bytes that filters and buffers had inside, beside memory_peak */
    uint32_t buffers;       /**< what leat_report_buffer_at has */
};

/** What went from a source, or a filter that changes bytes, to one sink or filter behind it. */
struct leat_hop {
    size_t size;
    const char *from;   /**< a spec, or the name of a filter */
    const char *to;     /**< likewise */
    uint64_t taken;     /**< bytes that left `from` */
    uint64_t delivered; /**< bytes that `to` has accepted */
    uint64_t held;      /**< bytes taken that were still on the way at the end */
    uint64_t discarded; /**< bytes that were dropped: `to` failed or lagged. taken = delivered + held + discarded */
    uint32_t routes;    /**< what leat_report_route_at has for this hop */
    uint32_t changes;   /**< how often another route was found to be better, and went on */
    /** How many bytes the pipe of `from` could hold when the run began. 0: it is no pipe, or that is not known. */
    uint64_t from_pipe_was;
    uint64_t from_pipe;   /**< how many it could hold after leat had made it larger */
    uint64_t to_pipe_was; /**< the same for `to` */
    uint64_t to_pipe;     /**< the same for `to` */
};

/** A route that moved bytes of a hop. */
struct leat_hop_route {
    size_t size;
    const char *route;  /**< "splice", "chunk", ... */
    const char *engine; /**< "sync", "uring", ... */
    uint64_t bytes;     /**< that were delivered by it */
};

/** What became of a sink. */
struct leat_sink_outcome {
    size_t size;
    const char *spec;
    const char *status;             /**< "done", "failed", "cancelled" or "mismatch" */
    uint64_t bytes;                 /**< that it has accepted */
    const struct leat_error *error; /**< its failure, or NULL */
    uint64_t spilled;   /**< the most bytes that were in its file at once (LEAT_SLOW_SPILL). 0: it needed none */
    int32_t spill_code; /**< why that file took no more: a negative errno. 0: it took what it was given */
};

/** What happened in a buffer that reads ahead (leat_filter_buffer). */
struct leat_buffer_outcome {
    size_t size;
    uint64_t bytes;    /**< that it holds at most */
    uint64_t top;      /**< the most bytes that were in it at once */
    uint64_t left;     /**< bytes that were in it at the end and did not leave it */
    uint64_t full;     /**< how often it became full */
    uint64_t empty;    /**< how often it ran empty before its input ended */
    uint64_t file;     /**< the most bytes that were in its file at once. 0: it has none, or needed none */
    int32_t file_code; /**< why the file took no more: a negative errno. 0: it took what it was given */
    uint32_t filter;   /**< its number, as leat_pipeline_name counts filters */
};

/** Gives the numbers of the run. @return 0; -EINVAL: `size` of *ret_totals is not set. */
LEAT_API int leat_report_totals(const leat_report *report, struct leat_totals *ret_totals);

/** Gives a hop. @return 0; -ENOENT: there are not so many; -EINVAL: `size` is not set. */
LEAT_API int leat_report_hop_at(const leat_report *report, size_t index, struct leat_hop *ret_hop);

/** Gives a route of a hop, in the order in which they were tried. @return as leat_report_hop_at. */
LEAT_API int leat_report_route_at(const leat_report *report, size_t hop, size_t index,
                                  struct leat_hop_route *ret_route);

/** Gives what became of a sink. @return as leat_report_hop_at. */
LEAT_API int leat_report_sink_at(const leat_report *report, size_t index, struct leat_sink_outcome *ret_outcome);

/** Gives what happened in a buffer, in the order of the filters. @return as leat_report_hop_at. */
LEAT_API int leat_report_buffer_at(const leat_report *report, size_t index, struct leat_buffer_outcome *ret_outcome);

#ifdef __cplusplus
}
#endif
#endif
