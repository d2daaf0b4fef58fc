/* SPDX-License-Identifier: MIT */
/* Lists keys (ListObjectsV2), and reads what the store says about one object. */
#include "store/names.h"
#include "base/text.h"
#include "store/circle.h"
#include "store/date.h"
#include "store/headers.h"
#include "store/s3/call.h"
#include "store/s3/list.h"
#include "store/s3/names.h"
#include "store/s3/sign.h"
#include "store/url.h"
#include <errno.h>
#include <stdio.h>

#define OPERATION "ListObjectsV2"

int s3_names_find(const struct names_call *call, bool key_wanted, struct s3_place *place, struct s3_name *name,
                  struct leat_error *error)
{
    int r = s3_name_split(name, call->rest);
    if (r < 0 || (key_wanted && !name->key_length))
        return error_set(error, -EINVAL, "'%s' names no %s", call->node,
                         key_wanted ? "object: write s3://BUCKET/KEY"
                                    : "bucket: write s3://BUCKET or s3://BUCKET/PREFIX");
    r = s3_place_find(place, name, error);
    place->deadline_ns = call->deadline_ns;
    return r == 0 ? s3_place_settings(place, call->options->endpoint, error) : r;
}

int s3_names_check_prefix(const struct names_call *call, const struct s3_name *name, struct leat_error *error)
{
    return s3_name_is_prefix(name)
               ? 0
               : error_set(error, -EINVAL, "'%s' names a version, and not what keys begin with", call->node);
}

char *s3_names_spec(const struct s3_name *name, const char *key)
{
    /* If a key ends in what looks like a version, an empty version after it tells that it is none. */
    const char *end = strstr(key, "?versionId=") ? "?versionId=" : "";
    size_t n = sizeof("s3:///") + name->bucket_length + strlen(key) + strlen(end);
    char *spec = malloc(n);
    if (spec)
        snprintf(spec, n, "s3://%.*s/%s%s", (int)name->bucket_length, name->bucket, key, end);
    return spec;
}

/* ---- lists ---- */

struct item {
    char *key;
    char *etag, *storage_class;
    bool is_folder;
    uint64_t bytes;
    int64_t modified_s;
};

struct names_listing {
    const struct names_call *call;
    struct s3_name name;
    struct s3_place place;
    s3_names_page_fn page;
    void *user;
    bool flat;

    /* These belong to the page that is being read. */
    struct item *items;
    size_t count, room;
    struct item reading;
    char *token, *next_token;
    bool is_cut, is_encoded;
    int code;

    struct circle circle; /* of tokens */
};

static void clear_item(struct item *item)
{
    free(item->key);
    free(item->etag);
    free(item->storage_class);
    *item = (struct item){.bytes = LEAT_STORE_SIZE_UNKNOWN, .modified_s = LEAT_STORE_TIME_UNKNOWN};
}

static void clear_page(struct names_listing *l)
{
    while (l->count)
        clear_item(&l->items[--l->count]);
    clear_item(&l->reading);
    l->is_cut = l->is_encoded = false;
}

static void keep(struct names_listing *l, char **to, const char *text)
{
    free(*to);
    *to = strdup(text);
    if (!*to)
        l->code = -ENOMEM;
}

static void add_item(struct names_listing *l, bool is_folder)
{
    if (l->count == l->room) {
        size_t room = MAX(256u, 2 * l->room);
        struct item *items = realloc(l->items, room * sizeof(items[0]));
        if (!items) {
            l->code = -ENOMEM;
            return;
        }
        l->items = items;
        l->room = room;
    }
    l->reading.is_folder = is_folder;
    l->items[l->count++] = l->reading;
    l->reading = (struct item){.bytes = LEAT_STORE_SIZE_UNKNOWN, .modified_s = LEAT_STORE_TIME_UNKNOWN};
}

static void read_size(struct names_listing *l, const char *text)
{
    char *end;
    errno = 0;
    uint64_t bytes = strtoull(text, &end, 10);
    l->reading.bytes = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 ? bytes : LEAT_STORE_SIZE_UNKNOWN;
}

static void read_content(struct names_listing *l, const char *name, const char *text)
{
    if (strcmp(name, "Key") == 0)
        keep(l, &l->reading.key, text);
    else if (strcmp(name, "ETag") == 0)
        keep(l, &l->reading.etag, text);
    else if (strcmp(name, "StorageClass") == 0)
        keep(l, &l->reading.storage_class, text);
    else if (strcmp(name, "Size") == 0)
        read_size(l, text);
    else if (strcmp(name, "LastModified") == 0 && date_read_iso(text, &l->reading.modified_s) < 0)
        l->reading.modified_s = LEAT_STORE_TIME_UNKNOWN;
}

static void element(void *user, const char *path, const char *text)
{
    struct names_listing *l = user;
    if (strncmp(path, "Contents/", 9) == 0)
        read_content(l, path + 9, text);
    else if (strcmp(path, "Contents") == 0)
        add_item(l, false);
    else if (strcmp(path, "CommonPrefixes/Prefix") == 0)
        keep(l, &l->reading.key, text);
    else if (strcmp(path, "CommonPrefixes") == 0)
        add_item(l, true);
    else if (strcmp(path, "IsTruncated") == 0)
        l->is_cut = strcmp(text, "true") == 0;
    else if (strcmp(path, "EncodingType") == 0)
        l->is_encoded = strcmp(text, "url") == 0;
    else if (strcmp(path, "NextContinuationToken") == 0)
        keep(l, &l->next_token, text);
}

static char *query(void *user)
{
    struct names_listing *l = user;
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    if (l->token) {
        fputs("continuation-token=", to);
        url_encode(to, l->token, strlen(l->token), false);
        fputc('&', to);
    }
    fprintf(to, "%sencoding-type=url&list-type=2&prefix=", l->flat ? "" : "delimiter=%2F&");
    url_encode(to, l->name.key, l->name.key_length, false);
    return text_close(to, &text) < 0 ? NULL : text;
}

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* *ret_why is set on failure. */
static int check_page(struct names_listing *l, const char **ret_why)
{
    bool good = !l->is_cut || (l->next_token && l->next_token[0]), asked_for = true;
    int r = l->is_cut && good ? circle_check(&l->circle, l->next_token) : 0;
    if (r < 0) {
        *ret_why = r == -EBADMSG ? "the server's list leads back to a page that it had before" : "out of memory";
        return r;
    }
    for (size_t i = 0; i < l->count && l->code == 0; i++) {
        const char *key = l->items[i].key;
        good = good && key && key[0] && (!l->is_encoded || url_decode(l->items[i].key) == 0);
        asked_for = asked_for && good && strncmp(key, l->name.key, l->name.key_length) == 0;
    }
    *ret_why = l->code ? "out of memory"
               : !good ? "the server's list makes no sense"
                       : "the server's list has names that were not asked for";
    return l->code ? l->code : good && asked_for ? 0 : -EBADMSG;
}

static int tell_item(struct names_listing *l, const struct item *item, struct leat_error *error)
{
    char *spec = s3_names_spec(&l->name, item->key);
    if (!spec)
        return error_set(error, -ENOMEM, "out of memory");
    struct leat_store_entry entry = {.name = item->key,
                                     .spec = spec,
                                     .kind = item->is_folder ? LEAT_STORE_FOLDER : LEAT_STORE_OBJECT,
                                     .bytes = item->bytes,
                                     .modified_s = item->modified_s,
                                     .etag = item->etag,
                                     .storage_class = item->storage_class};
    int r = names_tell(l->call, &entry, error);
    free(spec);
    return r;
}

/* Passes the entries of the page to the owner: one by one, or all keys together. */
static int hand_on(struct names_listing *l, struct leat_error *error)
{
    int r = 0;
    if (!l->page) {
        for (size_t i = 0; i < l->count && r == 0; i++)
            r = tell_item(l, &l->items[i], error);
        return r;
    }
    const char **keys = l->count ? malloc(l->count * sizeof(keys[0])) : NULL;
    if (l->count && !keys)
        return error_set(error, -ENOMEM, "out of memory");
    for (size_t i = 0; i < l->count; i++)
        keys[i] = l->items[i].key;
    r = l->page(l->user, keys, l->count, error);
    free(keys);
    return r;
}

static int page(void *user, struct leat_error *error)
{
    struct names_listing *l = user;
    const char *why;
    int r = check_page(l, &why);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", OPERATION, "%s", why);
    if (l->count)
        qsort(l->items, l->count, sizeof(l->items[0]), by_key);
    r = hand_on(l, error);
    bool more = l->is_cut;
    free(l->token);
    l->token = l->next_token;
    l->next_token = NULL;
    clear_page(l);
    return r < 0 ? r : more;
}

static int run(struct names_listing *l, struct leat_error *error)
{
    const struct s3_list list = {.place = &l->place,
                                 .operation = OPERATION,
                                 .retries = l->call->options->retries,
                                 .query = query,
                                 .root = "ListBucketResult",
                                 .xml = {element},
                                 .page = page,
                                 .user = l,
                                 .is_wanted = l->call->is_wanted,
                                 .of = l->call->of};
    const char *why = NULL;
    int r = transfers_get(&why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    clear_item(&l->reading);
    r = s3_list(&list, error);
    transfers_put();
    clear_page(l);
    circle_clear(&l->circle);
    free(l->items);
    free(l->token);
    free(l->next_token);
    return r;
}

int s3_names_pages(const struct names_call *call, s3_names_page_fn take, void *user, struct leat_error *error)
{
    struct names_listing l = {.call = call, .page = take, .user = user, .flat = take || call->options->recursive};
    int r = s3_names_find(call, false, &l.place, &l.name, error);
    if (r == 0)
        r = s3_names_check_prefix(call, &l.name, error);
    if (r == 0)
        r = run(&l, error);
    s3_place_clear(&l.place);
    return r;
}

static int list_names(const struct names_call *call, struct leat_error *error)
{
    return s3_names_pages(call, NULL, NULL, error);
}

/* ---- one object ---- */

struct names_looking {
    const struct s3_place *place;
    char *path, *query;
};

static int make_head(void *user, struct http_request *ret)
{
    const struct names_looking *looking = user;
    int r = request_header(ret, "x-amz-checksum-mode: ENABLED");
    return r < 0 ? r : s3_place_request(looking->place, "HEAD", looking->path, looking->query, SIGN_EMPTY, ret);
}

static int look(const struct names_call *call, const struct s3_name *name, struct names_looking *looking,
                struct s3_call *asked, struct leat_error *error)
{
    struct headers headers = {.modified_s = LEAT_STORE_TIME_UNKNOWN};
    asked->place = looking->place;
    asked->operation = "HEAD";
    asked->retries = call->options->retries;
    asked->make = make_head;
    asked->user = looking;
    asked->exchange.header = headers_line;
    asked->exchange.header_user = &headers;
    int r = s3_call(asked, error);
    char *key = strndup(name->key, name->key_length);
    if (r == 0 && (headers.failed || !key))
        r = error_set(error, -ENOMEM, "out of memory");
    if (r == 0) {
        struct leat_store_entry entry = {.name = key, .spec = call->spec, .kind = LEAT_STORE_OBJECT};
        headers_entry(&headers, &asked->exchange.answer, &entry);
        r = names_tell(call, &entry, error);
    }
    free(key);
    headers_clear(&headers);
    return r;
}

static int stat_name(const struct names_call *call, struct leat_error *error)
{
    struct s3_place place = {0};
    struct s3_name name;
    struct names_looking looking = {.place = &place};
    const char *why = NULL;
    int r = s3_names_find(call, true, &place, &name, error);
    if (r == 0 && (r = transfers_get(&why)) < 0)
        error_set(error, r, "%s", why);
    else if (r == 0) {
        struct s3_call *asked = calloc(1, sizeof(*asked));
        looking.path = s3_place_path(&place, name.key, name.key_length);
        looking.query = s3_name_query(&name);
        r = asked && looking.path && looking.query ? look(call, &name, &looking, asked, error)
                                                   : error_set(error, -ENOMEM, "out of memory");
        transfers_put();
        free(asked);
        free(looking.path);
        free(looking.query);
    }
    s3_place_clear(&place);
    return r;
}

const struct names s3_names = {.list = list_names, .stat = stat_name, .check = s3_remove_check, .remove = s3_remove};
