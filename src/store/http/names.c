/* SPDX-License-Identifier: MIT */
/* Asks a web server about one URL, and removes it. */
#include "store/names.h"
#include "base/error.h"
#include "base/quote.h"
#include "store/ask.h"
#include "store/headers.h"
#include "store/http_settings.h"
#include "store/status.h"
#include "store/url.h"
#include <errno.h>
#include <stdio.h>

/* A call in progress. */
struct http_visit {
    const struct names_call *call;
    const char *method;
    char *url; /* without a login */
    struct http_settings *settings;
    struct headers headers;
    struct exchange exchange;
};

static int make(void *user, struct http_request *ret)
{
    const struct http_visit *v = user;
    ret->method = v->method;
    ret->follows = strcmp(v->method, "HEAD") == 0;
    ret->url = strdup(v->url);
    return ret->url ? 0 : -ENOMEM;
}

static void wipe(char *text)
{
    if (text)
        memset(text, 0, strlen(text));
    free(text);
}

/* The URL without its login, and the settings for its requests. Each of them may be NULL. */
static int take_url(const struct names_call *call, char **ret_url, struct http_settings **ret_settings,
                    struct leat_error *error)
{
    const struct leat_endpoint_options *options = call->options->endpoint;
    char *url = NULL, *user = NULL, *password = NULL;
    struct url parts;
    int r = url_take_login(call->spec, &url, &user, &password);
    if (r == 0 && !(url = strdup(call->spec)))
        r = -ENOMEM;
    if (r >= 0 && (r = url_parse(&parts, url)) == 0)
        url_clear(&parts);
    if (r < 0)
        error_set(error, r, "'%.*s' is no URL: write http://HOST/PATH, with special characters as %%XX",
                  (int)quote_length(call->spec), call->node);
    if (r == 0 && ret_settings && (r = http_settings_new(ret_settings, options, error)) == 0)
        r = http_settings_add(*ret_settings, options, user, password, error);
    if (ret_url)
        *ret_url = url;
    else
        free(url);
    wipe(user);
    wipe(password);
    return r;
}

static int run(struct http_visit *v, struct leat_error *error)
{
    char sentence[STATUS_MAX];
    const struct exchange *x = &v->exchange;
    v->exchange.deadline_ns = v->call->deadline_ns;
    int r = ask(&v->exchange, make, v, v->call->options->retries);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", v->method, "the request can't be made");
    if (x->code < 0)
        return error_at(error, x->code, LEAT_SIDE_NONE, "", v->method, "%s", x->why);
    if (exchange_has_succeeded(x) || (strcmp(v->method, "DELETE") == 0 && exchange_has_removed(x)))
        return 0;
    status_sentence(x->answer.status, "", sentence);
    r = x->answer.status == 405 || x->answer.status == 501 ? -EOPNOTSUPP : status_code(x->answer.status);
    return error_at(error, r, LEAT_SIDE_NONE, "", v->method, "%s", sentence);
}

static int ask_server(struct http_visit *v, struct leat_error *error)
{
    const char *why = NULL;
    int r = take_url(v->call, &v->url, &v->settings, error);
    if (r < 0)
        return r;
    if ((r = transfers_get(&why)) < 0)
        return error_set(error, r, "%s", why);
    v->exchange.settings = v->settings;
    v->exchange.header = headers_line;
    v->exchange.header_user = &v->headers;
    r = run(v, error);
    transfers_put();
    return r == 0 && v->headers.failed ? error_set(error, -ENOMEM, "out of memory") : r;
}

static int ask_and_tell(const struct names_call *call, const char *method, struct removal *removal,
                        struct leat_error *error)
{
    struct http_visit *v = calloc(1, sizeof(*v));
    if (!v)
        return error_set(error, -ENOMEM, "out of memory");
    v->call = call;
    v->method = method;
    v->headers.modified_s = LEAT_STORE_TIME_UNKNOWN;
    int r = ask_server(v, error);
    if (r == 0 && removal)
        r = names_removed(call, removal, v->url, v->url, error);
    else if (r == 0) {
        struct leat_store_entry entry = {.name = v->url, .spec = v->url, .kind = LEAT_STORE_OBJECT};
        headers_entry(&v->headers, &v->exchange.answer, &entry);
        r = names_tell(call, &entry, error);
    }
    headers_clear(&v->headers);
    http_settings_unref(v->settings);
    free(v->url);
    free(v);
    return r;
}

static int stat_name(const struct names_call *call, struct leat_error *error)
{
    return ask_and_tell(call, "HEAD", NULL, error);
}

static int check_name(const struct names_call *call, struct leat_error *error)
{
    return call->options->recursive ? error_set(error, -EOPNOTSUPP, "A web server gives no list of what it has")
                                    : take_url(call, NULL, NULL, error);
}

static int remove_names(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error)
{
    uint64_t removed;
    for (size_t i = 0; i < n; i++) {
        struct leat_error own = {.size = sizeof(own)};
        removed = removal->result.removed;
        if (ask_and_tell(&calls[i], "DELETE", removal, &own) < 0) {
            if (removal->result.removed > removed) /* the caller's function ended it */
                return error_hand_on(error, &own);
            names_failed(&calls[i], removal, calls[i].node, &own);
        }
    }
    return 0;
}

const struct names http_names = {.stat = stat_name, .check = check_name, .remove = remove_names};
