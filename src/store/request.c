#include "store/request.h"
#include "store/session.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* A newline in a value would begin another header. */
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
    if (fclose(to) != 0) {
        free(text);
        return -ENOMEM;
    }
    int r = check_value(text);
    if (r < 0) {
        free(text);
        return r;
    }
    request->header[request->headers++] = text;
    return 0;
}

int request_copy(struct http_request *ret, const struct http_request *from)
{
    *ret =
        (struct http_request){.method = from->method, .url = strdup(from->url), .session = session_ref(from->session)};
    bool complete = ret->url != NULL;
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
    for (size_t i = 0; i < request->headers; i++)
        free(request->header[i]);
    session_unref(request->session);
    *request = (struct http_request){0};
}
