/* leat/store.h: what is in a store besides the bytes of an object.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_store_sweep("s3://bucket", NULL, NULL, &error);
 *     const char *old[] = {"s3://bucket/a", "s3://bucket/b"};
 *     leat_store_remove(old, 2, NULL, NULL, &error);
 *
 * How a store is found and how its requests are signed stands in leat/endpoint.h, at s3:.
 *
 * Threads: any; each call is on its own. A call blocks until the end.
 */
#ifndef LEAT_STORE_H
#define LEAT_STORE_H

#include <leat/base.h>
#include <leat/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a name stands for. */
enum leat_store_kind {
    LEAT_STORE_OBJECT = 0,
    LEAT_STORE_FOLDER = 1,     /* what several names begin with, up to a slash */
    LEAT_STORE_TAG = 2,        /* of an image in a repository */
    LEAT_STORE_REPOSITORY = 3, /* of images */
};

#define LEAT_STORE_SIZE_UNKNOWN UINT64_MAX
#define LEAT_STORE_TIME_UNKNOWN INT64_MIN

/* A word that was stored with an object. The layout is fixed. */
struct leat_store_metadata {
    const char *name;
    const char *value;
};

/* What a store says of one name. NULL: the store does not say it. Later versions may have more members at the end. */
struct leat_store_entry {
    const char *name;          /* in s3: the whole key, as it is; of a folder with its slash */
    const char *spec;          /* what leat_store_stat takes for it, or leat_store_list for a folder or a repository */
    int32_t kind;              /* enum leat_store_kind */
    uint64_t bytes;            /* or LEAT_STORE_SIZE_UNKNOWN */
    int64_t modified_s;        /* seconds since 1970 (UTC), or LEAT_STORE_TIME_UNKNOWN */
    const char *etag;          /* with its quotes */
    const char *type;          /* Content-Type */
    const char *version;       /* of a bucket with versions */
    const char *digest;        /* "sha256:..." in hexadecimal: what the store says of the bytes, unverified */
    const char *storage_class; /* of s3: */
    const struct leat_store_metadata *metadata;
    size_t metadata_count;
};

struct leat_store_options {
    size_t size;
    int32_t recursive; /* not 0: leat_store_list goes into folders; leat_store_remove removes what is in them */
    int32_t retries;   /* as in leat_endpoint_options */
    int32_t insecure;  /* not 0: a registry that is not on loopback may be spoken to without TLS, too */
    /* Each entry, which is valid during the call. A negative errno ends the call with it; what is neither that nor 0 is
     * -EPROTO. leat_store_list and leat_store_stat want it; optional for leat_store_remove, which tells what it has
     * removed by name, spec and kind alone. */
    int (*entry)(void *user, const struct leat_store_entry *entry);
    /* Optional, for leat_store_remove: a name that could not be removed, the error's node. Valid during the call. */
    void (*problem)(void *user, const struct leat_error *error);
    void *user;
    /* How servers are spoken to: of these options cacert, cert, key, headers, netrc and netrc_file count, as for the
     * endpoint of that scheme; borrowed during the call. NULL: nothing is said. */
    const struct leat_endpoint_options *endpoint;
};

struct leat_store_result {
    size_t size;
    uint64_t removed;
    uint64_t failed;
};

/* Tells the names in a place to `options->entry`, sorted by their bytes within each answer of the store:
 *
 *   s3://BUCKET[/PREFIX]   the keys that begin with PREFIX, up to the next slash: the rest is a folder
 *   oci://HOST/NAME        the tags of a repository
 *   oci://HOST             the repositories of a registry, if it tells them
 *   file:DIRECTORY         the files in it; links are not followed
 *
 * A list that others change meanwhile may have or lack what they change. -EINVAL: a name or an option makes no sense;
 * -EOPNOTSUPP: http: has no lists; -ENOENT and the like as of endpoints; -EBADMSG: the list can't be read. */
LEAT_API int leat_store_list(const char *spec, const struct leat_store_options *options, struct leat_error *ret_error);

/* Tells `options->entry` what the store knows of one object, without reading it: s3://BUCKET/KEY[?versionId=VERSION],
 * http:, oci://HOST/NAME@DIGEST, oci://HOST/NAME:TAG or file:PATH. -ENOENT: there is none. */
LEAT_API int leat_store_stat(const char *spec, const struct leat_store_options *options, struct leat_error *ret_error);

/* Removes `count` objects, each named as for leat_store_stat, but for tags. With `recursive` a spec ends in a slash, or
 * is a bucket alone, and all that begins so is removed. Objects of one bucket go together, 1,000 a request. A failure
 * does not stop the others; the first one is what the call says. S3 does not say whether an object was there, so one
 * that is missing counts as removed; elsewhere it is -ENOENT. A registry has to allow it: else -EOPNOTSUPP. *ret_result
 * (may be NULL; its size is set) is filled on failure, too. */
LEAT_API int leat_store_remove(const char *const *specs, size_t count, const struct leat_store_options *options,
                               struct leat_store_result *ret_result, struct leat_error *ret_error);

/* What became of an upload. */
enum leat_upload_outcome {
    LEAT_UPLOAD_ABORTED = 0,
    LEAT_UPLOAD_YOUNG = 1,     /* it is not old enough: it was left alone */
    LEAT_UPLOAD_UNTOUCHED = 2, /* it would have been aborted: `dry_run` */
    LEAT_UPLOAD_FAILED = 3,    /* it could not be aborted */
};

/* An upload of several parts that was begun, and neither completed nor aborted. Its parts take room in the store, and
 * no object shows them. Later versions may have more members at the end. */
struct leat_store_upload {
    const char *key;
    const char *id;                 /* the store's name for it */
    const char *begun;              /* when, as the store says it: "2026-11-28T12:00:00.000Z" */
    int64_t age_s;                  /* by the clock of this machine; -1: unknown */
    int32_t outcome;                /* enum leat_upload_outcome */
    const struct leat_error *error; /* why it could not be aborted; else NULL */
};

struct leat_store_sweep_options {
    size_t size;
    int32_t dry_run;  /* not 0: nothing is aborted */
    int32_t retries;  /* as in leat_endpoint_options */
    int64_t older_ms; /* uploads that began at least so long ago; 0: a day; -1: all, also those that still go on */
    /* Optional: each upload that was found, with what became of it. It is valid during the call. */
    void (*upload)(void *user, const struct leat_store_upload *upload);
    void *user;
    const struct leat_endpoint_options *endpoint; /* as in leat_store_options */
};

struct leat_store_sweep_result {
    size_t size;
    uint64_t found;
    uint64_t aborted; /* or would have been, with `dry_run` */
    uint64_t young;
    uint64_t failed;
};

/* Aborts the unfinished uploads of a bucket whose keys begin with the prefix: "s3://BUCKET" or "s3://BUCKET/PREFIX".
 * The prefix is taken as it is. Such uploads are left by programs that were killed. A program that goes on with an
 * upload that is aborted fails. An upload that ended meanwhile counts as aborted.
 *
 * *ret_result (may be NULL; its size is set) is filled on failure, too. 0; -EINVAL: the name or an option makes no
 * sense; what a request failed with, as for s3: in leat/endpoint.h; the failure of the first upload that could not be
 * aborted, after all others were tried; -ENOSYS: leat was built without stores. */
LEAT_API int leat_store_sweep(const char *spec, const struct leat_store_sweep_options *options,
                              struct leat_store_sweep_result *ret_result, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
