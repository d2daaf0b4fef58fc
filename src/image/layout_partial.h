/* SPDX-License-Identifier: MIT */
/* A partial blob. If the source of a blob can start anywhere in it, the bytes are written into the layout under a
 * temporary name until the blob is complete and verified. If the copy is killed or fails, the file stays, and the next
 * copy continues after its bytes.
 *
 * A copy locks the file while it uses it. If another copy holds the lock, this copy writes the blob without a partial
 * file. */
#ifndef IMAGE_LAYOUT_PARTIAL_H
#define IMAGE_LAYOUT_PARTIAL_H

#include "image/document.h"
#include "image/layout_folder.h"
#include "image/watch.h"

#define PART_LEAST (256u * 1024) /* a smaller blob is copied again from its start */

struct partial;

/* Opens the partial file of a blob. *ret is NULL if another copy has locked it or it cannot be opened. `folder` and
 * `watch` are borrowed until partial_end. Returns 0 or -ENOMEM. */
int partial_open(struct partial **ret, const struct layout_folder *folder, const struct descriptor *blob,
                 struct image_watch *watch);
/* Returns how many bytes of the blob are in the file: fewer than its size. The sink takes the bytes after them. */
uint64_t partial_length(const struct partial *part);
/* Makes a sink for the missing bytes. It borrows the part. Returns 0 or -ENOMEM. */
int partial_sink(struct partial *part, leat_endpoint **ret);
/* Ends a partial blob, and frees it. The sink is closed. `code` 0: it got all missing bytes, and if the file was empty
 * before, they were compared with the digest. Publishes the blob. After a failure it keeps the file for the next copy,
 * unless its bytes are wrong. Returns 0, `code`, or another failure with a sentence: -EEXIST if the blob exists
 * already; -ESTALE if the earlier bytes were not those of the blob, which must be copied again. */
int partial_end(struct partial *part, int code, struct leat_error *error);

/* Removes the partial files of blobs that are complete now, and those that were not changed for a week. */
void partial_sweep(const struct layout_folder *folder);

#endif
