#include "store/http/http.h"
#include "store/store.h"
#include "store/url.h"
#include <errno.h>

struct http_object {
    struct object object;
    char *url;
};

static int http_read(const struct object *object, uint64_t first, const char *etag, struct http_request *ret)
{
    const struct http_object *o = (const struct http_object *)object;
    ret->method = "GET";
    ret->url = strdup(o->url);
    int r = ret->url ? 0 : -ENOMEM;
    if (r == 0 && first)
        r = request_header(ret, "Range: bytes=%llu-", (unsigned long long)first);
    if (r == 0 && etag[0])
        r = request_header(ret, "If-Match: %s", etag);
    return r;
}

/* The body of an answer is a page for people. */
static void http_explain(const char *body UNUSED, size_t n UNUSED, char *ret, size_t capacity UNUSED)
{
    ret[0] = '\0';
}

static void http_free(struct object *object)
{
    free(((struct http_object *)object)->url);
    free(object);
}

static const struct store http = {
    .name = "http",
    .read = http_read,
    .explain = http_explain,
    .free = http_free,
};

int http_endpoint(leat_endpoint **ret, const char *spec, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct url url;
    int r = url_parse(&url, spec);
    if (r == 0)
        url_clear(&url);
    if (r == -EINVAL)
        return error_set(error, r, "'%s' is no URL: write http://HOST/PATH, with special characters as %%XX", spec);
    if (r == 0 && direction == LEAT_WRITE)
        return error_set(error, -EOPNOTSUPP, "Writing to a URL is not supported");
    struct http_object *o = r == 0 ? calloc(1, sizeof(*o)) : NULL;
    if (!o || !(o->url = strdup(spec))) {
        free(o);
        return error_set(error, -ENOMEM, "out of memory");
    }
    o->object.store = &http;
    return store_source(ret, spec, &o->object, options, error);
}
