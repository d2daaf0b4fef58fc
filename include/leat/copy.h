/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A copy in one call, for programs that need no pipeline of their own.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     if (leat_copy("in.tar", "s3://bucket/in.tar", NULL, NULL, &error) < 0)
 *         fprintf(stderr, "%s\n", error.text);
 *
 * The source and the sink are named as in leat/endpoint.h. What a pipeline does with them stands in leat/pipeline.h:
 * the sink is published when every byte was delivered and every digest was right, or not at all.
 *
 * Threads: any. Calls do not share anything.
 */
#ifndef LEAT_COPY_H
#define LEAT_COPY_H

#include <leat/base.h>
#include <leat/endpoint.h>
#include <leat/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How leat_copy works. All pointers are borrowed for the call. */
struct leat_copy_options {
    size_t size;
    const struct leat_endpoint_options *source; /**< of the source; NULL: the defaults */
    const struct leat_endpoint_options *sink;   /**< of the sink; NULL: the defaults */
    /** Of the pipeline: progress, memory limit, rate, route, the part of the source, expected digests. NULL: the
     * defaults. */
    const struct leat_pipeline_options *pipeline;
    /** Digests of the bytes, as in leat_filter_digest: "sha256,md5". They are in the report. NULL: none. */
    const char *digest;
};

/**
 * Copies a source to a sink.
 *
 * @param source      A spec: a path, or a scheme and what belongs to it.
 * @param sink        Another one.
 * @param options     NULL: the defaults.
 * @param ret_report  NULL, or where the report goes; leat_report_free frees it. It is set on failure, too, and is then
 *                    NULL if the copy could not begin.
 * @param ret_error   NULL, or where the first failure goes.
 *
 * Blocking: until the copy has ended. Only a function `progress` of the pipeline's options that returns something other
 * than 0 ends it earlier.
 *
 * @return 0, or the code of the first failure, as leat_endpoint_open and leat_pipeline_run return it; -ECANCELED.
 */
LEAT_API int leat_copy(const char *source, const char *sink, const struct leat_copy_options *options,
                       leat_report **ret_report, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
