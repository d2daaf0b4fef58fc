#include "image/work.h"
#include "image/place.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define MEMORY_ALL   (16u * 1024 * 1024) /* of all pipelines together */
#define MEMORY_LEAST (256u * 1024)

/* ---- lists ---- */

int blobs_add(struct blobs *blobs, const struct descriptor *blob)
{
    if (blobs->count == blobs->capacity) {
        size_t capacity = blobs->capacity ? blobs->capacity * 2 : 16;
        struct descriptor *grown = realloc(blobs->blob, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        blobs->blob = grown;
        blobs->capacity = capacity;
    }
    blobs->blob[blobs->count++] = *blob;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct descriptor *)a)->digest, ((const struct descriptor *)b)->digest);
}

int blobs_unite(struct blobs *blobs)
{
    size_t kept = 0;
    if (blobs->count)
        qsort(blobs->blob, blobs->count, sizeof(*blobs->blob), compare);
    for (size_t i = 0; i < blobs->count; i++) {
        struct descriptor *last = kept ? &blobs->blob[kept - 1] : NULL;
        if (!last || compare(last, &blobs->blob[i]) != 0)
            blobs->blob[kept++] = blobs->blob[i];
        else if (last->size != blobs->blob[i].size)
            return -EBADMSG;
    }
    blobs->count = kept;
    return 0;
}

const struct descriptor *blobs_find(const struct blobs *blobs, const char *digest)
{
    struct descriptor key = {.size = 0};
    snprintf(key.digest, sizeof(key.digest), "%s", digest);
    return blobs->count ? bsearch(&key, blobs->blob, blobs->count, sizeof(key), compare) : NULL;
}

void blobs_clear(struct blobs *blobs)
{
    free(blobs->blob);
    *blobs = (struct blobs){0};
}

/* ---- pipelines ---- */

struct slot {
    const struct descriptor *blob; /* NULL: it is free */
    leat_pipeline *pipeline;
};

struct run {
    const struct work *work;
    struct slot slot[LEAT_IMAGE_JOBS_MAX];
    struct pollfd set[LEAT_IMAGE_JOBS_MAX];
    size_t next; /* blob to begin */
    size_t under_way;
    bool stopped;
};

static int build(const struct work *work, const struct descriptor *blob, leat_endpoint *in, leat_endpoint *out,
                 leat_pipeline **ret)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.expect = blob->digest;
    options.memory_limit = MAX(MEMORY_ALL / work->most, MEMORY_LEAST);
    options.has_length = 1; /* what never ends is cut, and then has another digest */
    options.length = MIN(blob->size, (uint64_t)INT64_MAX - 1) + 1;
    int r = leat_pipeline_new(ret, &options);
    if (r < 0) {
        leat_endpoint_close(in);
        leat_endpoint_close(out);
        return r;
    }
    int source = leat_pipeline_source(*ret, in), sink = leat_pipeline_sink(*ret, out, NULL);
    r = source < 0 ? source : sink;
    return r == 0 ? leat_pipeline_start(*ret) : r;
}

static void tell(struct run *run, const struct descriptor *blob, const struct leat_error *error)
{
    if (!run->work->done(run->work->user, blob, error))
        run->stopped = true;
}

static void begin(struct run *run, struct slot *slot)
{
    const struct descriptor *blob = &run->work->blobs->blob[run->next++];
    struct leat_error error = {.size = sizeof(error)};
    leat_endpoint *in, *out;
    int fd, r = run->work->open(run->work->user, blob, &in, &out, &error);
    if (r == 1)
        return;
    leat_pipeline *pipeline = NULL;
    if (r == 0) {
        r = build(run->work, blob, in, out, &pipeline);
        if (r == 0)
            r = leat_pipeline_fd(pipeline, &fd);
        if (r < 0)
            place_failure(NULL, r, blob->digest, &error);
    }
    if (r < 0) {
        leat_pipeline_free(pipeline);
        tell(run, blob, &error);
        return;
    }
    *slot = (struct slot){.blob = blob, .pipeline = pipeline};
    run->set[slot - run->slot] = (struct pollfd){.fd = fd, .events = POLLIN};
    run->under_way++;
}

static void end(struct run *run, struct slot *slot)
{
    const struct descriptor *blob = slot->blob;
    struct leat_error error = {.size = sizeof(error)};
    leat_report *report = NULL;
    int r = leat_pipeline_wait(slot->pipeline, -1, &report);
    if (r < 0)
        place_failure(report, r, blob->digest, &error);
    else if (leat_report_bytes(report) != blob->size)
        error_at(&error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify", "%.80s has %llu bytes, not %llu", blob->digest,
                 (unsigned long long)leat_report_bytes(report), (unsigned long long)blob->size);
    leat_report_free(report);
    leat_pipeline_free(slot->pipeline);
    *slot = (struct slot){.blob = NULL};
    run->set[slot - run->slot].fd = -1;
    run->under_way--;
    if (r != -ECANCELED || !run->stopped)
        tell(run, blob, &error);
}

static void stop_all(struct run *run)
{
    for (size_t i = 0; i < run->work->most; i++)
        if (run->slot[i].blob)
            leat_pipeline_cancel(run->slot[i].pipeline);
}

void work_run(const struct work *work)
{
    struct run run = {.work = work};
    for (size_t i = 0; i < LEAT_IMAGE_JOBS_MAX; i++)
        run.set[i].fd = -1;
    for (;;) {
        for (size_t i = 0; i < work->most; i++)
            while (!run.slot[i].blob && run.next < work->blobs->count && !run.stopped)
                begin(&run, &run.slot[i]);
        if (run.stopped)
            stop_all(&run);
        if (run.under_way == 0)
            return;
        poll(run.set, work->most, -1);
        for (size_t i = 0; i < work->most; i++)
            if (run.slot[i].blob && run.set[i].revents)
                end(&run, &run.slot[i]);
    }
}
