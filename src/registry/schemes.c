/* SPDX-License-Identifier: MIT */
/* The only list of schemes, and leat_endpoint_open, which reads it. To add an endpoint: a constructor in the room that
 * it belongs to, such as src/endpoint, and a row here. */
#include "registry/schemes.h"
#include "base/nearest.h"
#include "base/quote.h"
#include "base/text.h"
#include "channel/endpoint.h"
#include "child/endpoint.h"
#include "endpoint/endpoint.h"
#include "net/endpoint.h"
#include "store/http/http.h"
#include "store/oci/oci.h"
#include "store/s3/s3.h"
#include <ctype.h>
#include <errno.h>

struct scheme_request {
    const char *spec;
    const char *rest; /* the part behind the colon */
    enum leat_direction direction;
    const struct leat_endpoint_options *options;
};

static int open_file(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return endpoint_path(ret, r->spec, r->rest, r->direction, r->options, error);
}

static int open_fd(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    char *end;
    errno = 0;
    long fd = strtol(r->rest, &end, 10);
    if (!isdigit((unsigned char)r->rest[0]) || *end || errno || fd > INT32_MAX)
        return error_set(error, -EINVAL, "'%s' is no descriptor number: write fd:3", r->rest);
    return endpoint_descriptor(ret, r->spec, (int)fd, r->direction, LEAT_BORROW, r->options, error);
}

static int open_device(leat_endpoint **ret, const struct scheme_request *r, const char *path, struct leat_error *error)
{
    if (r->rest[0])
        return error_set(error, -EINVAL, "Nothing belongs behind the colon of '%s'", quote_without_login(r->spec));
    return endpoint_path(ret, r->spec, path, r->direction, r->options, error);
}

static int open_null(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return open_device(ret, r, "/dev/null", error);
}

static int open_zero(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return open_device(ret, r, "/dev/zero", error);
}

static int open_tcp(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return net_tcp_endpoint(ret, r->spec, r->rest, false, r->direction, r->options, error);
}

static int open_tcp_listen(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return net_tcp_endpoint(ret, r->spec, r->rest, true, r->direction, r->options, error);
}

static int open_unix(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return net_unix_endpoint(ret, r->spec, r->rest, false, r->direction, r->options, error);
}

static int open_unix_listen(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return net_unix_endpoint(ret, r->spec, r->rest, true, r->direction, r->options, error);
}

static int open_exec(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return child_endpoint(ret, r->spec, r->rest, r->direction, error);
}

static int open_channel(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return channel_endpoint(ret, r->spec, r->rest, r->direction, error);
}

static int open_http(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return http_endpoint(ret, r->spec, r->direction, r->options, error);
}

static int open_s3(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return s3_endpoint(ret, r->spec, r->rest, r->direction, r->options, error);
}

static int open_oci(leat_endpoint **ret, const struct scheme_request *r, struct leat_error *error)
{
    return oci_endpoint(ret, r->spec, r->rest, r->direction, r->options, error);
}

static const struct scheme {
    const char *name;
    int (*open)(leat_endpoint **ret, const struct scheme_request *request, struct leat_error *error);
} schemes[] = {
    {"file", open_file}, {"fd", open_fd},
    {"null", open_null}, {"zero", open_zero},
    {"tcp", open_tcp},   {"tcp-listen", open_tcp_listen},
    {"unix", open_unix}, {"unix-listen", open_unix_listen},
    {"exec", open_exec}, {"channel", open_channel},
    {"http", open_http}, {"https", open_http},
    {"s3", open_s3},     {"oci", open_oci},
};

static const struct scheme *find_scheme(const char *spec, size_t n)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strlen(schemes[i].name) == n && strncmp(spec, schemes[i].name, n) == 0)
            return &schemes[i];
    return NULL;
}

bool scheme_known(const char *spec)
{
    return find_scheme(spec, text_scheme(spec)) != NULL;
}

static int open_scheme(leat_endpoint **ret, struct scheme_request *request, size_t n, struct leat_error *error)
{
    const struct scheme *scheme = find_scheme(request->spec, n);
    request->rest = request->spec + n + 1;
    if (scheme)
        return scheme->open(ret, request, error);
    char text[UNKNOWN_MAX];
    const char *words[COUNT(schemes) + 1] = {NULL};
    for (size_t i = 0; i < COUNT(schemes); i++)
        words[i] = schemes[i].name;
    unknown_word(text, "scheme", request->spec, n, words);
    return error_set(error, -EINVAL, "%s; a path is written ./%s", text, quote_without_login(request->spec));
}

int leat_endpoint_open(leat_endpoint **ret_endpoint, const char *spec, enum leat_direction direction,
                       const struct leat_endpoint_options *options, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_endpoint_options own;
    struct scheme_request request = {.spec = spec, .rest = spec, .direction = direction, .options = &own};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    size_t n = text_scheme(spec);
    if ((r = options_copy(&own, sizeof(own), options)) < 0)
        error_set(&error, r, "The options are not those of this version");
    else if (enum_check(direction, LEAT_WRITE) < 0)
        r = error_set(&error, -EINVAL, "%d is no direction", (int)direction);
    else if (enum_check(own.write_mode, LEAT_WRITE_APPEND) < 0)
        r = error_set(&error, -EINVAL, "%d is no way to write a file", own.write_mode);
    else if (own.retries < -1)
        r = error_set(&error, -EINVAL, "%d is no number of retries", own.retries);
    else if (own.streams < 0 || own.streams > LEAT_STREAMS_MAX)
        r = error_set(&error, -EINVAL, "%d connections: up to %d are possible", own.streams, LEAT_STREAMS_MAX);
    else if (strcmp(spec, "-") == 0)
        r = endpoint_descriptor(ret_endpoint, spec, direction == LEAT_READ ? 0 : 1, direction, LEAT_BORROW, &own,
                                &error);
    else if (n)
        r = open_scheme(ret_endpoint, &request, n, &error);
    else
        r = open_file(ret_endpoint, &request, &error);
    if (r == 0) {
        (*ret_endpoint)->directed = true;
        (*ret_endpoint)->node.idle_ns = own.idle_timeout_ms > 0 ? (int64_t)own.idle_timeout_ms * 1000000 : 0;
    }
    if (r < 0) {
        error.side = direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK;
        error_spec(&error, spec);
        error_complete(&error, "", "open");
    }
    return error_return(ret_error, &error, r);
}
