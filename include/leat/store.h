/* SPDX-License-Identifier: MIT */
/** @file leat/store.h
 * What is in a store: lists, single names, removal, and uploads that were left unfinished.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_store_sweep("s3://bucket", NULL, NULL, &error);
 *     const char *old[] = {"s3://bucket/a", "s3://bucket/b"};
 *     leat_store_remove(old, 2, NULL, NULL, &error);
 *
 * leat/endpoint.h says, for s3:, how a store is found and how requests are signed.
 *
 * Functions of the program
 * ------------------------
 * Options may name functions, which a call calls with what it finds. What such a function is given is valid until it
 * returns. `user` is passed to each of them.
 *
 * Errors
 * ------
 * `ret_error` is filled on failure. NULL: no details. Besides the codes that a declaration names, a call returns what
 * its request failed with, as for endpoints (leat/endpoint.h), and -ENOSYS if leat was built without stores.
 *
 * Threads: any. Calls do not affect each other.
 *
 * Blocking: each call blocks until it is done, or until total_timeout_ms of the options of its `endpoint` are up: then
 * it fails with -ETIMEDOUT, or leat_store_remove and leat_store_sweep do, which name each object that is left. Folders
 * of `file:` have no such limit; programs and services that give keys and logins have limits of their own
 * (leat/endpoint.h). A function of the program that is called may end the call.
 */
#ifndef LEAT_STORE_H
#define LEAT_STORE_H

#include <leat/base.h>
#include <leat/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- names ---- */

/** What a name stands for. */
enum leat_store_kind {
    LEAT_STORE_OBJECT = 0,     /**< An object, a blob or a file. */
    LEAT_STORE_FOLDER = 1,     /**< The common start of several names, up to a slash. */
    LEAT_STORE_TAG = 2,        /**< A tag of an image in a repository. */
    LEAT_STORE_REPOSITORY = 3, /**< A repository of images. */
};

/** A size that the store does not say. */
#define LEAT_STORE_SIZE_UNKNOWN UINT64_MAX
/** A time that the store does not say. */
#define LEAT_STORE_TIME_UNKNOWN INT64_MIN

/** A name and a value that were stored with an object. The layout is fixed. */
struct leat_store_metadata {
    const char *name;  /**< Its name. */
    const char *value; /**< Its value. */
};

/** What a store says of one name. NULL: the store does not say it. Later versions may have more members at the end. */
struct leat_store_entry {
    const char *name;          /**< In s3: the whole key, as it is. A folder's name includes its slash. */
    const char *spec;          /**< For leat_store_stat. Of a folder or a repository: for leat_store_list. */
    int32_t kind;              /**< enum leat_store_kind. */
    uint64_t bytes;            /**< Its size in bytes, or LEAT_STORE_SIZE_UNKNOWN. */
    int64_t modified_s;        /**< When it was last changed: seconds since 1970 (UTC), or LEAT_STORE_TIME_UNKNOWN. */
    const char *etag;          /**< Its ETag, with the quotes. */
    const char *type;          /**< Its Content-Type. */
    const char *version;       /**< Its version, in a bucket with versions. */
    const char *digest;        /**< "sha256:..." in hexadecimal. The store says so; leat has not verified it. */
    const char *storage_class; /**< In s3: its storage class. */
    const struct leat_store_metadata *metadata; /**< What was stored with it. */
    size_t metadata_count;                      /**< How many entries `metadata` has. */
};

/** Options of leat_store_list, leat_store_stat and leat_store_remove. */
struct leat_store_options {
    size_t size;       /**< Of this struct. */
    int32_t recursive; /**< Not 0: leat_store_list enters folders; leat_store_remove removes what is in them. */
    int32_t retries;   /**< As in struct leat_endpoint_options. */
    int32_t insecure;  /**< Not 0: a registry that is not on loopback may also be used without TLS. */
    /** Is called for each entry. If it returns a negative errno, the call ends with that code. If it returns anything
     * else but 0, the call ends with -EPROTO. leat_store_list and leat_store_stat need it. leat_store_remove does not
     * need it, and gives it what was removed, by name, spec and kind only. */
    int (*entry)(void *user, const struct leat_store_entry *entry);
    /** Optional, for leat_store_remove: is called for each name that could not be removed. `spec` is the whole name,
     * however long it is; the error's `node` is its short form. Both are valid until the function returns. */
    void (*problem)(void *user, const char *spec, const struct leat_error *error);
    void *user; /**< Is passed to `entry` and `problem`. */
    /** How servers are connected to: of these options cacert, cert, key, headers, netrc and netrc_file count, as for an
     * endpoint of that scheme, and total_timeout_ms, which is how long the whole call may take. NULL: the defaults.
     * Borrowed during the call. */
    const struct leat_endpoint_options *endpoint;
};

/** What leat_store_remove has done. */
struct leat_store_result {
    size_t size;      /**< Of this struct. */
    uint64_t removed; /**< How many objects were removed. */
    uint64_t failed;  /**< How many objects could not be removed. */
};

/**
 * Lists the names in a place.
 *
 * `options->entry` is called for each name. Within each answer of the store the names are sorted by their bytes. If
 * other programs change the place meanwhile, their changes may be in the list or not.
 *
 * @param spec     The place:
 *
 *   - `s3://BUCKET[/PREFIX]`: the keys that begin with PREFIX, up to the next slash. Keys that go on behind that
 *     slash are listed together, as a folder.
 *   - `oci://HOST/NAME`: the tags of a repository.
 *   - `oci://HOST`: the repositories of a registry, if the registry lists them.
 *   - `file:DIRECTORY`: the files in it. Links are not followed.
 *
 * @param options  Its `entry` has to be set.
 *
 * @return 0; -EINVAL: a name or an option makes no sense; -EOPNOTSUPP: http: has no lists; -ENOENT: there is no such
 *         place; -EBADMSG: the store's list can't be read.
 */
LEAT_API int leat_store_list(const char *spec, const struct leat_store_options *options, struct leat_error *ret_error);

/**
 * Asks what the store knows of one object, without reading the object.
 *
 * `options->entry` is called once.
 *
 * @param spec     s3://BUCKET/KEY[?versionId=VERSION], an http: or https: URL, oci://HOST/NAME@DIGEST,
 *                 oci://HOST/NAME:TAG or file:PATH.
 * @param options  Its `entry` has to be set.
 *
 * @return 0; -EINVAL: a name or an option makes no sense; -ENOENT: there is no such object.
 */
LEAT_API int leat_store_stat(const char *spec, const struct leat_store_options *options, struct leat_error *ret_error);

/**
 * Removes objects.
 *
 * Objects of one bucket are removed together, 1,000 a request. If one can't be removed, the call goes on with the
 * others, and returns the first failure. S3 does not say whether an object was there, so an object that is missing
 * counts as removed. In other stores it is -ENOENT.
 *
 * @param specs       What to remove. Each spec is one of leat_store_stat, but no tag. With `recursive` each spec is a
 *                    bucket, or ends in a slash, and all objects whose names begin so are removed.
 * @param count       How many specs there are.
 * @param options     NULL: the defaults.
 * @param ret_result  The caller sets its `size`. It is filled on failure too, unless an option makes no sense. NULL:
 *                    not wanted.
 *
 * @return 0; -EINVAL: a name or an option makes no sense, and nothing was removed; -EOPNOTSUPP: the store, or the
 *         registry, does not allow that; the failure of the first object that could not be removed.
 */
LEAT_API int leat_store_remove(const char *const *specs, size_t count, const struct leat_store_options *options,
                               struct leat_store_result *ret_result, struct leat_error *ret_error);

/* ---- unfinished uploads ---- */

/** What leat_store_sweep did with an upload. */
enum leat_upload_outcome {
    LEAT_UPLOAD_ABORTED = 0,   /**< It was aborted. */
    LEAT_UPLOAD_YOUNG = 1,     /**< It is not old enough, and was left alone. */
    LEAT_UPLOAD_UNTOUCHED = 2, /**< With `dry_run`: without that option it would have been aborted. */
    LEAT_UPLOAD_FAILED = 3,    /**< It could not be aborted. */
};

/**
 * An upload of several parts that was begun, and neither completed nor aborted.
 *
 * Its parts take room in the store, and no object shows them. Later versions may have more members at the end.
 */
struct leat_store_upload {
    const char *key;                /**< The key of the object that it would have made. */
    const char *id;                 /**< The store's name for the upload. */
    const char *begun;              /**< When it began, as the store says it: "2026-11-28T12:00:00.000Z". */
    int64_t age_s;                  /**< Its age in seconds, by the clock of this machine. -1: unknown. */
    int32_t outcome;                /**< enum leat_upload_outcome. */
    const struct leat_error *error; /**< With LEAT_UPLOAD_FAILED: why. Otherwise NULL. */
};

/** Options of leat_store_sweep. */
struct leat_store_sweep_options {
    size_t size;     /**< Of this struct. */
    int32_t dry_run; /**< Not 0: nothing is aborted. */
    int32_t retries; /**< As in struct leat_endpoint_options. */
    /** The age, in milliseconds, from which on an upload is aborted. 0: a day. -1: all uploads are aborted, also those
     * that still go on. */
    int64_t older_ms;
    /** Optional: is called for each upload that was found, with its outcome. */
    void (*upload)(void *user, const struct leat_store_upload *upload);
    void *user;                                   /**< Is passed to `upload`. */
    const struct leat_endpoint_options *endpoint; /**< As in struct leat_store_options. */
};

/** What leat_store_sweep has done. */
struct leat_store_sweep_result {
    size_t size;      /**< Of this struct. */
    uint64_t found;   /**< How many uploads were found. */
    uint64_t aborted; /**< How many were aborted, or with `dry_run` would have been. */
    uint64_t young;   /**< How many are not old enough. */
    uint64_t failed;  /**< How many could not be aborted. */
};

/**
 * Aborts the unfinished uploads of a bucket.
 *
 * Programs that were killed leave such uploads. A program that still sends an upload that is aborted fails. An upload
 * that ends while the call runs counts as aborted. If an upload can't be aborted, the call goes on with the others, and
 * returns the first failure.
 *
 * @param spec        "s3://BUCKET" or "s3://BUCKET/PREFIX": uploads whose keys begin with PREFIX, which is used as it
 *                    is, without decoding.
 * @param options     NULL: the defaults.
 * @param ret_result  The caller sets its `size`. It is filled on failure too, unless an option makes no sense. NULL:
 *                    not wanted.
 *
 * @return 0; -EINVAL: the name or an option makes no sense; the failure of the first upload that could not be aborted.
 */
LEAT_API int leat_store_sweep(const char *spec, const struct leat_store_sweep_options *options,
                              struct leat_store_sweep_result *ret_result, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
