/* SPDX-License-Identifier: MIT */
/* Reports the progress of a call to its caller, who may cancel it. */
#ifndef IMAGE_WATCH_H
#define IMAGE_WATCH_H

#include "base/error.h"
#include <leat/image.h>
#include <leat/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* One per call. Everything except watch_is_wanted belongs to the call's thread. */
struct image_watch {
    const struct leat_image_options *options;
    pthread_t thread;
    int64_t begin_ns;
    uint64_t done; /* bytes of the blobs that are complete */
    uint64_t total;
    bool has_total;
    atomic_bool stopped; /* the caller has cancelled the call */
};

void watch_begin(struct image_watch *watch, const struct leat_image_options *options);

/* Returns how long to wait, for poll(2), until the next report is due. */
int watch_interval_ms(const struct image_watch *watch);
/* Reports progress to the caller: `moving` is the number of bytes moved of blobs in flight. Returns false if the caller
 * cancels the call or has done so. `watch` NULL: there is no report. */
bool watch_tell(struct image_watch *watch, uint64_t moving);

/* Should the call go on? Any thread. On the call's own thread, progress is reported as well. */
bool watch_is_wanted(void *watch);

/* Returns -ECANCELED with a sentence if the caller cancelled the call, else 0. */
int watch_end(const struct image_watch *watch, struct leat_error *error);

/* As leat_pipeline_run, but cancels the pipeline if the caller cancels the call. `watch` may be NULL. */
int watch_run(struct image_watch *watch, leat_pipeline *pipeline, leat_report **ret);

#endif
