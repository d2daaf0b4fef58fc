/* SPDX-License-Identifier: MIT */
/* Makes the requests of S3 that write an object. Each one has the SHA-256 of its body, which is signed, so that the
 * store compares it. Each one also has a checksum, which stores that know it compare and keep with the object. That is
 * the SHA-256 again, and for an object of several parts the SHA-256 of the SHA-256 of its parts; or it is a CRC, which
 * is that of the whole object. */
#include "base/text.h"
#include "store/base64.h"
#include "store/s3/object.h"
#include "store/s3/sign.h"
#include "store/url.h"
#include "store/xml.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#define MOST_PARTS 10000
#define LARGEST    (UINT64_C(5) * 1024 * 1024 * 1024) /* part */

static const struct s3_object *of(const struct object *object)
{
    return (const struct s3_object *)object;
}

/* ---- checksums ---- */

static int add_crc(const struct crc_kind *kind, uint64_t crc, struct http_request *ret)
{
    uint8_t bytes[8];
    crc_bytes(kind, crc, bytes);
    char *text CLEANUP_FREE = base64_write((const char *)bytes, kind->bytes);
    return text ? request_header(ret, "x-amz-checksum-%s: %s", kind->name, text) : -ENOMEM;
}

static int add_checksum(const struct part *part, struct http_request *ret)
{
    if (part->crc_kind)
        return add_crc(part->crc_kind, part->crc, ret);
    return request_header(ret, "x-amz-checksum-sha256: %s", part->sha256_base64);
}

/* Adds the checksum that an object of several parts will have. */
static int add_checksum_kind(const struct crc_kind *kind, struct http_request *ret)
{
    char name[16] = "SHA256";
    for (size_t i = 0; kind && i <= strlen(kind->name); i++)
        name[i] = (char)toupper((unsigned char)kind->name[i]);
    int r = request_header(ret, "x-amz-checksum-algorithm: %s", name);
    return r == 0 && kind ? request_header(ret, "x-amz-checksum-type: FULL_OBJECT") : r;
}

/* ---- whole objects ---- */

/* Requests the stored checksum only for an object with a CRC. */
int s3_head(const struct object *object, struct http_request *ret)
{
    int r = object->crc_kind ? request_header(ret, "x-amz-checksum-mode: ENABLED") : 0;
    return r < 0 ? r : s3_request(of(object), "HEAD", "", SIGN_EMPTY, ret);
}

static void set_body(struct http_request *request, const struct part *part)
{
    request->has_body = true;
    request->body = part_body(part);
}

int s3_put(const struct object *object, const struct part *part, bool if_none, struct http_request *ret)
{
    set_body(ret, part);
    int r = add_checksum(part, ret);
    if (r == 0 && if_none)
        r = request_header(ret, "If-None-Match: *");
    if (r == 0)
        r = s3_extra_add(&of(object)->extra, true, ret);
    return r < 0 ? r : s3_request(of(object), "PUT", "", part->sha256, ret);
}

/* ---- parts ---- */

static int create(const struct object *object, struct http_request *ret)
{
    ret->has_body = true;
    ret->body = (struct http_body){.bytes = "", .fd = -1};
    int r = add_checksum_kind(object->crc_kind, ret);
    if (r == 0)
        r = s3_extra_add(&of(object)->extra, true, ret);
    return r < 0 ? r : s3_request(of(object), "POST", "uploads=", SIGN_EMPTY, ret);
}

struct creation {
    char *upload;
};

static void creation_element(void *user, const char *path, const char *text)
{
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && strlen(text) < UPLOAD_MAX)
        strcpy(((struct creation *)user)->upload, text);
}

static int created(const char *body, size_t n, char ret[UPLOAD_MAX])
{
    static const struct xml_ops ops = {creation_element};
    ret[0] = '\0';
    int r = xml_read(body, n, &ops, &(struct creation){ret});
    if (r < 0)
        ret[0] = '\0';
    return r < 0 ? r : ret[0] ? 0 : -EBADMSG;
}

/* Returns "partNumber=1&uploadId=...", percent-encoded, from malloc. */
static char *upload_query(const char *upload, unsigned number)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    if (number)
        fprintf(to, "partNumber=%u&", number);
    fputs("uploadId=", to);
    url_encode(to, upload, strlen(upload), false);
    return text_close(to, &text) == 0 ? text : NULL;
}

static int put_part(const struct object *object, const char *upload, const struct part *part, struct http_request *ret)
{
    char *query CLEANUP_FREE = upload_query(upload, part->number);
    set_body(ret, part);
    int r = query ? add_checksum(part, ret) : -ENOMEM;
    return r < 0 ? r : s3_request(of(object), "PUT", query, part->sha256, ret);
}

/* ---- the list of parts ---- */

static int list(const struct object *object, const char *upload, unsigned after, struct http_request *ret)
{
    char *id CLEANUP_FREE = upload_query(upload, 0), *query = NULL;
    size_t n = id ? strlen(id) + 64 : 0;
    if (n)
        query = malloc(n);
    if (!query)
        return -ENOMEM;
    snprintf(query, n, "max-parts=1000&part-number-marker=%u&%s", after, id);
    int r = s3_request(of(object), "GET", query, SIGN_EMPTY, ret);
    free(query);
    return r;
}

struct multipart_listing {
    void (*part)(void *user, unsigned number, uint64_t size, const char *etag, bool has_sum);
    void *user;
    unsigned number, next;
    uint64_t size;
    char etag[ETAG_MAX];
    bool is_list, is_cut, has_sum;
};

static uint64_t number_of(const char *text)
{
    return strspn(text, "0123456789") == strlen(text) && strlen(text) < 19 ? strtoull(text, NULL, 10) : 0;
}

#define LIST "ListPartsResult"

static void listing_element(void *user, const char *path, const char *text)
{
    struct multipart_listing *l = user;
    l->is_list |= strcmp(path, LIST) == 0;
    if (strcmp(path, LIST "/IsTruncated") == 0)
        l->is_cut = strcmp(text, "true") == 0;
    else if (strcmp(path, LIST "/NextPartNumberMarker") == 0)
        l->next = (unsigned)MIN(number_of(text), MOST_PARTS);
    else if (strcmp(path, LIST "/Part/PartNumber") == 0)
        l->number = (unsigned)MIN(number_of(text), MOST_PARTS);
    else if (strcmp(path, LIST "/Part/Size") == 0)
        l->size = number_of(text);
    else if (strcmp(path, LIST "/Part/ETag") == 0)
        snprintf(l->etag, sizeof(l->etag), "%s", text);
    else if (strcmp(path, LIST "/Part/ChecksumSHA256") == 0)
        l->has_sum = text[0] != '\0';
    else if (strcmp(path, LIST "/Part") == 0) {
        l->part(l->user, l->number, l->size, l->etag, l->has_sum);
        l->has_sum = false;
        l->number = 0;
        l->size = 0;
        l->etag[0] = '\0';
    }
}

static int listed(const char *body, size_t n,
                  void (*part)(void *user, unsigned number, uint64_t size, const char *etag, bool has_sum), void *user,
                  unsigned *ret_next)
{
    static const struct xml_ops ops = {listing_element};
    struct multipart_listing l = {.part = part, .user = user};
    int r = xml_read(body, n, &ops, &l);
    if (r < 0 || !l.is_list || (l.is_cut && l.next == 0))
        return r == -ENOMEM || r == -ELIBACC ? r : -EBADMSG;
    *ret_next = l.is_cut ? l.next : 0;
    return 0;
}

static char *url(const struct object *object)
{
    const struct s3_object *o = of(object);
    size_t n = strlen(o->place.scheme) + strlen(o->place.host) + strlen(o->path) + 4;
    char *text = malloc(n);
    if (text)
        snprintf(text, n, "%s://%s%s", o->place.scheme, o->place.host, o->path);
    return text;
}

/* ---- the end ---- */

static void write_text(FILE *to, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        default:
            fputc(*text, to);
        }
}

static int make_list(const struct sent_part *sent, size_t count, bool is_whole, char **ret, size_t *ret_n)
{
    FILE *to = open_memstream(ret, ret_n);
    if (!to)
        return -ENOMEM;
    fputs("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        write_text(to, sent[i].etag);
        fputs("</ETag>", to);
        /* A checksum of the whole object needs no checksums of its parts. */
        if (!is_whole && sent[i].sha256_base64[0])
            fprintf(to, "<ChecksumSHA256>%s</ChecksumSHA256>", sent[i].sha256_base64);
        fputs("</Part>", to);
    }
    fputs("</CompleteMultipartUpload>", to);
    return text_close(to, ret);
}

static int complete(const struct object *object, const char *upload, const struct sent_part *sent, size_t count,
                    bool if_none, struct http_request *ret)
{
    char *query CLEANUP_FREE = upload_query(upload, 0), *list = NULL, hex[65];
    size_t n;
    const struct crc_kind *kind = object->crc_kind;
    int r = query ? make_list(sent, count, kind != NULL, &list, &n) : -ENOMEM;
    if (r < 0)
        return r;
    request_text(ret, list, n);
    r = sign_hash(list, n, hex);
    if (r == 0)
        r = request_header(ret, "Content-Type: application/xml");
    if (r == 0 && if_none)
        r = request_header(ret, "If-None-Match: *");
    if (r == 0 && kind)
        r = add_crc(kind, sent_crc(kind, sent, count), ret);
    if (r == 0 && kind)
        r = request_header(ret, "x-amz-checksum-type: FULL_OBJECT");
    return r < 0 ? r : s3_request(of(object), "POST", query, hex, ret);
}

struct completion {
    bool is_there;
    char *etag;
};

static void completion_element(void *user, const char *path, const char *text)
{
    struct completion *c = user;
    c->is_there |= strcmp(path, "CompleteMultipartUploadResult") == 0;
    if (strcmp(path, "CompleteMultipartUploadResult/ETag") == 0)
        snprintf(c->etag, ETAG_MAX, "%s", text);
}

static int completed(const char *body, size_t n, char *ret_etag)
{
    static const struct xml_ops ops = {completion_element};
    struct completion c = {.etag = ret_etag};
    ret_etag[0] = '\0';
    return xml_read(body, n, &ops, &c) == 0 && c.is_there ? 0 : -EIO;
}

static int abort_upload(const struct object *object, const char *upload, struct http_request *ret)
{
    char *query CLEANUP_FREE = upload_query(upload, 0);
    return query ? s3_request(of(object), "DELETE", query, SIGN_EMPTY, ret) : -ENOMEM;
}

int s3_abort(const struct s3_place *place, const char *key, const char *upload, struct http_request *ret)
{
    char *query CLEANUP_FREE = upload_query(upload, 0), *path CLEANUP_FREE = s3_place_path(place, key, strlen(key));
    return query && path ? s3_place_request(place, "DELETE", path, query, SIGN_EMPTY, ret) : -ENOMEM;
}

const struct multipart s3_multipart = {
    .most = MOST_PARTS,
    .largest = LARGEST,
    .need = xml_need,
    .create = create,
    .created = created,
    .put = put_part,
    .complete = complete,
    .completed = completed,
    .abort = abort_upload,
    .list = list,
    .listed = listed,
    .url = url,
};
