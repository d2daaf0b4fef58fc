/* SPDX-License-Identifier: MIT */
/* The contract of a store: how it accesses an object by HTTP. To add a store, make a folder with a `struct store` and a
 * maker, and add a row to src/registry/schemes.c. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "node/endpoint.h"
#include "store/http_settings.h"
#include "store/part.h"
#include "store/transfer.h"

struct store;
struct multipart;

/* An object in a store. The struct of each kind of store starts with this one. It is constant once it is made. */
struct object {
    const struct store *store;
    struct http_settings *settings; /* settings of all its requests; NULL: store_source and store_sink make them */
    const struct crc_kind
        *crc_kind; /* for a sink: the checksum that the store keeps with the object; NULL: the SHA-256 */
};

struct store {
    const char *name; /* "s3" */

    bool etag_is_md5; /* an ETag that looks like an MD5 is the MD5 of the object, unless it is encrypted */

    /* Makes the request that reads the object. The caller adds Range and If-Match, so these cannot be signed. *ret is
     * empty before; after a failure it may be partly filled. It is called for each attempt, because a signature
     * contains a time; on any thread, but never on two at once. Returns 0, -ENOMEM, -E2BIG, -EINVAL, or -ELIBACC
     * without libcrypto. */
    int (*read)(const struct object *object, struct http_request *ret);

    /* Explains an answer that is a failure by one sentence, from its body, which need not be text. "": the body says
     * nothing. */
    void (*explain)(const struct object *object, const char *body, size_t n, char *ret, size_t capacity);

    /* May a request with this answer succeed later, although its status does not say so? `date_s` as in struct answer;
     * `body` may be empty. NULL: it may not. */
    bool (*is_passing)(const struct object *object, int status, int64_t date_s, const char *body, size_t n);

    void (*free)(struct object *object);

    /* For a sink. The hooks make requests as `read` does. */
    /* Asks whether the object exists, and for its size and ETag. */
    int (*head)(const struct object *object, struct http_request *ret);
    /* Puts the whole object. The body is that of `part`; the caller may withhold its last byte. `if_none`: only if the
     * object does not exist. */
    int (*put)(const struct object *object, const struct part *part, bool if_none, struct http_request *ret);
    const struct multipart *multipart; /* NULL: an object is put by one request, whatever its size */
};

/* A part that the store has. */
struct sent_part {
    char *etag;             /* from malloc, as the store sent it */
    char sha256_base64[45]; /* if the store has said that it keeps it: others may refuse a list with checksums; else ""
                             */
    uint64_t length, crc;   /* crc: of the object's crc_kind */
};

/* Returns the checksum of the whole object, computed from those of its n parts. */
uint64_t sent_crc(const struct crc_kind *kind, const struct sent_part *sent, size_t n);

#define UPLOAD_MAX 1024 /* the name of an upload, with its NUL */

/* An upload of several parts. It is created, gets its parts in any order, several at once, and is completed or
 * aborted. */
struct multipart {
    unsigned most; /* the most parts */
    uint64_t largest;
    /* Loads what reads the answers. Is called before an upload is created or listed. Returns 0, or -errno with a
     * sentence in *ret_why. */
    int (*need)(const char **ret_why);
    int (*create)(const struct object *object, struct http_request *ret);
    /* Reads the name of the upload from the answer. Returns 0, or -EBADMSG if it is missing. */
    int (*created)(const char *body, size_t n, char ret[UPLOAD_MAX]);
    int (*put)(const struct object *object, const char *upload, const struct part *part, struct http_request *ret);
    int (*complete)(const struct object *object, const char *upload, const struct sent_part *sent, size_t n,
                    bool if_none, struct http_request *ret);
    /* Does the body of an answer with status 200 confirm that the object exists? Returns 0, or -EIO if not. ret_etag
     * has ETAG_MAX bytes and gets the object's ETag, or "". */
    int (*completed)(const char *body, size_t n, char *ret_etag);
    int (*abort)(const struct object *object, const char *upload, struct http_request *ret);
    /* list asks which parts after the number `after` the store has. listed reads the answer, calls `part` for each
     * part (has_sum: the store keeps its SHA-256), and sets *ret_next to the number after which to ask again; 0: the
     * list is complete. -EBADMSG: the answer cannot be read. */
    int (*list)(const struct object *object, const char *upload, unsigned after, struct http_request *ret);
    int (*listed)(const char *body, size_t n,
                  void (*part)(void *user, unsigned number, uint64_t size, const char *etag, bool has_sum), void *user,
                  unsigned *ret_next);
    /* Returns the object's URL, from malloc: it identifies the object in a journal. */
    char *(*url)(const struct object *object);
};

static inline void object_free(struct object *object)
{
    http_settings_unref(object->settings);
    object->store->free(object);
}

/* Makes a sink that writes the object. The sink takes the object, also after a failure. It uses the options `retries`,
 * `no_clobber`, `part_size`, `resume` and `total_timeout_ms`. */
int store_sink(leat_endpoint **ret, const char *spec, struct object *object,
               const struct leat_endpoint_options *options, struct leat_error *error);

/* Makes a source that reads the object. The source takes the object, also after a failure. It uses the options
 * `retries`, `streams` and `total_timeout_ms`. */
int store_source(leat_endpoint **ret, const char *spec, struct object *object,
                 const struct leat_endpoint_options *options, struct leat_error *error);

#endif
