/* SPDX-License-Identifier: MIT */
#include "store/s3/error.h"
#include "base/base.h"
#include "store/xml.h"
#include <stdio.h>

struct explanation {
    char code[64], message[128];
};

static void element(void *user, const char *path, const char *text)
{
    struct explanation *e = user;
    if (strcmp(path, "Error/Code") == 0)
        snprintf(e->code, sizeof(e->code), "%s", text);
    else if (strcmp(path, "Error/Message") == 0)
        snprintf(e->message, sizeof(e->message), "%s", text);
}

/* The body may be incomplete, so the elements that were read until then are used. */
void s3_error_explain(const char *body, size_t n, char *ret, size_t capacity)
{
    static const struct xml_ops ops = {element};
    struct explanation e = {"", ""};
    xml_read(body, n, &ops, &e);
    ret[0] = '\0';
    if (e.code[0])
        snprintf(ret, capacity, "%s%s%s", e.code, e.message[0] ? ": " : "", e.message);
    for (char *c = ret; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
}

static bool has_code(const char *body, size_t n, const char *const codes[])
{
    static const struct xml_ops ops = {element};
    struct explanation e = {"", ""};
    if (n)
        xml_read(body, n, &ops, &e);
    for (; *codes; codes++)
        if (strcmp(e.code, *codes) == 0)
            return true;
    return false;
}

bool s3_error_is_passing(const char *body, size_t n)
{
    static const char *const codes[] = {"InternalError",
                                        "SlowDown",
                                        "ServiceUnavailable",
                                        "RequestTimeout",
                                        "OperationAborted",
                                        "ConditionalRequestConflict",
                                        NULL};
    return has_code(body, n, codes);
}

bool s3_error_is_missing(const char *body, size_t n)
{
    static const char *const codes[] = {"NoSuchKey", "NoSuchVersion", NULL};
    return has_code(body, n, codes);
}

bool s3_error_is_expiry(const char *body, size_t n)
{
    static const char *const codes[] = {"ExpiredToken",       "ExpiredTokenException", "TokenRefreshRequired",
                                        "InvalidAccessKeyId", "InvalidToken",          NULL};
    return has_code(body, n, codes);
}

bool s3_error_is_of_time(const char *body, size_t n)
{
    static const char *const codes[] = {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", NULL};
    return has_code(body, n, codes);
}
