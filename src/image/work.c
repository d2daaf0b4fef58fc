/* SPDX-License-Identifier: MIT */
#include "image/work.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define MEMORY_ALL   (16u * 1024 * 1024) /* for all pipelines together */
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

struct work_slot {
    const struct descriptor *blob; /* NULL: it is free */
    leat_pipeline *pipeline;
    leat_filter *codec; /* or NULL */
    char *digest;       /* gets the digest of the result; or NULL */
    unsigned tries;     /* that have failed */
    uint64_t offset;    /* as in struct image_way; so are these */
    int (*end)(void *user, int code, struct leat_error *error);
    void *end_user;
};

struct work_run {
    const struct work *work;
    struct work_slot slot[LEAT_IMAGE_JOBS_MAX];
    struct pollfd set[LEAT_IMAGE_JOBS_MAX];
    size_t next; /* number of the next blob to start */
    size_t under_way;
    bool stopped;
};

static int add_digest(leat_pipeline *pipeline, const char *algorithm)
{
    leat_filter *filter;
    int r = leat_filter_digest(&filter, algorithm, NULL, NULL);
    return r == 0 ? leat_pipeline_filter(pipeline, filter) : r;
}

/* A blob that is decoded has two digests: the one before the decoder, which `end` compares, and the one after it. */
static int add_filters(struct work_slot *slot, const char *codec)
{
    char algorithm[16];
    snprintf(algorithm, sizeof(algorithm), "%.*s", (int)strcspn(slot->blob->digest, ":"), slot->blob->digest);
    int r = codec ? add_digest(slot->pipeline, algorithm) : 0;
    if (r == 0 && codec)
        r = leat_filter_codec(&slot->codec, codec, NULL);
    if (r == 0 && codec)
        r = leat_pipeline_filter(slot->pipeline, leat_filter_ref(slot->codec));
    return r == 0 && slot->digest ? add_digest(slot->pipeline, "sha256") : r;
}

static int build(const struct work *work, struct work_slot *slot, const struct image_way *way)
{
    const struct descriptor *blob = slot->blob;
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.expect = way->codec || way->offset ? NULL : blob->digest;
    options.offset = way->offset;
    options.memory_limit = MAX(MEMORY_ALL / work->most, MEMORY_LEAST);
    options.has_length = 1; /* a blob that is too long is cut, and then has another digest */
    options.length = MIN(blob->size, (uint64_t)INT64_MAX - 1) + 1 - way->offset;
    int r = leat_pipeline_new(&slot->pipeline, &options, NULL);
    if (r < 0) {
        leat_endpoint_close(way->in);
        leat_endpoint_close(way->out);
        return r;
    }
    int source = leat_pipeline_source(slot->pipeline, way->in),
        sink = leat_pipeline_sink(slot->pipeline, way->out, NULL, NULL);
    r = source < 0 ? source : sink;
    if (r == 0)
        r = add_filters(slot, way->codec);
    return r == 0 ? leat_pipeline_start(slot->pipeline) : r;
}

static void tell(struct work_run *run, const struct descriptor *blob, const struct leat_error *error)
{
    if (!run->work->done(run->work->user, blob, error))
        run->stopped = true;
}

static void clear(struct work_slot *slot)
{
    leat_filter_free(slot->codec);
    leat_pipeline_free(slot->pipeline);
    *slot = (struct work_slot){.blob = NULL};
}

/* Called when the pipeline has ended and its sink is closed. */
static void end_way(struct work_slot *slot, struct leat_error *error)
{
    int (*end)(void *user, int code, struct leat_error *error) = slot->end;
    leat_pipeline_free(slot->pipeline);
    slot->pipeline = NULL;
    slot->end = NULL;
    if (end)
        end(slot->end_user, error->code, error);
}

static void begin(struct work_run *run, struct work_slot *slot, const struct descriptor *blob, unsigned tries)
{
    struct leat_error error = {.size = sizeof(error)};
    struct image_way way = {.in = NULL};
    int fd, r = run->work->open(run->work->user, blob, &way, &error);
    if (r == 1)
        return;
    if (r == 0) {
        *slot = (struct work_slot){.blob = blob,
                                   .digest = way.digest,
                                   .tries = tries,
                                   .offset = way.offset,
                                   .end = way.end,
                                   .end_user = way.end_user};
        r = build(run->work, slot, &way);
        if (r == 0)
            r = leat_pipeline_fd(slot->pipeline, &fd);
        if (r == -ENOENT)
            error_set(&error, r = -ENOSYS, "%.80s: leat was built without %s", blob->digest, way.codec);
        else if (r < 0)
            place_failure(NULL, r, blob->digest, &error);
    }
    if (r < 0) {
        end_way(slot, &error);
        clear(slot);
        tell(run, blob, &error);
        return;
    }
    run->set[slot - run->slot] = (struct pollfd){.fd = fd, .events = POLLIN};
    run->under_way++;
}

/* Counts the bytes of the blob, before the decoder if there is one. */
static uint64_t bytes_of(const struct work_slot *slot, const leat_report *report)
{
    uint64_t bytes = slot->offset + leat_report_bytes(report);
    if (slot->codec)
        leat_filter_bytes(slot->codec, &bytes);
    return bytes;
}

static int compare_blob(const struct work_slot *slot, const leat_report *report, struct leat_error *error)
{
    const char *algorithm = "", *hex = "", *expected = slot->blob->digest + strcspn(slot->blob->digest, ":") + 1;
    uint64_t bytes = bytes_of(slot, report);
    if (slot->codec)
        leat_report_digest_at(report, 0, &algorithm, &hex);
    if (slot->codec && strcmp(hex, expected) != 0)
        return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify", "%.80s: The %s digest is %.40s..., not this",
                        slot->blob->digest, algorithm, hex);
    if (bytes != slot->blob->size)
        return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify", "%.80s has %llu bytes, not %llu",
                        slot->blob->digest, (unsigned long long)bytes, (unsigned long long)slot->blob->size);
    return 0;
}

/* Stores the SHA-256 of the bytes that the sink got. */
static void tell_digest(const struct work_slot *slot, const leat_report *report)
{
    const char *algorithm, *hex;
    for (size_t i = 0; slot->digest && leat_report_digest_at(report, i, &algorithm, &hex) == 0; i++)
        if (strcmp(algorithm, "sha256") == 0 && leat_report_digest_side(report, i) != LEAT_SIDE_FILTER)
            snprintf(slot->digest, LEAT_IMAGE_DIGEST_MAX, "sha256:%s", hex);
}

static void end(struct work_run *run, struct work_slot *slot)
{
    const struct descriptor *blob = slot->blob;
    unsigned tries = slot->tries;
    struct leat_error error = {.size = sizeof(error)};
    leat_report *report = NULL;
    int r = leat_pipeline_wait(slot->pipeline, -1, &report);
    if (r < 0)
        place_failure(report, r, blob->digest, &error);
    else if (compare_blob(slot, report, &error) == 0)
        tell_digest(slot, report);
    leat_report_free(report);
    end_way(slot, &error);
    clear(slot);
    run->set[slot - run->slot].fd = -1;
    run->under_way--;
    if (error.code == -ESTALE && error.side == LEAT_SIDE_SINK && tries < run->work->retries && !run->stopped) {
        begin(run, slot, blob, tries + 1);
        return;
    }
    if (run->work->watch)
        run->work->watch->done += blob->size;
    if (r != -ECANCELED || !run->stopped)
        tell(run, blob, &error);
}

static void stop_all(struct work_run *run)
{
    for (size_t i = 0; i < run->work->most; i++)
        if (run->slot[i].blob)
            leat_pipeline_cancel(run->slot[i].pipeline);
}

static uint64_t moving(const struct work_run *run)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < run->work->most; i++) {
        struct leat_progress now = LEAT_INIT(struct leat_progress);
        if (run->slot[i].blob && leat_pipeline_progress(run->slot[i].pipeline, &now) == 0)
            bytes += MIN(run->slot[i].offset + now.bytes,
                         run->slot[i].blob->size); /* a decoded blob has more bytes than its size */
    }
    return bytes;
}

void work_run(const struct work *work)
{
    struct work_run run = {.work = work};
    for (size_t i = 0; i < LEAT_IMAGE_JOBS_MAX; i++)
        run.set[i].fd = -1;
    for (;;) {
        for (size_t i = 0; i < work->most; i++)
            while (!run.slot[i].blob && run.next < work->blobs->count && !run.stopped)
                begin(&run, &run.slot[i], &work->blobs->blob[run.next++], 0);
        if (run.stopped)
            stop_all(&run);
        if (run.under_way == 0)
            return;
        poll(run.set, work->most, watch_interval_ms(work->watch));
        if (!watch_tell(work->watch, moving(&run)))
            run.stopped = true;
        for (size_t i = 0; i < work->most; i++)
            if (run.slot[i].blob && run.set[i].revents)
                end(&run, &run.slot[i]);
    }
}
