/* SPDX-License-Identifier: MIT */
/* Removes several objects of one bucket by one request. */
#ifndef STORE_S3_DELETE_H
#define STORE_S3_DELETE_H

#include "store/names.h"
#include "store/s3/place.h"

#define BATCH_MOST 1000

/* Objects of one bucket. Each has a call of its own, or, with `recursive`, all of them belong to one call that names
 * their prefix. */
struct delete_batch {
    const struct s3_place *place;
    const struct s3_name *bucket;
    struct removal *removal;
    const struct names_call *call[BATCH_MOST];
    const char *spec[BATCH_MOST]; /* NULL: made from the key */
    const char *key[BATCH_MOST], *version[BATCH_MOST];
    bool failed[BATCH_MOST];
    size_t count;
    int code; /* a failure to read the answer */
};

/* Removes the objects, records each in b->removal, and empties the batch. Blocks. The caller is a user of the transfer
 * thread. Negative: the caller's function ended it, or memory is short. */
int delete_batch(struct delete_batch *b, struct leat_error *error);

#endif
