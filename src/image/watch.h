/* How far a call is, for its caller, who may end it. */
#ifndef IMAGE_WATCH_H
#define IMAGE_WATCH_H

#include "base/error.h"
#include <leat/image.h>
#include <leat/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Of one call; all but watch_is_wanted is its thread's. */
struct image_watch {
    const struct leat_image_options *options;
    pthread_t thread;
    int64_t begin_ns;
    uint64_t done; /* bytes of blobs that have ended */
    uint64_t total;
    bool has_total;
    atomic_bool stopped; /* the caller wants no more */
};

void watch_begin(struct image_watch *watch, const struct leat_image_options *options);

/* For poll(2): how long to wait until the caller is to be told. */
int watch_interval_ms(const struct image_watch *watch);
/* Tells the caller: `moving` bytes of blobs that are under way are done, too. False: it wants no
 * more, now or before. `watch` NULL: nobody is to be told. */
bool watch_tell(struct image_watch *watch, uint64_t moving);

/* Any thread: shall the call go on? On the call's own thread the caller is told. */
bool watch_is_wanted(void *watch);

/* -ECANCELED with a sentence if the caller wanted no more, else 0. */
int watch_end(const struct image_watch *watch, struct leat_error *error);

/* leat_pipeline_run, which is cancelled where the caller wants no more. `watch` may be NULL. */
int watch_run(struct image_watch *watch, leat_pipeline *pipeline, leat_report **ret);

#endif
