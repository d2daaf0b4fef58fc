/* SPDX-License-Identifier: MIT */
#include "store/helper.h"
#include "base/base.h"
#include <errno.h>
#include <leat/pipeline.h>
#include <stdbool.h>

#define STEP_MS 200

static int wait_for(leat_pipeline *pipeline, int patience_ms, const atomic_bool *stop)
{
    for (int left = patience_ms;; left -= STEP_MS) {
        int r = leat_pipeline_wait(pipeline, MIN(left, STEP_MS), NULL);
        if (r != -ETIMEDOUT || left <= STEP_MS || (stop && atomic_load(stop)))
            return r;
    }
}

/* Runs a pipeline from memory through the child to memory. */
int helper_run(const char *command, const char *input, char *answer, size_t capacity, size_t *ret_n, int patience_ms,
               const atomic_bool *stop)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline;
    leat_endpoint *endpoint;
    leat_filter *child;
    options.memory_limit = 1024u * 1024;
    int r = leat_pipeline_new(&pipeline, &options, NULL);
    if (r < 0)
        return r;
    if ((r = leat_endpoint_from_memory(&endpoint, input, strlen(input))) == 0 &&
        (r = leat_pipeline_source(pipeline, endpoint)) == 0 &&
        (r = leat_endpoint_to_memory(&endpoint, answer, capacity, ret_n)) == 0 &&
        (r = leat_pipeline_sink(pipeline, endpoint, NULL, NULL)) == 0 && (r = leat_filter_exec(&child, command)) == 0 &&
        (r = leat_pipeline_filter(pipeline, child)) == 0 && (r = leat_pipeline_start(pipeline)) == 0)
        r = wait_for(pipeline, patience_ms, stop);
    leat_pipeline_free(pipeline);
    return r;
}
