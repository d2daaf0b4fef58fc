/* SPDX-License-Identifier: MIT */
/* An HTTP request, as a store defines it. */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/types.h>

#define REQUEST_HEADERS_MAX 24

struct session;
struct http_settings;

/* The body of a request. It is read again when the request is repeated. */
struct http_body {
    const void *bytes; /* borrowed until the request is over; NULL: the bytes are in `fd` */
    int fd;            /* a file, borrowed likewise; */
    uint64_t offset;   /* the body starts at this offset of it */
    uint64_t length;
    const char *sha256; /* in hex, borrowed likewise: compared while the body is sent; NULL: the bytes cannot change */
    bool is_held;       /* the last byte is withheld until transfer_release; `length` is not 0 */
};

struct http_request {
    const char *method; /* static: "GET" */
    char *url;
    char *header[REQUEST_HEADERS_MAX]; /* "Name: value" */
    size_t headers;
    bool follows;        /* follows redirects; with a session it always does */
    char *place;         /* from malloc: the URL to which a redirect led this request before, asked first; or NULL */
    int64_t deadline_ns; /* of clock_ns: if the answer is not complete by then, it fails with -ETIMEDOUT; 0: no limit */
    int64_t stall_ns;    /* after so long without a byte, except in a pause, it fails with -ETIMEDOUT; 0: no limit */
    struct session *session;        /* a reference; NULL: the request is sent unchanged */
    struct http_settings *settings; /* a reference; NULL: the defaults */
    bool is_direct;                 /* does not use a proxy */
    bool has_body;
    struct http_body body;
    char *text; /* from malloc: the text that `body` points to; or NULL */
};

/* Adds a header (printf format). Returns 0, -ENOMEM, -E2BIG, or -EINVAL if the header would contain a control
 * character. */
int request_header(struct http_request *request, const char *format, ...) PRINTF(2, 3);

/* Sets the body to `text`, which is from malloc; the request takes it. */
void request_text(struct http_request *request, char *text, size_t n);

/* Reads up to n bytes of the body from offset `at`, and returns their number or a negative errno. -EIO: the file is too
 * short. */
ssize_t body_read(const struct http_body *body, uint64_t at, void *bytes, size_t n);
/* Requests the bytes from `first` up to but without `behind` (UINT64_MAX: to the end), of this version alone; an `etag`
 * of "" accepts any version. If `first` is 0 and there is no end, it requests everything. Returns what request_header
 * returns. */
int request_range(struct http_request *request, uint64_t first, uint64_t behind, const char *etag);

/* Copies a request to *ret, which is empty. Returns 0, or -ENOMEM and leaves *ret empty. */
int request_copy(struct http_request *ret, const struct http_request *from);

/* Frees what the request holds and makes it empty. */
void request_clear(struct http_request *request);

#endif
