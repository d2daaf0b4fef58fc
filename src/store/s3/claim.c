/* SPDX-License-Identifier: MIT */
/* The place is s3://BUCKET[/PREFIX]. Not every store keeps the promise of If-None-Match: some ignore it, and some
 * refuse it. So the same key is put twice before the place is used. */
#include "store/s3/claim.h"
#include "store/headers.h"
#include "store/part.h"
#include "store/s3/call.h"
#include "store/s3/sign.h"
#include <errno.h>
#include <stdio.h>

enum {
    RETRIES = 5,
    CONFLICTS = 20, /* tries, while the store says that another request for the key goes on */
    CONFLICT_MS = 50
};

struct claim_bucket {
    struct s3_place place;
    char *prefix; /* "" or with a slash at its end */
};

/* ---- one request ---- */

struct claim_request {
    const struct claim_bucket *bucket;
    const char *method;
    char *path;
    struct part part;
    bool has_body, if_none;
};

static int make(void *user, struct http_request *ret)
{
    const struct claim_request *q = user;
    int r = q->if_none ? request_header(ret, "If-None-Match: *") : 0;
    ret->has_body = q->has_body;
    if (q->has_body)
        ret->body = part_body(&q->part);
    return r < 0 ? r
                 : s3_place_request(&q->bucket->place, q->method, q->path, "",
                                    q->has_body ? q->part.sha256 : SIGN_EMPTY, ret);
}

static int fill(struct claim_request *q, const void *bytes, size_t n)
{
    size_t taken = 0;
    int r = part_begin(&q->part, 1, MAX(n, (size_t)1), false);
    if (r == 0 && n > 0)
        r = part_add(&q->part, bytes, n, &taken);
    return r == 0 ? part_end(&q->part) : r;
}

/* Sends the request for the record. The answer is in *call. `bytes` NULL: no body. */
static int request(const struct claim_bucket *bucket, const char *method, const char *name, const void *bytes, size_t n,
                   bool if_none, struct s3_call *call, struct leat_error *error)
{
    char key[2048];
    struct claim_request q = {
        .bucket = bucket, .method = method, .part = {.file = -1}, .has_body = bytes, .if_none = if_none};
    int length = snprintf(key, sizeof(key), "%s%s", bucket->prefix, name);
    if (length >= (int)sizeof(key))
        return error_set(error, -ENAMETOOLONG, "The prefix of the claims is too long");
    q.path = s3_place_path(&bucket->place, key, (size_t)length);
    int r = q.path ? 0 : -ENOMEM;
    if (r == 0 && bytes)
        r = fill(&q, bytes, n);
    if (r < 0)
        error_set(error, r, "the request can't be made");
    call->place = &bucket->place;
    call->operation = method;
    call->retries = RETRIES;
    call->make = make;
    call->user = &q;
    r = r == 0 ? s3_call(call, error) : r;
    part_free(&q.part);
    free(q.path);
    return r;
}

/* ---- records ---- */

static ssize_t bucket_read(void *place, const char *name, void *bytes, size_t size)
{
    struct leat_error error = {.size = sizeof(error)};
    struct s3_call *call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->exchange.page_most = size;
    int r = request(place, "GET", name, NULL, 0, false, call, &error);
    size_t n = r == 0 ? MIN(call->exchange.page_length, size) : 0;
    if (n > 0)
        memcpy(bytes, call->exchange.page, n);
    free(call->exchange.page);
    free(call);
    return r < 0 ? r : (ssize_t)n;
}

static int put(struct claim_bucket *bucket, const char *name, const void *bytes, size_t n, bool if_none,
               int *ret_status, struct leat_error *error)
{
    struct s3_call *call = calloc(1, sizeof(*call));
    if (!call)
        return error_set(error, -ENOMEM, "out of memory");
    int r = request(bucket, "PUT", name, bytes, n, if_none, call, error);
    *ret_status = call->exchange.code < 0 ? 0 : call->exchange.answer.status;
    free(call);
    return r;
}

/* After an answer that was lost the record may be there: then its bytes tell whose it is. */
static int whose(void *place, const char *name, const void *bytes, size_t n, int code)
{
    char there[CLAIM_RECORD_MAX];
    ssize_t had = bucket_read(place, name, there, sizeof(there));
    if (had == (ssize_t)n && memcmp(there, bytes, n) == 0)
        return 0;
    return had >= 0 ? -EEXIST : code;
}

static int create(struct claim_bucket *bucket, const char *name, const void *bytes, size_t n, int *ret_status,
                  struct leat_error *error)
{
    const struct timespec nap = {.tv_nsec = CONFLICT_MS * 1000000};
    int r = 0;
    *ret_status = 409;
    for (int i = 0; i < CONFLICTS && *ret_status == 409; i++) {
        if (i > 0)
            nanosleep(&nap, NULL);
        *error = (struct leat_error){.size = sizeof(*error)};
        r = put(bucket, name, bytes, n, true, ret_status, error);
    }
    return r < 0 ? whose(bucket, name, bytes, n, r) : 0;
}

static int bucket_create(void *place, const char *name, const void *bytes, size_t n)
{
    struct leat_error error;
    int status;
    return create(place, name, bytes, n, &status, &error);
}

static int bucket_renew(void *place, const char *name, const void *bytes, size_t n)
{
    struct leat_error error = {.size = sizeof(error)};
    int status;
    return put(place, name, bytes, n, false, &status, &error);
}

static int bucket_time(void *place, const char *name, int64_t *ret)
{
    struct leat_error error = {.size = sizeof(error)};
    struct headers headers = {.modified_s = LEAT_STORE_TIME_UNKNOWN};
    struct s3_call *call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->exchange.header = headers_line;
    call->exchange.header_user = &headers;
    int r = request(place, "HEAD", name, NULL, 0, false, call, &error);
    if (r == 0 && headers.modified_s == LEAT_STORE_TIME_UNKNOWN)
        r = -EBADMSG;
    if (r == 0)
        *ret = headers.modified_s * 1000000000;
    headers_clear(&headers);
    free(call);
    return r;
}

static int bucket_remove(void *place, const char *name)
{
    struct leat_error error = {.size = sizeof(error)};
    struct s3_call *call = calloc(1, sizeof(*call));
    int r = call ? request(place, "DELETE", name, NULL, 0, false, call, &error) : -ENOMEM;
    free(call);
    return r;
}

/* ---- the place ---- */

/* Puts a key twice: the second time it must be refused. */
static int probe(struct claim_bucket *bucket, struct leat_error *error)
{
    struct leat_error ignored;
    char name[CLAIM_NAME_MAX];
    int status;
    snprintf(name, sizeof(name), "probe-%llx-%p", (unsigned long long)clock_ns(), (void *)bucket);
    int r = create(bucket, name, "1", 1, &status, error);
    bool is_unknown = status == 400 || status == 405 || status == 501;
    if (r < 0 && !is_unknown)
        return r;
    if (r == 0) {
        *error = (struct leat_error){.size = sizeof(*error)};
        r = create(bucket, name, "2", 1, &status, &ignored);
        bucket_remove(bucket, name);
        is_unknown = r == 0 || status != 412;
    }
    if (!is_unknown)
        return 0;
    *error = (struct leat_error){.size = sizeof(*error)};
    return error_set(error, -EOPNOTSUPP,
                     "The store can't have claims: it does not keep the promise of If-None-Match. A tree can be shared "
                     "by shards");
}

static int find(struct claim_bucket *bucket, const char *spec, struct leat_error *error)
{
    const struct leat_endpoint_options options = {.size = sizeof(options)};
    struct s3_name name;
    if (s3_name_split(&name, spec + strlen("s3:")) < 0 || name.version)
        return error_set(error, -EINVAL, "It names no bucket: write s3://BUCKET or s3://BUCKET/PREFIX");
    bool has_slash = name.key_length == 0 || name.key[name.key_length - 1] == '/';
    bucket->prefix = malloc(name.key_length + 2);
    if (!bucket->prefix)
        return error_set(error, -ENOMEM, "out of memory");
    snprintf(bucket->prefix, name.key_length + 2, "%.*s%s", (int)name.key_length, name.key, has_slash ? "" : "/");
    int r = s3_place_find(&bucket->place, &name, error);
    return r == 0 ? s3_place_settings(&bucket->place, &options, error) : r;
}

static void clear(struct claim_bucket *bucket)
{
    s3_place_clear(&bucket->place);
    free(bucket->prefix);
    free(bucket);
}

static int bucket_open(const char *spec, void **ret, struct leat_error *error)
{
    const char *why = NULL;
    struct claim_bucket *bucket = calloc(1, sizeof(*bucket));
    if (!bucket)
        return error_set(error, -ENOMEM, "out of memory");
    int r = find(bucket, spec, error);
    if (r == 0 && ((r = libcrypto_need(&why)) < 0 || (r = transfers_get(&why)) < 0))
        error_set(error, r, "%s", why);
    else if (r == 0) {
        r = probe(bucket, error);
        if (r < 0)
            transfers_put();
    }
    if (r < 0) {
        clear(bucket);
        error_complete(error, spec, "claim");
        return r;
    }
    *ret = bucket;
    return 0;
}

static void bucket_close(void *place)
{
    clear(place);
    transfers_put();
}

const struct claim_place claim_s3 = {
    .scheme = "s3",
    .open = bucket_open,
    .close = bucket_close,
    .create = bucket_create,
    .read = bucket_read,
    .renew = bucket_renew,
    .time = bucket_time,
    .remove = bucket_remove,
};
