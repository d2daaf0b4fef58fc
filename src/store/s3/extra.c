/* SPDX-License-Identifier: MIT */
#include "store/s3/extra.h"
#include "base/error.h"
#include "store/http_settings.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define AMAZON       "x-amz-"
#define CUSTOMER_KEY "x-amz-server-side-encryption-customer-"

/* A name, or, with a star at its end, a prefix of names. */
static bool is_one_of(const struct http_header *header, const char *const *names)
{
    for (; *names; names++) {
        size_t n = strlen(*names), start = n && (*names)[n - 1] == '*' ? n - 1 : n;
        if (strncasecmp(header->name, *names, start) == 0 && (start < n || header->name_length == n))
            return true;
    }
    return false;
}

static bool is_for_s3(const struct http_header *header)
{
    static const char *const names[] = {"x-amz-*",          "Content-Type",  "Content-Language", "Content-Disposition",
                                        "Content-Encoding", "Cache-Control", "Expires",          NULL};
    return is_one_of(header, names);
}

static bool is_ours(const struct http_header *header)
{
    static const char *const names[] = {
        "x-amz-date",  "x-amz-content-sha256", "x-amz-security-token", "x-amz-checksum-*",
        "x-amz-sdk-*", "x-amz-trailer",        "x-amz-copy-*",         "x-amz-decoded-content-length",
        NULL};
    return is_one_of(header, names);
}

/* Every request sends these; the others belong to the request that makes the object. */
static bool is_of_all(const struct http_header *header)
{
    static const char *const names[] = {"x-amz-request-payer", "x-amz-expected-bucket-owner", CUSTOMER_KEY "*", NULL};
    return is_one_of(header, names);
}

static int add(struct s3_extra *extra, const struct http_header *header, struct leat_error *error)
{
    if (is_ours(header))
        return error_set(error, -EINVAL, "The header %.*s is not to be set: leat has to set it by itself",
                         (int)header->name_length, header->name);
    if (extra->count == S3_EXTRA_MAX)
        return error_set(error, -E2BIG, "There may be %d headers for S3, not more", S3_EXTRA_MAX);
    size_t n = header->name_length + strlen(header->value) + 3;
    char *line = malloc(n);
    if (!line)
        return error_set(error, -ENOMEM, "out of memory");
    snprintf(line, n, "%.*s: %s", (int)header->name_length, header->name, header->value);
    for (size_t i = 0; strncasecmp(header->name, AMAZON, strlen(AMAZON)) == 0 && i < header->name_length; i++)
        line[i] = (char)tolower((unsigned char)line[i]);
    extra->creates[extra->count] = !is_of_all(header);
    extra->line[extra->count++] = line;
    return 0;
}

int s3_extra_read(struct s3_extra *ret, const struct leat_endpoint_options *options, struct leat_error *error)
{
    int r = 0;
    for (size_t i = 0; options && options->headers && options->headers[i] && r == 0; i++) {
        struct http_header header = {"", "", 0};
        r = http_header_split(options->headers[i], i + 1, &header, error);
        if (r == 0 && is_for_s3(&header))
            r = add(ret, &header, error);
    }
    return r;
}

int s3_extra_add(const struct s3_extra *extra, bool creates, struct http_request *request)
{
    int r = 0;
    for (size_t i = 0; i < extra->count && r == 0; i++)
        if (extra->creates[i] == creates)
            r = request_header(request, "%s", extra->line[i]);
    return r;
}

void s3_extra_clear(struct s3_extra *extra)
{
    for (size_t i = 0; i < extra->count; i++) {
        memset(extra->line[i], 0, strlen(extra->line[i]));
        free(extra->line[i]);
    }
    extra->count = 0;
}

static bool is_key(const char *line)
{
    return strncmp(line, CUSTOMER_KEY, strlen(CUSTOMER_KEY)) == 0;
}

bool s3_extra_has_key(const struct s3_extra *extra)
{
    bool any = false;
    for (size_t i = 0; i < extra->count; i++)
        any |= is_key(extra->line[i]);
    return any;
}

bool s3_extra_is_shown(const struct http_request *request)
{
    bool any = false;
    for (size_t i = 0; i < request->headers; i++)
        any |= is_key(request->header[i]);
    return any;
}
