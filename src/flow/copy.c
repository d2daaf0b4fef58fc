/* SPDX-License-Identifier: MIT */
/* leat_copy: two endpoints, a pipeline, and a digest between them if that is asked for. */
#include "base/error.h"
#include <errno.h>
#include <leat/copy.h>
#include <leat/filter.h>

static int set_up(leat_pipeline **ret, const char *source, const char *sink, const struct leat_copy_options *options,
                  struct leat_error *error)
{
    leat_endpoint *from = NULL, *to = NULL;
    leat_filter *digest = NULL;
    int r = leat_endpoint_open(&from, source, LEAT_READ, options->source, error);
    if (r == 0)
        r = leat_endpoint_open(&to, sink, LEAT_WRITE, options->sink, error);
    if (r < 0) {
        leat_endpoint_close(from);
        return r;
    }
    if (options->digest)
        r = leat_filter_digest(&digest, options->digest, NULL, error);
    if (r == 0)
        r = leat_pipeline_new(ret, options->pipeline, error);
    if (r < 0) {
        leat_endpoint_close(from);
        leat_endpoint_close(to);
        leat_filter_free(digest);
        return r;
    }
    /* Each call takes its reference, and a new pipeline refuses none of them. */
    leat_pipeline_source(*ret, from);
    leat_pipeline_sink(*ret, to, NULL, NULL);
    return digest ? leat_pipeline_filter(*ret, digest) : 0;
}

static int copy(const char *source, const char *sink, const struct leat_copy_options *options, leat_report **ret,
                struct leat_error *error)
{
    leat_pipeline *pipeline = NULL;
    int r = set_up(&pipeline, source, sink, options, error);
    if (r < 0)
        return r;
    r = leat_pipeline_run(pipeline, ret);
    const struct leat_error *first = *ret ? leat_report_error(*ret) : NULL;
    if (first)
        *error = *first;
    leat_pipeline_free(pipeline);
    return r;
}

int leat_copy(const char *source, const char *sink, const struct leat_copy_options *options, leat_report **ret_report,
              struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_copy_options own;
    leat_report *report = NULL;
    if (ret_report)
        *ret_report = NULL;
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = options_copy(&own, sizeof(own), options);
    if (r < 0)
        return error_return(ret_error, &error, error_set(&error, r, "the options of the copy are wrong"));
    r = copy(source, sink, &own, &report, &error);
    if (ret_report)
        *ret_report = report;
    else
        leat_report_free(report);
    return error_return(ret_error, &error, r);
}
