/* An HTTP request, as a store describes it: what is sent before the body. */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "base/base.h"

#define REQUEST_HEADERS_MAX 24

struct session;

struct http_request {
    const char *method; /* static: "GET" */
    char *url;
    char *header[REQUEST_HEADERS_MAX]; /* "Name: value" */
    size_t headers;
    struct session *session; /* a reference, or NULL: the request is sent as it stands */
};

/* Adds a header (printf format). -ENOMEM; -E2BIG; -EINVAL if a control character would end up in it. */
int request_header(struct http_request *request, const char *format, ...) PRINTF(2, 3);

/* *ret, which is empty, becomes the same request. -ENOMEM: it is empty still. */
int request_copy(struct http_request *ret, const struct http_request *from);

/* Frees what it holds and makes it empty. */
void request_clear(struct http_request *request);

#endif
