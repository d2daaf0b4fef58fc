/* SPDX-License-Identifier: MIT */
/* Places of S3: where a bucket is, and how requests to its store are signed. */
#ifndef STORE_S3_PLACE_H
#define STORE_S3_PLACE_H

#include "store/request.h"
#include "store/s3/clock.h"
#include "store/s3/extra.h"
#include "store/s3/keyring.h"
#include <leat/base.h>

/* "//BUCKET/KEY[?versionId=VERSION]". The key is taken literally, without decoding. */
struct s3_name {
    const char *bucket, *key, *version; /* version NULL: the latest */
    size_t bucket_length, key_length;
};

/* Splits the text after "s3:"; *ret points into it. The key may be empty. The version may be empty, too, which means
 * none: so a key can end in what looks like a version. Returns 0, or -EINVAL if the bucket is missing or its name is
 * invalid. */
int s3_name_split(struct s3_name *ret, const char *rest);

/* Does the name stand for all keys that start with its key? If so, it has no version, or an empty one where the key
 * looks as if it had a version. */
bool s3_name_is_prefix(const struct s3_name *name);

/* Returns the query for its version, percent-encoded, from malloc; "" without a version. NULL: memory is short. */
char *s3_name_query(const struct s3_name *name);

/* A bucket. Constant after s3_place_find. */
struct s3_place {
    struct keyring *keyring;
    struct s3_clock *clock;
    char *scheme, *host; /* of the endpoint; the host includes the bucket where S3 addresses it so */
    char *folder;        /* the path of the bucket, percent-encoded; it starts and ends with a slash */
    char *region;
    struct http_settings *settings; /* settings for s3_call; NULL: the defaults */
    struct s3_extra extra;          /* headers of each request */
    int64_t deadline_ns;            /* of clock_ns: when each s3_call has to end; 0: no limit */
};

/* Finds the bucket of `name` from the environment and the files of AWS. *ret is zero before; the caller clears it by
 * s3_place_clear, also after a failure. Returns 0, or with a sentence in *error: -EINVAL, -ENOMEM, or an error of
 * profile_find or keyring_open. */
int s3_place_find(struct s3_place *ret, const struct s3_name *name, struct leat_error *error);
void s3_place_clear(struct s3_place *place);

/* Takes the caller's options for HTTP and headers. Returns what http_settings_new and s3_extra_read return. */
int s3_place_settings(struct s3_place *place, const struct leat_endpoint_options *options, struct leat_error *error);

/* Returns 0, or -EINVAL if the headers have a customer-provided key and the connection is not encrypted. */
int s3_place_check_key(const struct s3_place *place, const struct s3_extra *extra, struct leat_error *error);

/* As explain and is_passing of struct store. If a request without credentials was refused, the sentence says which
 * sources have none, and why. */
void s3_place_explain(const struct s3_place *place, const char *body, size_t n, char *ret, size_t capacity);
bool s3_place_is_passing(const struct s3_place *place, int status, int64_t date_s, const char *body, size_t n);

/* Returns the path of a key in the bucket, from malloc. NULL: memory is short. */
char *s3_place_path(const struct s3_place *place, const char *key, size_t n);

/* Makes *ret a signed request; it may have headers already. `query` is percent-encoded and sorted, and each parameter
 * has a "="; "": none. `payload` is the SHA-256 of the body in hex. Returns what sign_request returns. */
int s3_place_request(const struct s3_place *place, const char *method, const char *path, const char *query,
                     const char *payload, struct http_request *ret);

#endif
