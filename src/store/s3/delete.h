/* Objects of one bucket that are removed together. */
#ifndef STORE_S3_DELETE_H
#define STORE_S3_DELETE_H

#include "store/names.h"
#include "store/s3/place.h"

#define BATCH_MOST 1000

/* Objects of one bucket. Each is one of the caller's, or, with `recursive`, all are what one call of the caller's
 * names. */
struct delete_batch {
    const struct s3_place *place;
    const struct s3_name *bucket;
    struct removal *removal;
    const struct names_call *call[BATCH_MOST];
    const char *spec[BATCH_MOST]; /* NULL: from the key */
    const char *key[BATCH_MOST], *version[BATCH_MOST];
    bool failed[BATCH_MOST];
    size_t count;
    int code; /* of reading the answer */
};

/* Removes them, and notes each in b->removal; the batch is empty afterwards. Blocks; the caller is a user of the
 * transfer thread. Negative: the caller's function ends it, or there is no memory. */
int delete_batch(struct delete_batch *b, struct leat_error *error);

#endif
