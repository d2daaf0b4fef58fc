/* leat/store.h: what is in a store besides the bytes of an object.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_store_sweep("s3://bucket", NULL, NULL, &error);
 *
 * How a store is found and how its requests are signed stands in leat/endpoint.h, at s3:.
 *
 * Threads: any; each call is on its own. A call blocks until the end.
 */
#ifndef LEAT_STORE_H
#define LEAT_STORE_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became of an upload. */
enum leat_upload_outcome {
    LEAT_UPLOAD_ABORTED = 0,
    LEAT_UPLOAD_YOUNG = 1,     /* it is not old enough: it was left alone */
    LEAT_UPLOAD_UNTOUCHED = 2, /* it would have been aborted: `dry_run` */
    LEAT_UPLOAD_FAILED = 3,    /* it could not be aborted */
};

/* An upload of several parts that was begun, and neither completed nor aborted. Its parts take room in the store, and
 * no object shows them. */
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
 * *ret (may be NULL; its size is set) is filled on failure, too. 0; -EINVAL: the name or an option makes no sense; what
 * a request failed with, as for s3: in leat/endpoint.h; the failure of the first upload that could not be aborted,
 * after all others were tried; -ENOSYS: leat was built without stores. */
LEAT_API int leat_store_sweep(const char *spec, const struct leat_store_sweep_options *options,
                              struct leat_store_sweep_result *ret, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
