/* SPDX-License-Identifier: MIT */
/* The objects of a bucket whose keys have a common prefix, for a program that reads or writes many of them: credentials
 * are looked up once, and connections stay open in between. Any thread may call, several at the same time. */
#ifndef STORE_S3_BUCKET_H
#define STORE_S3_BUCKET_H

#include "base/error.h"
#include "store/metadata.h"
#include <leat/endpoint.h>
#include <leat/store.h>

struct s3_bucket;

/* Opens "//BUCKET[/PREFIX]", the text `rest` behind "s3:"; a prefix that does not end in a slash gets one. `spec` is
 * the whole name, for sentences. The options are copied, but not what they point to. `is_wanted` is asked while a call
 * of the bucket waits, several times a second; if it returns false, the call ends with -ECANCELED. Blocks, while keys
 * are asked for. Returns 0, or a negative errno with a sentence; -ENOSYS: leat was built without stores. */
int s3_bucket_open(struct s3_bucket **ret, const char *spec, const char *rest,
                   const struct leat_endpoint_options *options, bool (*is_wanted)(void *user), void *user,
                   struct leat_error *error);
/* All endpoints of the bucket are closed before. NULL is allowed. */
void s3_bucket_free(struct s3_bucket *bucket);

/* The name of the bucket, and the prefix: "", or it ends in a slash. */
const char *s3_bucket_name(const struct s3_bucket *bucket);
const char *s3_bucket_prefix(const struct s3_bucket *bucket);

/* In all of these calls, `key` is what is behind the prefix. */

/* Asks whether the bucket exists. Returns 0: it does, or the store does not tell. -ENOENT, or another negative errno,
 * with a sentence. */
int s3_bucket_look(struct s3_bucket *bucket, struct leat_error *error);

/* Passes each object to `entry`, whose `name` is the key; it returns 0, or a negative errno that ends the call. Returns
 * that, or what leat_store_list returns. */
int s3_bucket_list(struct s3_bucket *bucket, int (*entry)(void *user, const struct leat_store_entry *entry), void *user,
                   struct leat_error *error);

/* Opens an object; nothing is sent before a pipeline runs. `metadata` is stored with a new object; NULL: none. The
 * caller closes the endpoint. Returns 0, or a negative errno with a sentence. */
int s3_bucket_endpoint(struct s3_bucket *bucket, const char *key, enum leat_direction direction,
                       const struct metadata *metadata, leat_endpoint **ret, struct leat_error *error);

/* Makes an empty object. `metadata` is stored with it; NULL: none. Blocks. Returns 0, or a negative errno with a
 * sentence. */
int s3_bucket_touch(struct s3_bucket *bucket, const char *key, const struct metadata *metadata,
                    struct leat_error *error);

/* Asks for the metadata of an object. Blocks. Returns 0, or a negative errno with a sentence. */
int s3_bucket_describe(struct s3_bucket *bucket, const char *key, struct metadata *ret, struct leat_error *error);

/* Has the store copy an object, with its metadata, of one bucket to another. `etag` is that of the source, or NULL.
 * Blocks. Returns 0; 1: the store can't or may not do it, and nothing was changed; or a negative errno with a
 * sentence. */
int s3_bucket_copy(struct s3_bucket *from, const char *from_key, const char *etag, struct s3_bucket *to,
                   const char *to_key, struct leat_error *error);

#endif
