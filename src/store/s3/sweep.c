/* SPDX-License-Identifier: MIT */
/* Aborts unfinished uploads of a bucket. The uploads of one page are aborted before the next page is requested. */
#include "store/sweep.h"
#include "base/quote.h"
#include "base/text.h"
#include "store/circle.h"
#include "store/date.h"
#include "store/names.h"
#include "store/s3/call.h"
#include "store/s3/list.h"
#include "store/s3/object.h"
#include "store/transfer.h"
#include "store/url.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

/* Each text is from malloc. */
struct sweep_found {
    char *key, *id, *begun;
    char *plain; /* the key as it was sent, if the list does not say whether its keys are encoded as requested; else
                    NULL */
};

struct sweep {
    struct s3_place place;
    const char *prefix;
    struct leat_store_sweep_options options;
    struct leat_store_sweep_result result;
    struct leat_error failure; /* of the first upload that could not be aborted */

    /* Of a page. */
    struct sweep_found *found;
    size_t count, room;
    struct sweep_found reading;   /* the upload that is being read */
    char *next_key, *next_upload; /* the start of the next page */
    bool is_cut, is_encoded;
    int code;

    struct circle circle;             /* detects pages that lead back */
    char *key_marker, *upload_marker; /* the start of this page; NULL: the first page */
};

static void found_clear(struct sweep_found *f)
{
    free(f->key);
    free(f->id);
    free(f->begun);
    free(f->plain);
    *f = (struct sweep_found){.key = NULL};
}

static void clear_page(struct sweep *s)
{
    for (size_t i = 0; i < s->count; i++)
        found_clear(&s->found[i]);
    found_clear(&s->reading);
    free(s->next_key);
    free(s->next_upload);
    s->next_key = s->next_upload = NULL;
    s->count = 0;
    s->is_cut = s->is_encoded = false;
}

/* ---- a page ---- */

static void add_parameter(FILE *to, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    fprintf(to, "&%s=", name);
    url_encode(to, value, strlen(value), false);
}

static char *query(void *user)
{
    const struct sweep *s = user;
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    fputs("encoding-type=url", to); /* a key may have characters that XML does not allow */
    add_parameter(to, "key-marker", s->key_marker);
    fputs("&max-uploads=1000", to);
    add_parameter(to, "prefix", s->prefix);
    add_parameter(to, "upload-id-marker", s->upload_marker);
    fputs("&uploads=", to);
    return text_close(to, &text) < 0 ? NULL : text;
}

static void keep(struct sweep *s, char **to, const char *text)
{
    free(*to);
    *to = strdup(text);
    if (!*to)
        s->code = -ENOMEM;
}

static void add_found(struct sweep *s)
{
    if (s->count == s->room) {
        size_t room = MAX(64u, 2 * s->room);
        struct sweep_found *found = realloc(s->found, room * sizeof(found[0]));
        if (!found) {
            s->code = -ENOMEM;
            return;
        }
        s->found = found;
        s->room = room;
    }
    s->found[s->count++] = s->reading;
    s->reading = (struct sweep_found){.key = NULL};
}

static void element(void *user, const char *path, const char *text)
{
    struct sweep *s = user;
    if (strcmp(path, "EncodingType") == 0)
        s->is_encoded = strcmp(text, "url") == 0;
    else if (strcmp(path, "IsTruncated") == 0)
        s->is_cut = strcmp(text, "true") == 0;
    else if (strcmp(path, "NextKeyMarker") == 0)
        keep(s, &s->next_key, text);
    else if (strcmp(path, "NextUploadIdMarker") == 0)
        keep(s, &s->next_upload, text);
    else if (strcmp(path, "Upload/Key") == 0)
        keep(s, &s->reading.key, text);
    else if (strcmp(path, "Upload/UploadId") == 0)
        keep(s, &s->reading.id, text);
    else if (strcmp(path, "Upload/Initiated") == 0)
        keep(s, &s->reading.begun, text);
    else if (strcmp(path, "Upload") == 0)
        add_found(s);
}

/* ---- one upload ---- */

static int64_t age_of(const char *begun)
{
    int64_t then;
    if (!begun || date_read_iso(begun, &then) < 0)
        return -1;
    return MAX((int64_t)time(NULL) - then, 0);
}

struct sweep_ending {
    const struct s3_place *place;
    const char *key, *id;
};

static int make_abort(void *user, struct http_request *ret)
{
    const struct sweep_ending *e = user;
    return s3_abort(e->place, e->key, e->id, ret);
}

static int ask_to_abort(const struct sweep *s, struct sweep_ending *ending, struct leat_error *error)
{
    struct s3_call *call = calloc(1, sizeof(*call));
    if (!call)
        return error_set(error, -ENOMEM, "out of memory");
    call->place = &s->place;
    call->operation = "AbortMultipartUpload";
    call->retries = s->options.retries;
    call->make = make_abort;
    call->user = ending;
    int r = s3_call(call, error);
    free(call);
    return r;
}

static int end_upload(struct sweep *s, const struct sweep_found *found, struct leat_error *error)
{
    const char *const keys[] = {found->key, found->plain};
    int r = -ENOENT;
    for (size_t i = 0; i < COUNT(keys) && keys[i] && r == -ENOENT; i++) {
        struct sweep_ending ending = {&s->place, keys[i], found->id};
        *error = (struct leat_error){.size = sizeof(*error)};
        r = ask_to_abort(s, &ending, error);
    }
    return r == -ENOENT ? 0 : r; /* it ended in the meantime */
}

/* An upload of unknown age counts as young, unless all uploads are to be aborted. */
static bool is_young(const struct sweep *s, int64_t age_s)
{
    int64_t older_ms = s->options.older_ms ? s->options.older_ms : DAY_MS;
    return older_ms > 0 && (age_s < 0 || age_s < (older_ms + 999) / 1000);
}

static void take(struct sweep *s, struct sweep_found *found)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_store_upload told = {
        .key = found->key, .id = found->id, .begun = found->begun ? found->begun : "", .age_s = age_of(found->begun)};
    s->result.found++;
    if (is_young(s, told.age_s))
        told.outcome = LEAT_UPLOAD_YOUNG;
    else if (s->options.dry_run)
        told.outcome = LEAT_UPLOAD_UNTOUCHED;
    else
        told.outcome = end_upload(s, found, &error) < 0 ? LEAT_UPLOAD_FAILED : LEAT_UPLOAD_ABORTED;
    s->result.young += told.outcome == LEAT_UPLOAD_YOUNG;
    s->result.failed += told.outcome == LEAT_UPLOAD_FAILED;
    s->result.aborted += told.outcome == LEAT_UPLOAD_ABORTED || told.outcome == LEAT_UPLOAD_UNTOUCHED;
    if (told.outcome == LEAT_UPLOAD_FAILED) {
        told.error = &error;
        error_hand_on(&s->failure, &error);
    }
    if (s->options.upload)
        s->options.upload(s->options.user, &told);
}

/* ---- all of them ---- */

/* Was the next page read before? */
static int check_next(struct sweep *s)
{
    const char *upload = s->next_upload ? s->next_upload : "";
    char length[24];
    snprintf(length, sizeof(length), "%zu:", strlen(upload));
    char *next = text_join(length, upload, s->next_key);
    int r = next ? circle_check(&s->circle, next) : -ENOMEM;
    free(next);
    return r;
}

static bool is_asked_for(const struct sweep *s, const char *key)
{
    return strncmp(key, s->prefix, strlen(s->prefix)) == 0;
}

/* radosgw 16 encodes keys and does not say so. Other stores may not know the request to encode. So a key has two
 * readings, and those that start with the prefix are kept. */
static bool decode_key(struct sweep *s, struct sweep_found *found)
{
    if (s->is_encoded)
        return url_decode(found->key) == 0;
    keep(s, &found->plain, found->key);
    if (s->code)
        return true;
    bool decoded = url_decode(found->key) == 0 && is_asked_for(s, found->key);
    if (decoded && is_asked_for(s, found->plain))
        return true;
    if (!decoded) {
        free(found->key);
        found->key = found->plain;
    } else
        free(found->plain);
    found->plain = NULL;
    return true;
}

/* *ret_why is set on failure. */
static int check_page(struct sweep *s, const char **ret_why)
{
    bool good = !s->is_cut || (s->next_key && s->next_key[0]), asked_for = true;
    int r = s->is_cut && good ? check_next(s) : 0;
    if (r < 0) {
        *ret_why = r == -EBADMSG ? "the server's list leads back to a page that it had before" : "out of memory";
        return r;
    }
    for (size_t i = 0; i < s->count && s->code == 0; i++) {
        struct sweep_found *found = &s->found[i];
        good &= found->key && found->key[0] && found->id && found->id[0];
        good = good && decode_key(s, found);
        asked_for = asked_for && good && is_asked_for(s, found->key);
    }
    if (s->is_cut && s->is_encoded && s->next_key)
        good &= url_decode(s->next_key) == 0;
    *ret_why = s->code ? "out of memory"
               : !good ? "the server's list makes no sense"
                       : "the server's list has uploads that were not asked for";
    return s->code ? s->code : good && asked_for ? 0 : -EBADMSG;
}

static int page(void *user, struct leat_error *error)
{
    struct sweep *s = user;
    const char *why;
    int r = check_page(s, &why);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", "ListMultipartUploads", "%s", why);
    for (size_t i = 0; i < s->count; i++)
        take(s, &s->found[i]);
    free(s->key_marker);
    free(s->upload_marker);
    s->key_marker = s->next_key;
    s->upload_marker = s->next_upload;
    s->next_key = s->next_upload = NULL;
    r = s->is_cut;
    clear_page(s);
    return r;
}

static int run(struct sweep *s, struct leat_error *error)
{
    const struct s3_list list = {.place = &s->place,
                                 .operation = "ListMultipartUploads",
                                 .retries = s->options.retries,
                                 .query = query,
                                 .root = "ListMultipartUploadsResult",
                                 .xml = {element},
                                 .page = page,
                                 .user = s};
    const char *why = NULL;
    int r = transfers_get(&why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    r = s3_list(&list, error);
    transfers_put();
    clear_page(s);
    circle_clear(&s->circle);
    free(s->found);
    free(s->key_marker);
    free(s->upload_marker);
    return r < 0 ? r : error_hand_on(error, &s->failure);
}

static int sweep(struct sweep *s, const char *spec, struct leat_error *error)
{
    struct s3_name name;
    if (!spec || strncmp(spec, "s3:", 3) != 0 || s3_name_split(&name, spec + 3) < 0 || !s3_name_is_prefix(&name))
        return error_set(error, -EINVAL, "'%s' names no bucket: write s3://BUCKET or s3://BUCKET/PREFIX",
                         spec ? quote_without_login(spec) : "");
    char *prefix = strndup(name.key, name.key_length);
    s->prefix = prefix;
    int r = prefix ? s3_place_find(&s->place, &name, error) : error_set(error, -ENOMEM, "out of memory");
    s->place.deadline_ns = names_deadline(s->options.endpoint);
    if (r == 0)
        r = s3_place_settings(&s->place, s->options.endpoint, error);
    if (r == 0)
        r = run(s, error);
    free(prefix);
    s3_place_clear(&s->place);
    return r;
}

int leat_store_sweep(const char *spec, const struct leat_store_sweep_options *options,
                     struct leat_store_sweep_result *ret_result, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_endpoint_options endpoint;
    struct sweep s = {.result = {.size = sizeof(s.result)}, .failure = {.size = sizeof(s.failure)}};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = sweep_options(&s.options, &endpoint, options, ret_result, &error);
    if (r == 0) {
        r = sweep(&s, spec, &error);
        if (ret_result) {
            int copied = return_sized(ret_result, &s.result, sizeof(s.result));
            r = r < 0 ? r : copied;
        }
    }
    if (error.code) {
        error_spec(&error, spec);
        error_complete(&error, "", "open");
    }
    return error_return(ret_error, &error, r);
}
