/* A blob that comes into a layout from a place that can begin anywhere in it. What has come lies in the layout under a
 * name of its own until it is whole and right, and stays there when the copy is killed or fails, so that the next copy
 * goes on behind it.
 *
 * The file has a lock while a copy uses it. Where another copy has it, this one takes the blob in the usual way. */
#ifndef IMAGE_LAYOUT_PARTIAL_H
#define IMAGE_LAYOUT_PARTIAL_H

#include "image/document.h"
#include "image/layout_folder.h"
#include "image/watch.h"

#define PART_LEAST (256u * 1024) /* smaller blobs are had again */

struct partial;

/* *ret is NULL if another copy has the file, or it can't be had. -ENOMEM. `folder` and `watch` are borrowed until the
 * end. */
int partial_open(struct partial **ret, const struct layout_folder *folder, const struct descriptor *blob,
                 struct image_watch *watch);
/* So many bytes of the blob are there, fewer than it has: the sink takes those behind them. */
uint64_t partial_length(const struct partial *part);
/* A sink for the bytes behind. It borrows the part. -ENOMEM. */
int partial_sink(struct partial *part, leat_endpoint **ret);
/* The sink is closed, and got all that was missing (`code` 0, compared with the digest if nothing was there before), or
 * something failed. Publishes the blob, or leaves the part for the next copy, unless it is wrong. Frees it. 0, or
 * `code`, or a failure with a sentence: -EEXIST: the blob is there already; -ESTALE: what was there before was none of
 * the blob, which has to be had anew. */
int partial_end(struct partial *part, int code, struct leat_error *error);

/* Removes parts of blobs that are there now, and those that nobody has touched for a week. */
void partial_sweep(const struct layout_folder *folder);

#endif
