/* SPDX-License-Identifier: MIT */
#include "store/s3/bucket.h"
#include "base/quote.h"
#include "base/text.h"
#include "store/s3/call.h"
#include "store/s3/names.h"
#include "store/s3/object.h"
#include "store/s3/sign.h"
#include "store/url.h"
#include "store/xml.h"
#include <errno.h>
#include <stdio.h>

struct s3_bucket {
    struct leat_endpoint_options options;
    struct s3_place place;
    char *name, *prefix;
    bool (*is_wanted)(void *user);
    void *user;
    bool has_transfers;
};

/* ---- opening ---- */

static int take_name(struct s3_bucket *b, const char *spec, const struct s3_name *name, struct leat_error *error)
{
    if (!s3_name_is_prefix(name))
        return error_set(error, -EINVAL, "'%s' names a version, and not what keys begin with",
                         quote_without_login(spec));
    char *key = strndup(name->key, name->key_length);
    bool ends = name->key_length == 0 || name->key[name->key_length - 1] == '/';
    b->name = strndup(name->bucket, name->bucket_length);
    b->prefix = key ? text_join(key, ends ? "" : "/", "") : NULL;
    free(key);
    return b->name && b->prefix ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int begin(struct s3_bucket *b, const char *spec, const char *rest, struct leat_error *error)
{
    struct s3_name name;
    const char *why = NULL;
    if (s3_name_split(&name, rest) < 0)
        return error_set(error, -EINVAL, "'%s' names no bucket: write s3://BUCKET or s3://BUCKET/PREFIX",
                         quote_without_login(spec));
    int r = take_name(b, spec, &name, error);
    if (r == 0)
        r = s3_place_find(&b->place, &name, error);
    if (r == 0)
        r = s3_place_settings(&b->place, &b->options, error);
    if (r < 0)
        return r;
    r = transfers_get(&why);
    b->has_transfers = r == 0;
    return r < 0 ? error_set(error, r, "%s", why) : 0;
}

int s3_bucket_open(struct s3_bucket **ret, const char *spec, const char *rest,
                   const struct leat_endpoint_options *options, bool (*is_wanted)(void *user), void *user,
                   struct leat_error *error)
{
    struct s3_bucket *b = calloc(1, sizeof(*b));
    if (!b)
        return error_set(error, -ENOMEM, "out of memory");
    b->is_wanted = is_wanted;
    b->user = user;
    int r = options_copy(&b->options, sizeof(b->options), options);
    if (r < 0)
        error_set(error, r, "The options are not those of this version");
    else
        r = begin(b, spec, rest, error);
    if (r == 0)
        *ret = b;
    else
        s3_bucket_free(b);
    return r;
}

void s3_bucket_free(struct s3_bucket *b)
{
    if (!b)
        return;
    if (b->has_transfers)
        transfers_put();
    s3_place_clear(&b->place);
    free(b->name);
    free(b->prefix);
    free(b);
}

const char *s3_bucket_name(const struct s3_bucket *b)
{
    return b->name;
}

const char *s3_bucket_prefix(const struct s3_bucket *b)
{
    return b->prefix;
}

/* ---- endpoints ---- */

static char *path_of(const struct s3_bucket *b, const char *key)
{
    char *whole CLEANUP_FREE = text_join(b->prefix, key, "");
    return whole ? s3_place_path(&b->place, whole, strlen(whole)) : NULL;
}

/* The headers of the options, and behind them those of the metadata, of which `line` has the texts. */
static const char **join_headers(const struct s3_bucket *b, const struct metadata *metadata,
                                 char line[METADATA_COUNT][64])
{
    size_t n = 0;
    while (b->options.headers && b->options.headers[n])
        n++;
    const char **all = calloc(n + METADATA_COUNT + 1, sizeof(all[0]));
    for (size_t i = 0; all && i < n; i++)
        all[i] = b->options.headers[i];
    for (size_t i = 0; all && metadata && i < METADATA_COUNT; i++)
        if (metadata->value[i][0]) {
            snprintf(line[i], sizeof(line[i]), "x-amz-meta-%s: %s", metadata_names[i], metadata->value[i]);
            all[n++] = line[i];
        }
    return all;
}

int s3_bucket_endpoint(struct s3_bucket *b, const char *key, enum leat_direction direction,
                       const struct metadata *metadata, leat_endpoint **ret, struct leat_error *error)
{
    char line[METADATA_COUNT][64];
    char *spec CLEANUP_FREE = text_join(b->prefix, key, "");
    struct leat_endpoint_options options = b->options;
    struct s3_object *o = spec ? s3_object_new(&b->place) : NULL;
    const char **headers = join_headers(b, metadata, line);
    if (!o || !headers) {
        free(headers);
        free(o);
        return error_set(error, -ENOMEM, "out of memory");
    }
    options.headers = headers;
    o->path = path_of(b, key);
    o->query = strdup("");
    int r = s3_object_endpoint(o, spec, direction, &options, ret, error);
    free(headers);
    if (r == 0) {
        (*ret)->directed = true;
        (*ret)->node.idle_ns = options.idle_timeout_ms > 0 ? (int64_t)options.idle_timeout_ms * 1000000 : 0;
    }
    return r;
}

/* ---- lists ---- */

struct bucket_listing {
    const struct s3_bucket *bucket;
    int (*entry)(void *user, const struct leat_store_entry *entry);
    void *user;
};

static int on_entry(void *user, const struct leat_store_entry *entry)
{
    const struct bucket_listing *l = user;
    struct leat_store_entry one = *entry;
    one.name += strlen(l->bucket->prefix); /* the list has no other keys */
    return l->entry(l->user, &one);
}

int s3_bucket_list(struct s3_bucket *b, int (*entry)(void *user, const struct leat_store_entry *entry), void *user,
                   struct leat_error *error)
{
    struct bucket_listing listing = {.bucket = b, .entry = entry, .user = user};
    struct s3_name name = {.bucket = b->name, .bucket_length = strlen(b->name), .key = b->prefix};
    char *spec CLEANUP_FREE = s3_names_spec(&name, b->prefix);
    struct leat_store_options options = {.size = sizeof(options),
                                         .recursive = 1,
                                         .retries = b->options.retries,
                                         .entry = on_entry,
                                         .user = &listing,
                                         .endpoint = &b->options};
    const struct names_call call = {.spec = spec,
                                    .rest = spec ? spec + strlen("s3:") : NULL,
                                    .node = spec,
                                    .options = &options,
                                    .is_wanted = b->is_wanted,
                                    .of = b->user};
    return spec ? s3_names.list(&call, error) : error_set(error, -ENOMEM, "out of memory");
}

/* ---- single requests ---- */

struct bucket_request {
    const struct s3_bucket *bucket;
    const char *method;
    char *path;   /* percent-encoded */
    char *source; /* of a copy, percent-encoded; NULL: none */
    const char *etag;
    const struct metadata *metadata; /* of a new object; NULL: none */
    bool creates;                    /* it makes an object, so it has a body and the headers of new objects */
};

struct bucket_answer {
    int status; /* 0: there is none */
    bool has_copied;
    struct metadata metadata;
};

static int make(void *user, struct http_request *ret)
{
    const struct bucket_request *q = user;
    int r = 0;
    ret->has_body = q->creates;
    ret->body = (struct http_body){.bytes = "", .fd = -1};
    if (q->source)
        r = request_header(ret, "x-amz-copy-source: %s", q->source);
    if (r == 0 && q->source && q->etag)
        r = request_header(ret, "x-amz-copy-source-if-match: %s", q->etag);
    for (size_t i = 0; r == 0 && q->metadata && i < METADATA_COUNT; i++)
        if (q->metadata->value[i][0])
            r = request_header(ret, "x-amz-meta-%s: %s", metadata_names[i], q->metadata->value[i]);
    if (r == 0 && q->creates)
        r = s3_extra_add(&q->bucket->place.extra, true, ret);
    return r < 0 ? r : s3_place_request(&q->bucket->place, q->method, q->path, "", SIGN_EMPTY, ret);
}

static void copy_element(void *user, const char *path, const char *text UNUSED)
{
    *(bool *)user |= strcmp(path, "CopyObjectResult") == 0;
}

/* A failure may come with status 200, once the store has begun to answer. */
static bool has_copied(const struct exchange *x)
{
    bool is_result = false;
    return x->page && xml_read(x->page, x->page_length, &(struct xml_ops){copy_element}, &is_result) == 0 && is_result;
}

/* Sends the request and waits for the answer; *ret is set in any case. */
static int send_one(struct bucket_request *q, const char *operation, struct bucket_answer *ret,
                    struct leat_error *error)
{
    struct s3_call *call = q->path ? calloc(1, sizeof(*call)) : NULL;
    *ret = (struct bucket_answer){.status = 0};
    if (!call)
        return error_set(error, -ENOMEM, "out of memory");
    call->place = &q->bucket->place;
    call->operation = operation;
    call->retries = q->bucket->options.retries;
    call->make = make;
    call->user = q;
    call->exchange.is_wanted = q->bucket->is_wanted;
    call->exchange.of = q->bucket->user;
    call->exchange.page_most = EXCHANGE_BODY_MAX;
    int r = s3_call(call, error);
    if (call->exchange.code == 0)
        ret->status = call->exchange.answer.status;
    if (r == 0) {
        ret->metadata = call->exchange.answer.metadata;
        ret->has_copied = q->source && has_copied(&call->exchange);
        free(call->exchange.page);
    }
    free(call);
    return r;
}

int s3_bucket_look(struct s3_bucket *b, struct leat_error *error)
{
    struct bucket_request q = {.bucket = b, .method = "HEAD", .path = b->place.folder};
    struct leat_error said = {.size = sizeof(said)};
    struct bucket_answer answer;
    int r = send_one(&q, "HeadBucket", &answer, &said);
    return r < 0 && (answer.status == 0 || answer.status == 404) ? error_hand_on(error, &said) : 0;
}

int s3_bucket_touch(struct s3_bucket *b, const char *key, const struct metadata *metadata, struct leat_error *error)
{
    struct bucket_request q = {
        .bucket = b, .method = "PUT", .path = path_of(b, key), .metadata = metadata, .creates = true};
    struct bucket_answer answer;
    int r = send_one(&q, "PUT", &answer, error);
    free(q.path);
    return r;
}

int s3_bucket_describe(struct s3_bucket *b, const char *key, struct metadata *ret, struct leat_error *error)
{
    struct bucket_request q = {.bucket = b, .method = "HEAD", .path = path_of(b, key)};
    struct bucket_answer answer;
    int r = send_one(&q, "HEAD", &answer, error);
    if (r == 0)
        *ret = answer.metadata;
    free(q.path);
    return r;
}

/* ---- copies ---- */

static char *source_of(const struct s3_bucket *b, const char *key)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    fprintf(to, "/%s/", b->name);
    url_encode(to, b->prefix, strlen(b->prefix), true);
    url_encode(to, key, strlen(key), true);
    return text_close(to, &text) < 0 ? NULL : text;
}

/* The store can't or may not copy, and copying the bytes may go better. Other failures are those of any request. */
static bool is_refusal(int status)
{
    return status == 501 || (status / 100 == 4 && status != 412 && status != 429);
}

int s3_bucket_copy(struct s3_bucket *from, const char *from_key, const char *etag, struct s3_bucket *to,
                   const char *to_key, struct leat_error *error)
{
    struct leat_error said = {.size = sizeof(said)};
    const char *why;
    int r = xml_need(&why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    struct bucket_answer answer;
    struct bucket_request q = {.bucket = to,
                               .method = "PUT",
                               .path = path_of(to, to_key),
                               .source = source_of(from, from_key),
                               .etag = etag,
                               .creates = true};
    r = q.source ? send_one(&q, "CopyObject", &answer, &said) : error_set(&said, -ENOMEM, "out of memory");
    if (q.source && ((r == 0 && !answer.has_copied) || (r < 0 && is_refusal(answer.status))))
        r = 1;
    free(q.path);
    free(q.source);
    return r < 0 ? error_hand_on(error, &said) : r;
}
