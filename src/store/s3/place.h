/* Where objects of S3 lie, and how what is asked of their store is signed. */
#ifndef STORE_S3_PLACE_H
#define STORE_S3_PLACE_H

#include "store/request.h"
#include "store/s3/clock.h"
#include "store/s3/extra.h"
#include "store/s3/keyring.h"
#include <leat/base.h>

/* "//BUCKET/KEY[?versionId=VERSION]". A key is taken as it stands, without decoding. */
struct s3_name {
    const char *bucket, *key, *version; /* version NULL: the latest */
    size_t bucket_length, key_length;
};

/* Splits what stands behind "s3:"; *ret points into it. -EINVAL: there is no bucket, or its name is none. The key may
 * be empty; so may the version, which means that there is none, so that a key may end in what looks like one. */
int s3_name_split(struct s3_name *ret, const char *rest);

/* It stands for all keys that begin with its key: it has no version, and an empty one only where the key looks as if it
 * had one. */
bool s3_name_is_prefix(const struct s3_name *name);

/* The query that names its version, percent-encoded, from malloc; "" without one. NULL: no memory. */
char *s3_name_query(const struct s3_name *name);

/* A bucket. Constant once it is found. */
struct s3_place {
    struct keyring *keyring;
    struct s3_clock *clock;
    char *scheme, *host; /* of the endpoint, with the bucket where that is part of the host's name */
    char *folder;        /* the path of the bucket, percent-encoded; it begins and ends with a slash */
    char *region;
    struct http_settings *settings; /* of s3_call; NULL: the usual ones */
    struct s3_extra extra;          /* of each request */
};

/* Finds the bucket of `name`: by the environment and the files of AWS. With a sentence in *error: -EINVAL, -ENOMEM, as
 * profile_find and keyring_open. Also on failure s3_place_clear frees what is there. *ret is zeroed before. */
int s3_place_find(struct s3_place *ret, const struct s3_name *name, struct leat_error *error);
void s3_place_clear(struct s3_place *place);

/* What the caller says of the servers. As http_settings_new and s3_extra_read. */
int s3_place_settings(struct s3_place *place, const struct leat_endpoint_options *options, struct leat_error *error);

/* -EINVAL: the headers have a key of the customer's, and what is sent could be read on the way. */
int s3_place_check_key(const struct s3_place *place, const struct s3_extra *extra, struct leat_error *error);

/* As explain and is_passing of struct store. A refusal without credentials says which sources have none, and why. */
void s3_place_explain(const struct s3_place *place, const char *body, size_t n, char *ret, size_t capacity);
bool s3_place_is_passing(const struct s3_place *place, int status, int64_t date_s, const char *body, size_t n);

/* The path of a key in the bucket, from malloc. NULL: no memory. */
char *s3_place_path(const struct s3_place *place, const char *key, size_t n);

/* Makes *ret, which may have headers already, a signed request. `query`: percent-encoded, sorted, each parameter with
 * "="; "": none. `payload`: the SHA-256 of the body in hex. As sign_request otherwise. */
int s3_place_request(const struct s3_place *place, const char *method, const char *path, const char *query,
                     const char *payload, struct http_request *ret);

#endif
