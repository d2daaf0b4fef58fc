/* SPDX-License-Identifier: MIT */
/* Moves several blobs at once, each through its own pipeline, all on the calling thread. */
#ifndef IMAGE_WORK_H
#define IMAGE_WORK_H

#include "image/document.h"
#include "image/place.h"
#include <leat/pipeline.h>

/* A list of blobs, each digest once after `blobs_unite`. */
struct blobs {
    struct descriptor *blob;
    size_t count, capacity;
};

/* Returns 0 or -ENOMEM. */
int blobs_add(struct blobs *blobs, const struct descriptor *blob);
/* Sorts the blobs by digest and drops duplicates. Returns 0, or -EBADMSG if a digest has two sizes. */
int blobs_unite(struct blobs *blobs);
/* Returns the blob with this digest, or NULL. Only after blobs_unite. */
const struct descriptor *blobs_find(const struct blobs *blobs, const char *digest);
void blobs_clear(struct blobs *blobs);

struct work {
    const struct blobs *blobs;
    size_t most;      /* how many move at once; at least 1 */
    unsigned retries; /* how often a blob is started again after its target has lost the bytes (-ESTALE) */
    struct image_watch *watch;
    void *user;

    /* Fills in the way of a blob; *way is empty before. Returns 0; 1 if there is nothing to do for the blob; or a
     * negative errno if the blob failed, with a sentence in *error. */
    int (*open)(void *user, const struct descriptor *blob, struct image_way *way, struct leat_error *error);
    /* Called when a blob's bytes were moved and compared with its digest and size (error->code 0), or when the blob
     * failed. False: no more blobs are started, and those in flight are stopped. */
    bool (*done)(void *user, const struct descriptor *blob, const struct leat_error *error);
};

/* Returns when all blobs are done. Failures are reported to `done` alone. */
void work_run(const struct work *work);

#endif
