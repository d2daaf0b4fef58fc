/* SPDX-License-Identifier: MIT */
#include "store/http/http.h"
#include "base/quote.h"
#include "store/store.h"
#include "store/url.h"
#include <errno.h>

struct http_object {
    struct object object;
    char *url;
};

static int set_url(const struct object *object, const char *method, struct http_request *ret)
{
    ret->method = method;
    ret->follows = true;
    ret->url = strdup(((const struct http_object *)object)->url);
    return ret->url ? 0 : -ENOMEM;
}

static int http_read(const struct object *object, struct http_request *ret)
{
    return set_url(object, "GET", ret);
}

/* The body of an error answer is a page for people, so it explains nothing. */
static void http_explain(const struct object *object UNUSED, const char *body UNUSED, size_t n UNUSED, char *ret,
                         size_t capacity UNUSED)
{
    ret[0] = '\0';
}

static int http_head(const struct object *object, struct http_request *ret)
{
    return set_url(object, "HEAD", ret);
}

static int http_put(const struct object *object, const struct part *part, bool if_none, struct http_request *ret)
{
    ret->has_body = true;
    ret->body = part_body(part);
    int r = set_url(object, "PUT", ret);
    if (r == 0 && if_none)
        r = request_header(ret, "If-None-Match: *");
    return r;
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
    .head = http_head,
    .put = http_put,
};

/* `url` has no login. `name` is what is printed of it. */
static int open_url(leat_endpoint **ret, const char *url, const char *name, const char *user, const char *password,
                    enum leat_direction direction, const struct leat_endpoint_options *options,
                    struct leat_error *error)
{
    struct url parts;
    int r = url_parse(&parts, url);
    if (r == 0)
        url_clear(&parts);
    if (r == -EINVAL)
        return error_set(error, r, "'%s' is no URL: write http://HOST/PATH, with special characters as %%XX", name);
    struct http_object *o = r == 0 ? calloc(1, sizeof(*o)) : NULL;
    if (!o || !(o->url = strdup(url))) {
        free(o);
        return error_set(error, -ENOMEM, "out of memory");
    }
    o->object.store = &http;
    r = http_settings_new(&o->object.settings, options, error);
    if (r == 0)
        r = http_settings_add(o->object.settings, options, user, password, error);
    if (r < 0) {
        object_free(&o->object);
        return r;
    }
    return direction == LEAT_WRITE ? store_sink(ret, name, &o->object, options, error)
                                   : store_source(ret, name, &o->object, options, error);
}

static void wipe(char *text)
{
    if (text)
        memset(text, 0, strlen(text));
    free(text);
}

/* User, password and query are used, but are not part of the name, because the name is printed. */
int http_endpoint(leat_endpoint **ret, const char *spec, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error)
{
    char *url = NULL, *user = NULL, *password = NULL;
    int r = url_take_login(spec, &url, &user, &password);
    if (r < 0)
        return error_set(error, r,
                         r == -ENOMEM ? "out of memory"
                                      : "The user or the password is not as a URL has it: "
                                        "write special characters as %%XX");
    char *name = strndup(url ? url : spec, quote_length(url ? url : spec));
    r = name ? open_url(ret, url ? url : spec, name, user, password, direction, options, error)
             : error_set(error, -ENOMEM, "out of memory");
    free(name);
    free(url);
    wipe(user);
    wipe(password);
    return r;
}
