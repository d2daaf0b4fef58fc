/* An HTTP request, as a store describes it. */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/types.h>

#define REQUEST_HEADERS_MAX 24

struct session;
struct http_settings;

/* What is sent behind the headers. It is read again when the request is repeated. */
struct http_body {
    const void *bytes; /* borrowed until the request is over; NULL: those of `fd` */
    int fd;            /* borrowed likewise: a file, */
    uint64_t offset;   /* from this byte on */
    uint64_t length;
    const char
        *sha256;  /* hex, borrowed likewise: the bytes are compared while they are sent; NULL: nobody changes them */
    bool is_held; /* its last byte is withheld until transfer_release; `length` is not 0 */
};

struct http_request {
    const char *method; /* static: "GET" */
    char *url;
    char *header[REQUEST_HEADERS_MAX]; /* "Name: value" */
    size_t headers;
    bool follows;            /* redirects; with a session they are followed in any case */
    char *place;             /* where one has led this request before: it is asked first; or NULL. From malloc */
    int64_t deadline_ns;     /* of clock_ns: the answer is complete by then, or it fails with -ETIMEDOUT; 0: no limit */
    int64_t stall_ns;        /* so long without a byte, but for a pause, is a failure, -ETIMEDOUT; 0: no limit */
    struct session *session; /* a reference, or NULL: the request is sent as it stands */
    struct http_settings *settings; /* a reference; NULL: the usual ones */
    bool is_direct;                 /* through no proxy */
    bool has_body;
    struct http_body body;
    char *text; /* from malloc: what `body` points to; or NULL */
};

/* Adds a header (printf format). -ENOMEM; -E2BIG; -EINVAL if a control character would end up in it. */
int request_header(struct http_request *request, const char *format, ...) PRINTF(2, 3);

/* The body is `text`, which comes from malloc and is taken. */
void request_text(struct http_request *request, char *text, size_t n);

/* Copies up to n bytes of the body from byte `at` on, and gives their number. -EIO: the file ends before. */
ssize_t body_read(const struct http_body *body, uint64_t at, void *bytes, size_t n);
/* Asks for the bytes from `first` on and before `behind` (UINT64_MAX: to the end) of this version alone; `etag` ""
 * takes any. Asks for all if first is 0 and there is no end. Errors as above. */
int request_range(struct http_request *request, uint64_t first, uint64_t behind, const char *etag);

/* *ret, which is empty, becomes the same request. -ENOMEM: it is empty still. */
int request_copy(struct http_request *ret, const struct http_request *from);

/* Frees what it holds and makes it empty. */
void request_clear(struct http_request *request);

#endif
