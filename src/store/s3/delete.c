/* SPDX-License-Identifier: MIT */
/* Removes objects: up to 1000 of a bucket by one request (DeleteObjects). A key that XML cannot hold, such as one with
 * a control character, is removed by a request of its own. */
#include "store/s3/delete.h"
#include "base/text.h"
#include "store/base64.h"
#include "store/part.h"
#include "store/s3/call.h"
#include "store/s3/error.h"
#include "store/s3/names.h"
#include "store/s3/sign.h"
#include "store/transfer.h"
#include "store/xml.h"
#include <errno.h>
#include <stdio.h>

/* ---- telling ---- */

static void tell_failure(struct delete_batch *b, size_t i, const struct leat_error *error)
{
    char *spec = b->spec[i] ? NULL : s3_names_spec(b->bucket, b->key[i]);
    names_failed(b->call[i], b->removal, b->spec[i] ? b->spec[i] : spec ? spec : b->call[i]->spec, error);
    b->failed[i] = true;
    free(spec);
}

static int tell_rest(struct delete_batch *b, struct leat_error *error)
{
    int r = 0;
    for (size_t i = 0; i < b->count && r == 0; i++) {
        char *spec = b->failed[i] || b->spec[i] ? NULL : s3_names_spec(b->bucket, b->key[i]);
        if (!b->failed[i] && !b->spec[i] && !spec)
            r = error_set(error, -ENOMEM, "out of memory");
        else if (!b->failed[i])
            r = names_removed(b->call[i], b->removal, b->key[i], b->spec[i] ? b->spec[i] : spec, error);
        free(spec);
    }
    return r;
}

/* ---- one object ---- */

struct alone {
    const struct delete_batch *batch;
    size_t i;
};

static int make_delete(void *user, struct http_request *ret)
{
    const struct alone *a = user;
    const struct s3_name name = {.version = a->batch->version[a->i]};
    char *path = s3_place_path(a->batch->place, a->batch->key[a->i], strlen(a->batch->key[a->i]));
    char *query = s3_name_query(&name);
    int r = path && query ? s3_place_request(a->batch->place, "DELETE", path, query, SIGN_EMPTY, ret) : -ENOMEM;
    free(path);
    free(query);
    return r;
}

static int run_call(struct delete_batch *b, const char *operation, int (*make)(void *user, struct http_request *ret),
                    void *user, size_t page_most, struct s3_call **ret, struct leat_error *error)
{
    struct s3_call *call = calloc(1, sizeof(*call));
    if (!call)
        return error_set(error, -ENOMEM, "out of memory");
    call->place = b->place;
    call->operation = operation;
    call->retries = b->call[0]->options->retries;
    call->make = make;
    call->user = user;
    call->exchange.page_most = page_most;
    int r = s3_call(call, error);
    const struct exchange *x = &call->exchange;
    if (r == -ENOENT &&
        s3_error_is_missing(x->body, x->body_length)) /* some stores report a missing object as a failure */
        r = 0;
    if (r == 0 && ret)
        *ret = call;
    else
        free(call);
    return r;
}

static void remove_alone(struct delete_batch *b, size_t i)
{
    struct leat_error error = {.size = sizeof(error)};
    struct alone alone = {b, i};
    if (run_call(b, "DELETE", make_delete, &alone, 0, NULL, &error) < 0)
        tell_failure(b, i, &error);
}

/* ---- many ---- */

/* Are these characters allowed in XML 1.0? The bytes are UTF-8, because a store has no other keys. */
static bool is_xml(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if ((*c < ' ' && *c != '\t' && *c != '\n') || *c == 127 || (*c == 0xef && c[1] == 0xbf && c[2] >= 0xbe))
            return false;
    return true;
}

static void write_text(FILE *to, const char *text)
{
    for (; *text; text++)
        if (strchr("&<>\"'\t\n", *text))
            fprintf(to, "&#%d;", *text);
        else
            fputc(*text, to);
}

static char *make_list(const struct delete_batch *b, size_t *ret_n)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, ret_n);
    if (!to)
        return NULL;
    fputs("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>", to);
    for (size_t i = 0; i < b->count; i++)
        if (is_xml(b->key[i])) {
            fputs("<Object><Key>", to);
            write_text(to, b->key[i]);
            fputs("</Key>", to);
            if (b->version[i]) {
                fputs("<VersionId>", to);
                write_text(to, b->version[i]);
                fputs("</VersionId>", to);
            }
            fputs("</Object>", to);
        }
    fputs("</Delete>", to);
    return text_close(to, &text) < 0 ? NULL : text;
}

struct sending {
    const struct delete_batch *batch;
    const char *list;
    size_t n;
    struct part part; /* for its digests */
    char *md5_base64; /* NULL: this libcrypto has no MD5 */
};

static int take_digests(struct sending *s)
{
    size_t taken;
    char bytes[16];
    const char *why;
    int r = libcrypto_need(&why);
    if (r == 0)
        r = part_begin(&s->part, 1, s->n, true);
    for (size_t at = 0; r == 0 && at < s->n; at += taken)
        r = part_add(&s->part, s->list + at, s->n - at, &taken);
    if (r == 0)
        r = part_end(&s->part);
    if (r == 0)
        r = MIN(part_md5(&s->part), 0);
    for (size_t i = 0; r == 0 && s->part.md5[0] && i < sizeof(bytes); i++) {
        unsigned byte;
        sscanf(s->part.md5 + 2 * i, "%2x", &byte);
        bytes[i] = (char)byte;
    }
    if (r == 0 && s->part.md5[0] && !(s->md5_base64 = base64_write(bytes, sizeof(bytes))))
        r = -ENOMEM;
    return r;
}

static int make_deletes(void *user, struct http_request *ret)
{
    const struct sending *s = user;
    char *copy = malloc(s->n);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, s->list, s->n);
    request_text(ret, copy, s->n);
    int r = request_header(ret, "Content-Type: application/xml");
    if (r == 0 && s->md5_base64)
        r = request_header(ret, "Content-MD5: %s", s->md5_base64);
    if (r == 0)
        r = request_header(ret, "x-amz-checksum-sha256: %s", s->part.sha256_base64);
    const struct s3_place *place = s->batch->place;
    return r < 0 ? r : s3_place_request(place, "POST", place->folder, "delete=", s->part.sha256, ret);
}

/* Takes the answer's result for one key. */
struct delete_verdict {
    struct delete_batch *batch;
    char key[XML_TEXT_MAX], version[1100], code[64], message[128];
    bool is_answer;
};

static void take_error(struct delete_verdict *v)
{
    struct leat_error error = {.size = sizeof(error)};
    struct delete_batch *b = v->batch;
    bool denied = strcmp(v->code, "AccessDenied") == 0;
    if (strcmp(v->code, "NoSuchKey") == 0 || strcmp(v->code, "NoSuchVersion") == 0)
        return;
    error_at(&error, denied ? -EACCES : -EPROTO, LEAT_SIDE_NONE, "", "DeleteObjects", "the server says %s%s%s", v->code,
             v->message[0] ? ": " : "", v->message);
    for (char *c = error.text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    size_t i = 0;
    while (i < b->count && (b->failed[i] || strcmp(b->key[i], v->key) != 0 ||
                            (b->version[i] && strcmp(b->version[i], v->version) != 0)))
        i++;
    if (i < b->count)
        tell_failure(b, i, &error);
    else
        b->code = -EBADMSG; /* the answer names a key that was not in the request */
}

static void element(void *user, const char *path, const char *text)
{
    struct delete_verdict *v = user;
    v->is_answer |= strcmp(path, "DeleteResult") == 0;
    if (strcmp(path, "DeleteResult/Error/Key") == 0)
        snprintf(v->key, sizeof(v->key), "%s", text);
    else if (strcmp(path, "DeleteResult/Error/VersionId") == 0)
        snprintf(v->version, sizeof(v->version), "%s", text);
    else if (strcmp(path, "DeleteResult/Error/Code") == 0)
        snprintf(v->code, sizeof(v->code), "%s", text);
    else if (strcmp(path, "DeleteResult/Error/Message") == 0)
        snprintf(v->message, sizeof(v->message), "%s", text);
    else if (strcmp(path, "DeleteResult/Error") == 0) {
        take_error(v);
        v->key[0] = v->version[0] = v->code[0] = v->message[0] = '\0';
    }
}

#define ANSWER_MOST (8u * 1024 * 1024)

static int read_verdicts(struct delete_batch *b, const struct exchange *x, struct leat_error *error)
{
    static const struct xml_ops ops = {element};
    struct delete_verdict *v = calloc(1, sizeof(*v));
    if (!v)
        return error_set(error, -ENOMEM, "out of memory");
    v->batch = b;
    b->code = 0;
    int r = xml_read(x->page ? x->page : "", x->page_length, &ops, v);
    if (r < 0 || b->code || !v->is_answer)
        r = error_at(error, r < 0 ? r : -EBADMSG, LEAT_SIDE_NONE, "", "DeleteObjects",
                     "the server's answer can't be read");
    free(v);
    return r;
}

static int send_list(struct delete_batch *b, struct sending *s, struct leat_error *error)
{
    struct s3_call *call = NULL;
    const char *why;
    int r = xml_need(&why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    r = take_digests(s);
    if (r < 0)
        return error_set(error, r, r == -ELIBACC ? "libcrypto can't be loaded" : "out of memory");
    r = run_call(b, "DeleteObjects", make_deletes, s, ANSWER_MOST, &call, error);
    if (r == 0) {
        r = read_verdicts(b, &call->exchange, error);
        free(call->exchange.page);
        free(call);
    }
    return r;
}

/* If the request as a whole fails, no key is known to be removed. */
static void remove_together(struct delete_batch *b)
{
    struct leat_error error = {.size = sizeof(error)};
    struct sending s = {.batch = b, .part.file = -1};
    char *list = make_list(b, &s.n);
    s.list = list;
    int r = list ? send_list(b, &s, &error) : error_set(&error, -ENOMEM, "out of memory");
    for (size_t i = 0; r < 0 && i < b->count; i++)
        if (!b->failed[i] && is_xml(b->key[i]))
            tell_failure(b, i, &error);
    part_free(&s.part);
    free(s.md5_base64);
    free(list);
}

int delete_batch(struct delete_batch *b, struct leat_error *error)
{
    size_t together = 0;
    memset(b->failed, 0, sizeof(b->failed));
    for (size_t i = 0; i < b->count; i++)
        together += is_xml(b->key[i]);
    for (size_t i = 0; i < b->count; i++)
        if (together == 1 || !is_xml(b->key[i]))
            remove_alone(b, i);
    if (together > 1)
        remove_together(b);
    int r = tell_rest(b, error);
    b->count = 0;
    return r;
}
