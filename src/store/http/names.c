/* What a web server says of one URL, and removing it. */
#include "store/names.h"
#include "base/error.h"
#include "store/ask.h"
#include "store/headers.h"
#include "store/status.h"
#include "store/url.h"
#include <errno.h>
#include <stdio.h>

struct errand {
    const char *method, *url;
};

static int make(void *user, struct http_request *ret)
{
    const struct errand *e = user;
    ret->method = e->method;
    ret->url = strdup(e->url);
    return ret->url ? 0 : -ENOMEM;
}

static int check_url(const char *spec, struct leat_error *error)
{
    struct url url;
    int r = url_parse(&url, spec);
    if (r == 0)
        url_clear(&url);
    return r < 0 ? error_set(error, r, "'%s' is no URL: write http://HOST/PATH, with special characters as %%XX", spec)
                 : 0;
}

static int run(const struct names_call *call, const char *method, struct exchange *x, struct leat_error *error)
{
    struct errand errand = {method, call->spec};
    char sentence[STATUS_MAX];
    int r = ask(x, make, &errand, call->options->retries);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", method, "the request can't be made");
    if (x->code < 0)
        return error_at(error, x->code, LEAT_SIDE_NONE, "", method, "%s", x->why);
    if (exchange_has_succeeded(x))
        return 0;
    status_sentence(x->answer.status, "", sentence);
    r = x->answer.status == 405 || x->answer.status == 501 ? -EOPNOTSUPP : status_code(x->answer.status);
    return error_at(error, r, LEAT_SIDE_NONE, "", method, "%s", sentence);
}

static int ask_server(const struct names_call *call, const char *method, struct headers *headers, struct exchange *x,
                      struct leat_error *error)
{
    const char *why = NULL;
    int r = check_url(call->spec, error);
    if (r < 0)
        return r;
    if ((r = transfers_get(&why)) < 0)
        return error_set(error, r, "%s", why);
    x->header = headers_line;
    x->header_user = headers;
    r = run(call, method, x, error);
    transfers_put();
    return r == 0 && headers->failed ? error_set(error, -ENOMEM, "out of memory") : r;
}

static int ask_and_tell(const struct names_call *call, const char *method, struct removal *removal,
                        struct leat_error *error)
{
    struct headers headers = {.modified_s = LEAT_STORE_TIME_UNKNOWN};
    struct exchange *x = calloc(1, sizeof(*x));
    int r = x ? ask_server(call, method, &headers, x, error) : error_set(error, -ENOMEM, "out of memory");
    if (r == 0 && removal)
        r = names_removed(call, removal, call->spec, call->spec, error);
    else if (r == 0) {
        struct leat_store_entry entry = {.name = call->spec, .spec = call->spec, .kind = LEAT_STORE_OBJECT};
        headers_entry(&headers, &x->answer, &entry);
        r = names_tell(call, &entry, error);
    }
    headers_clear(&headers);
    free(x);
    return r;
}

static int stat_name(const struct names_call *call, struct leat_error *error)
{
    return ask_and_tell(call, "HEAD", NULL, error);
}

static int check_name(const struct names_call *call, struct leat_error *error)
{
    return call->options->recursive ? error_set(error, -EOPNOTSUPP, "A web server gives no list of what it has")
                                    : check_url(call->spec, error);
}

static int remove_names(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error)
{
    uint64_t removed;
    for (size_t i = 0; i < n; i++) {
        struct leat_error own = {.size = sizeof(own)};
        removed = removal->result.removed;
        if (ask_and_tell(&calls[i], "DELETE", removal, &own) < 0) {
            if (removal->result.removed > removed) /* the caller's function ends it */
                return error_hand_on(error, &own);
            names_failed(&calls[i], removal, calls[i].spec, &own);
        }
    }
    return 0;
}

const struct names http_names = {.stat = stat_name, .check = check_name, .remove = remove_names};
