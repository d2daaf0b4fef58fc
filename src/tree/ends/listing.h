/* SPDX-License-Identifier: MIT */
/* The list of a bucket, read ahead by a thread of its own: it comes in pages of 1,000 keys, and the next page is asked
 * for while the objects of the last one are copied. */
#ifndef TREE_LISTING_H
#define TREE_LISTING_H

#include "base/error.h"
#include "store/s3/bucket.h"

struct tree_copy;
struct tree_listing;

/* An object of the list; freed by free(3). */
struct tree_object {
    uint64_t bytes;
    int64_t modified_s; /* as in struct leat_store_entry */
    char *etag;         /* within the object; "": unknown */
    char key[];         /* behind the prefix of the bucket */
};

/* Begins. The bucket outlives the listing. Returns 0 or a negative errno. */
int listing_begin(struct tree_listing **ret, struct tree_copy *tree, struct s3_bucket *bucket);
/* Gives the next object, which the caller takes. Blocks until it is there, or until tree_is_canceled. Returns 1; 0: the
 * list has ended; or a negative errno with a sentence. */
int listing_next(struct tree_listing *listing, struct tree_object **ret, struct leat_error *error);
/* Ends the thread and frees what was not taken. NULL is allowed. */
void listing_end(struct tree_listing *listing);

#endif
