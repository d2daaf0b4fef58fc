/* SPDX-License-Identifier: MIT */
#include "image/watch.h"
#include <errno.h>
#include <poll.h>

#define PROGRESS_MS 200

void watch_begin(struct image_watch *watch, const struct leat_image_options *options)
{
    *watch = (struct image_watch){.options = options, .thread = pthread_self(), .begin_ns = clock_ns()};
    atomic_init(&watch->stopped, false);
}

int watch_interval_ms(const struct image_watch *watch)
{
    if (!watch || !watch->options->progress)
        return -1;
    return watch->options->progress_ms ? watch->options->progress_ms : PROGRESS_MS;
}

bool watch_tell(struct image_watch *watch, uint64_t moving)
{
    if (!watch || !watch->options->progress)
        return true;
    if (atomic_load(&watch->stopped))
        return false;
    struct leat_progress now = {.size = sizeof(now),
                                .bytes = watch->done + moving,
                                .total = watch->has_total ? watch->total : 0,
                                .has_total = watch->has_total,
                                .seconds = (double)(clock_ns() - watch->begin_ns) / 1e9};
    if (watch->options->progress(watch->options->user, &now) != 0)
        atomic_store(&watch->stopped, true);
    return !atomic_load(&watch->stopped);
}

bool watch_is_wanted(void *user)
{
    struct image_watch *watch = user;
    if (!pthread_equal(watch->thread, pthread_self()))
        return !atomic_load(&watch->stopped);
    return watch_tell(watch, 0);
}

int watch_end(const struct image_watch *watch, struct leat_error *error)
{
    return atomic_load(&watch->stopped) ? error_set(error, -ECANCELED, "It was cancelled") : 0;
}

int watch_run(struct image_watch *watch, leat_pipeline *pipeline, leat_report **ret)
{
    int fd;
    if (watch_interval_ms(watch) < 0)
        return leat_pipeline_run(pipeline, ret);
    int r = leat_pipeline_fd(pipeline, &fd);
    if (r == 0)
        r = leat_pipeline_start(pipeline);
    if (r < 0)
        return r;
    struct pollfd set = {.fd = fd, .events = POLLIN};
    while (poll(&set, 1, watch_interval_ms(watch)) <= 0)
        if (!watch_tell(watch, 0))
            leat_pipeline_cancel(pipeline);
    return leat_pipeline_wait(pipeline, -1, ret);
}
