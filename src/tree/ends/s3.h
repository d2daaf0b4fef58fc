/* SPDX-License-Identifier: MIT */
/* What S3 has in common as a source and as a sink. */
#ifndef TREE_S3_H
#define TREE_S3_H

#include "store/s3/bucket.h"

struct tree_copy;

/* How many objects are copied at the same time, if the program does not say. A request for a small object takes 20 to
 * 50 ms, nearly all of it waiting, so 32 give about 1,000 objects a second; more would take more memory for large
 * objects, and stores begin to refuse requests at a few thousand a second. */
enum {
    S3_JOBS = 32
};

/* For s3_bucket_open: `user` is the tree. */
bool s3_is_wanted(void *user);
/* Completes the error of a root that can't be opened. Returns its code. */
int s3_fail_open(struct leat_error *error, enum leat_side side, const char *spec);

/* The bucket of the source, or NULL if the source is none. */
struct s3_bucket *source_s3_bucket(const struct tree_copy *tree);

#endif
