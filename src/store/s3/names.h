/* Names of objects in S3, as those see them who list and remove. */
#ifndef STORE_S3_NAMES_H
#define STORE_S3_NAMES_H

#include "store/names.h"
#include "store/s3/place.h"

/* Finds the bucket that a call is about. *place is zeroed before, and to be cleared afterwards, also on failure. */
int s3_names_find(const struct names_call *call, bool key_wanted, struct s3_place *place, struct s3_name *name,
                  struct leat_error *error);

/* The spec of a key in the bucket of `name`, from malloc. NULL: no memory. */
char *s3_names_spec(const struct s3_name *name, const char *key);

/* All keys that begin as the call says, a page at a time, sorted within it. */
typedef int (*s3_names_page_fn)(void *user, const char *const *keys, size_t count, struct leat_error *error);
int s3_names_pages(const struct names_call *call, s3_names_page_fn take, void *user, struct leat_error *error);

/* -EINVAL with a sentence: the name is no prefix. */
int s3_names_check_prefix(const struct names_call *call, const struct s3_name *name, struct leat_error *error);

/* As struct names has them (remove.c). */
int s3_remove_check(const struct names_call *call, struct leat_error *error);
int s3_remove(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error);

#endif
