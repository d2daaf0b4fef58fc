/* SPDX-License-Identifier: MIT */
#include "store/request.h"
#include "base/text.h"
#include "store/http_settings.h"
#include "store/session.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* A newline in a value would start another header. */
static int check_value(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return -EINVAL;
    return 0;
}

int request_header(struct http_request *request, const char *format, ...)
{
    char *text = NULL;
    size_t n;
    if (request->headers == REQUEST_HEADERS_MAX)
        return -E2BIG;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return -ENOMEM;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(to, format, arguments);
    va_end(arguments);
    if (text_close(to, &text) < 0)
        return -ENOMEM;
    int r = check_value(text);
    if (r < 0) {
        free(text);
        return r;
    }
    request->header[request->headers++] = text;
    return 0;
}

void request_text(struct http_request *request, char *text, size_t n)
{
    request->text = text;
    request->has_body = true;
    request->body = (struct http_body){.bytes = text, .fd = -1, .length = n};
}

ssize_t body_read(const struct http_body *body, uint64_t at, void *bytes, size_t n)
{
    n = (size_t)MIN((uint64_t)n, body->length - at);
    if (body->bytes) {
        memcpy(bytes, (const char *)body->bytes + at, n);
        return (ssize_t)n;
    }
    ssize_t r;
    do
        r = n ? pread(body->fd, bytes, n, (off_t)(body->offset + at)) : 0;
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r == 0 && n ? -EIO : r;
}

int request_range(struct http_request *request, uint64_t first, uint64_t behind, const char *etag)
{
    int r = 0;
    if (behind != UINT64_MAX)
        r = request_header(request, "Range: bytes=%llu-%llu", (unsigned long long)first,
                           (unsigned long long)behind - 1);
    else if (first)
        r = request_header(request, "Range: bytes=%llu-", (unsigned long long)first);
    return r == 0 && etag[0] ? request_header(request, "If-Match: %s", etag) : r;
}

int request_copy(struct http_request *ret, const struct http_request *from)
{
    *ret = (struct http_request){.method = from->method,
                                 .url = strdup(from->url),
                                 .follows = from->follows,
                                 .place = from->place ? strdup(from->place) : NULL,
                                 .deadline_ns = from->deadline_ns,
                                 .stall_ns = from->stall_ns,
                                 .session = session_ref(from->session),
                                 .settings = http_settings_ref(from->settings),
                                 .is_direct = from->is_direct,
                                 .has_body = from->has_body,
                                 .body = from->body};
    bool complete = ret->url && (ret->place || !from->place);
    if (complete && from->text) {
        ret->body.bytes = ret->text = malloc(from->body.length + 1);
        complete = ret->text != NULL;
        if (complete)
            memcpy(ret->text, from->text, from->body.length);
    }
    for (; complete && ret->headers < from->headers; ret->headers += complete) {
        ret->header[ret->headers] = strdup(from->header[ret->headers]);
        complete = ret->header[ret->headers] != NULL;
    }
    if (!complete)
        request_clear(ret);
    return complete ? 0 : -ENOMEM;
}

void request_clear(struct http_request *request)
{
    free(request->url);
    free(request->place);
    free(request->text);
    for (size_t i = 0; i < request->headers; i++)
        free(request->header[i]);
    session_unref(request->session);
    http_settings_unref(request->settings);
    *request = (struct http_request){0};
}
