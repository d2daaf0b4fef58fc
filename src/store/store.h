/* The contract of a store: how it asks for an object by HTTP. To add a store: a folder with a `struct store`, a maker,
 * and a row in src/registry/schemes.c. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "node/endpoint.h"
#include "store/http_settings.h"
#include "store/part.h"
#include "store/transfer.h"

struct store;
struct multipart;

/* An object in a store; each store's own struct begins with it. Constant once it is made. */
struct object {
    const struct store *store;
    struct http_settings *settings;  /* of all its requests; NULL: store_source and store_sink make them */
    const struct crc_kind *crc_kind; /* of a sink: the checksum that the store is to keep with it; NULL: the SHA-256 */
};

struct store {
    const char *name; /* "s3" */

    bool etag_is_md5; /* an ETag that looks like an MD5 is that of the object, unless it is encrypted */

    /* The request that reads the object. Range and If-Match are added to it, so they can't be signed. *ret is empty
     * before; on failure it may hold a part. Called for each attempt, since a signature has a time; on any thread, one
     * at a time. -ENOMEM, -E2BIG, -EINVAL, or -ELIBACC without libcrypto. */
    int (*read)(const struct object *object, struct http_request *ret);

    /* One sentence for an answer that is a failure, from its body, which need not be text: "" if it says nothing. */
    void (*explain)(const struct object *object, const char *body, size_t n, char *ret, size_t capacity);

    /* May a request that was answered so succeed later, though its status does not say so? `date_s` as in struct
     * answer; `body` may be empty. NULL: it may not. */
    bool (*is_passing)(const struct object *object, int status, int64_t date_s, const char *body, size_t n);

    void (*free)(struct object *object);

    /* Of a sink. Requests as `read` makes them. */
    /* Asks whether the object exists, how large it is, and for its ETag. */
    int (*head)(const struct object *object, struct http_request *ret);
    /* Puts the whole object, whose bytes are those of `part`. `if_none`: only where there is none yet. The body is
     * that of the part; the caller may have it withheld. */
    int (*put)(const struct object *object, const struct part *part, bool if_none, struct http_request *ret);
    const struct multipart *multipart; /* NULL: an object is put by one request, however large it is */
};

/* A part that the store has. */
struct sent_part {
    char *etag; /* from malloc, as the store gave it */
    char sha256_base64[45];
    uint64_t length, crc; /* crc: of the object's kind */
};

/* The checksum of the whole, from those of its n parts. */
uint64_t sent_crc(const struct crc_kind *kind, const struct sent_part *sent, size_t n);

#define UPLOAD_MAX 1024 /* the name of an upload, with its NUL */

/* An upload of several parts. It is begun, gets its parts in any order, several at once, and is completed or aborted.
 */
struct multipart {
    unsigned most; /* parts */
    uint64_t largest;
    int (*create)(const struct object *object, struct http_request *ret);
    /* The name of the upload, from the answer: -EBADMSG if it is not there. */
    int (*created)(const char *body, size_t n, char ret[UPLOAD_MAX]);
    int (*put)(const struct object *object, const char *upload, const struct part *part, struct http_request *ret);
    int (*complete)(const struct object *object, const char *upload, const struct sent_part *sent, size_t n,
                    bool if_none, struct http_request *ret);
    /* Does the body of an answer with status 200 say that the object is there? -EIO if not. `etag`, of ETAG_MAX bytes:
     * the object's, or "". */
    int (*completed)(const char *body, size_t n, char *ret_etag);
    int (*abort)(const struct object *object, const char *upload, struct http_request *ret);
    /* Asks which parts the store has, behind the number `after`; and reads the answer, which tells of each. *ret_next:
     * ask again for those behind it; 0: that was all. -EBADMSG. */
    int (*list)(const struct object *object, const char *upload, unsigned after, struct http_request *ret);
    int (*listed)(const char *body, size_t n,
                  void (*part)(void *user, unsigned number, uint64_t size, const char *etag), void *user,
                  unsigned *ret_next);
    /* The object's URL, from malloc: what a journal is of. */
    char *(*url)(const struct object *object);
};

static inline void object_free(struct object *object)
{
    http_settings_unref(object->settings);
    object->store->free(object);
}

/* A sink that writes the object, which it takes, on failure too. Of the options it takes `retries`, `no_clobber`,
 * `part_size`, `resume` and `total_timeout_ms`. */
int store_sink(leat_endpoint **ret, const char *spec, struct object *object,
               const struct leat_endpoint_options *options, struct leat_error *error);

/* A source that reads the object, which it takes, on failure too. Of the options it takes `retries`, `streams` and
 * `total_timeout_ms`. */
int store_source(leat_endpoint **ret, const char *spec, struct object *object,
                 const struct leat_endpoint_options *options, struct leat_error *error);

#endif
