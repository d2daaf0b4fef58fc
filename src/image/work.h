/* Blobs that move at the same time, each through a pipeline of its own, all on the thread that waits for them. */
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

/* -ENOMEM. */
int blobs_add(struct blobs *blobs, const struct descriptor *blob);
/* Sorts them by digest and drops what is there twice. -EBADMSG: the same digest with two sizes. */
int blobs_unite(struct blobs *blobs);
/* After blobs_unite: the one with this digest, or NULL. */
const struct descriptor *blobs_find(const struct blobs *blobs, const char *digest);
void blobs_clear(struct blobs *blobs);

struct work {
    const struct blobs *blobs;
    size_t most;      /* at the same time; at least 1 */
    unsigned retries; /* so often a blob is begun anew when its target has lost what it got (-ESTALE) */
    struct image_watch *watch;
    void *user;

    /* A blob's way; *way is empty. 0; 1: there is nothing to do for it; negative: a failure of this blob, with a
     * sentence in *error. */
    int (*open)(void *user, const struct descriptor *blob, struct image_way *way, struct leat_error *error);
    /* A blob's bytes were moved and compared with its digest and its size (error->code 0), or something failed. False:
     * nothing more is begun, and what is under way is stopped. */
    bool (*done)(void *user, const struct descriptor *blob, const struct leat_error *error);
};

/* Ends when everything has ended. Failures go to `done` alone. */
void work_run(const struct work *work);

#endif
