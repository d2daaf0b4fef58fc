/* SPDX-License-Identifier: MIT */
#include "image/archive_target.h"
#include "archive/library.h"
#include "image/place.h"
#include <errno.h>

int archive_target_open(struct archive_target *target, const char *path, struct leat_error *error)
{
    char buffer[128];
    const char *why;
    *target = ARCHIVE_TARGET_NONE;
    int r = archive_need(&why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    r = place_file(path, LEAT_WRITE, &target->sink, error);
    if (r == 0 && (r = spool_open(&target->spool)) < 0)
        error_set(error, r, "A file for the time of the copy: %s", error_text(r, buffer, sizeof(buffer)));
    return r;
}

void archive_target_close(struct archive_target *target)
{
    for (struct taken *taken = target->blobs, *next; taken; taken = next) {
        next = taken->next;
        spool_forget(&taken->bytes);
        free(taken);
    }
    free(target->manifest);
    leat_endpoint_close(target->sink);
    spool_close(&target->spool);
    *target = ARCHIVE_TARGET_NONE;
}

int archive_target_blob(struct archive_target *target, const struct descriptor *blob, leat_endpoint **ret,
                        struct taken **ret_taken, struct leat_error *error)
{
    struct taken *taken = calloc(1, sizeof(*taken));
    int r = taken ? spool_sink(ret, &target->spool, &taken->bytes) : -ENOMEM;
    if (r < 0) {
        free(taken);
        return error_set(error, r, "out of memory");
    }
    taken->blob = *blob;
    taken->next = target->blobs;
    target->blobs = taken;
    target->blob_count++;
    if (ret_taken)
        *ret_taken = taken;
    return 0;
}

int archive_target_manifest(struct archive_target *target, const struct document *document, struct leat_error *error)
{
    size_t n = target->manifest_count;
    const struct document **grown = realloc(target->manifest, (n + 1) * sizeof(void *));
    if (!grown)
        return error_set(error, -ENOMEM, "out of memory");
    target->manifest = grown;
    grown[target->manifest_count++] = document;
    return 0;
}

struct taken *archive_target_find(const struct archive_target *target, const char *digest)
{
    for (struct taken *taken = target->blobs; taken; taken = taken->next)
        if (strcmp(taken->blob.digest, digest) == 0)
            return taken;
    return NULL;
}
