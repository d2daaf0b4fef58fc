/* SPDX-License-Identifier: MIT */
/* The common part of the archives that are written: the blobs in a spool, the manifests, and the sink that gets the
 * archive at the end. */
#ifndef IMAGE_ARCHIVE_TARGET_H
#define IMAGE_ARCHIVE_TARGET_H

#include "image/archive_pack.h"
#include "image/document.h"

struct taken {
    struct descriptor blob;
    char digest[LEAT_IMAGE_DIGEST_MAX]; /* SHA-256 of `bytes`, if it was requested */
    struct spool_blob bytes;
    struct taken *next;
};

struct archive_target {
    struct spool spool;
    struct taken *blobs; /* newest first */
    size_t blob_count;
    const struct document **manifest; /* borrowed until the end of the copy */
    size_t manifest_count;
    leat_endpoint *sink; /* NULL: handed over */
};

#define ARCHIVE_TARGET_NONE ((struct archive_target){.spool = {.fd = -1}})

/* Starts an archive at `path`. What cannot work is refused here, before bytes are moved. The caller closes the target,
 * also after a failure. */
int archive_target_open(struct archive_target *target, const char *path, struct leat_error *error);
void archive_target_close(struct archive_target *target);

/* Makes a sink for a blob. *ret_taken (may be NULL) lives as long as the target. */
int archive_target_blob(struct archive_target *target, const struct descriptor *blob, leat_endpoint **ret,
                        struct taken **ret_taken, struct leat_error *error);
int archive_target_manifest(struct archive_target *target, const struct document *document, struct leat_error *error);
/* Returns the blob with this digest, or NULL. */
struct taken *archive_target_find(const struct archive_target *target, const char *digest);

#endif
