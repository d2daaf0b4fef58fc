/* What an archive that is written has in common with others: its blobs in a file without a name, its manifests, and the
 * sink that gets the whole at the end. */
#ifndef IMAGE_ARCHIVE_TARGET_H
#define IMAGE_ARCHIVE_TARGET_H

#include "image/archive_pack.h"
#include "image/document.h"

struct taken {
    struct descriptor blob;
    char digest[LEAT_IMAGE_DIGEST_MAX]; /* SHA-256 of `bytes`, where it was asked for */
    struct spool_blob bytes;
    struct taken *next;
};

struct archive_target {
    struct spool spool;
    struct taken *blobs; /* the last one first */
    size_t blob_count;
    const struct document **manifest; /* borrowed until the end of the copy */
    size_t manifest_count;
    leat_endpoint *sink; /* NULL: it was handed over */
};

#define ARCHIVE_TARGET_NONE ((struct archive_target){.spool = {.fd = -1}})

/* `path` becomes the archive. What can't be is refused before anything is moved. On failure, too, it is to be closed.
 */
int archive_target_open(struct archive_target *target, const char *path, struct leat_error *error);
void archive_target_close(struct archive_target *target);

/* A sink that takes a blob; *ret_taken (may be NULL) lives as long as the target. */
int archive_target_blob(struct archive_target *target, const struct descriptor *blob, leat_endpoint **ret,
                        struct taken **ret_taken, struct leat_error *error);
int archive_target_manifest(struct archive_target *target, const struct document *document, struct leat_error *error);
/* The blob of this digest, or NULL. */
struct taken *archive_target_find(const struct archive_target *target, const char *digest);

#endif
