/* SPDX-License-Identifier: MIT */
/* Names of objects in S3, for listing and removing. */
#ifndef STORE_S3_NAMES_H
#define STORE_S3_NAMES_H

#include "store/names.h"
#include "store/s3/place.h"

/* Finds the bucket of a call. *place is zero before; the caller clears it afterwards, also after a failure. */
int s3_names_find(const struct names_call *call, bool key_wanted, struct s3_place *place, struct s3_name *name,
                  struct leat_error *error);

/* Returns the spec of a key in the bucket of `name`, from malloc. NULL: memory is short. */
char *s3_names_spec(const struct s3_name *name, const char *key);

/* Passes all keys with the prefix of the call to `take`, one page at a time, sorted within the page. */
typedef int (*s3_names_page_fn)(void *user, const char *const *keys, size_t count, struct leat_error *error);
int s3_names_pages(const struct names_call *call, s3_names_page_fn take, void *user, struct leat_error *error);

/* Returns 0, or -EINVAL with a sentence if the name is not a prefix. */
int s3_names_check_prefix(const struct names_call *call, const struct s3_name *name, struct leat_error *error);

/* The hooks of struct names (remove.c). */
int s3_remove_check(const struct names_call *call, struct leat_error *error);
int s3_remove(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error);

#endif
