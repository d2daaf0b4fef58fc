/* SPDX-License-Identifier: MIT */
#include "store/oci/repository.h"
#include "base/error.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/text.h"
#include "store/oci/challenge.h"
#include "store/oci/login.h"
#include "store/url.h"
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

struct repository {
    struct session session;
    struct reference reference;
    struct login login;
    atomic_bool silent;

    /* These belong to the transfer thread. */
    bool tls;
    bool reached; /* it has answered with or without TLS, as `tls` says */
    char *authorization;
    unsigned generation; /* generation of the authorization; 0: none yet */
    bool wants_token;
    struct challenge challenge;
};

/* ---- requests ---- */

static char *whole_url(const struct repository *r, const char *path)
{
    size_t n = strlen(r->reference.host) + strlen(path) + sizeof("https://");
    char *url = malloc(n);
    if (url)
        snprintf(url, n, "%s://%s%s", r->tls ? "https" : "http", r->reference.host, path);
    return url;
}

/* Is this URL on the registry itself? The authorization is sent only there. */
static bool is_own(const struct repository *r, const char *url)
{
    const char *host = strstr(url, "://");
    size_t n = host ? strcspn(host + 3, "/?#") : 0;
    return host && (strncmp(url, "https:", 6) == 0) == r->tls && n == strlen(r->reference.host) &&
           strncmp(host + 3, r->reference.host, n) == 0;
}

static void write_parameter(FILE *to, const char *name, const char *value, size_t n, char *separator)
{
    if (n == 0)
        return;
    fprintf(to, "%c%s=", *separator, name);
    url_encode(to, value, n, false);
    *separator = '&';
}

/* Makes the URL realm?service=...&scope=...; several scopes are separated by spaces. */
static char *token_url(const struct repository *r)
{
    const struct challenge *c = &r->challenge;
    char separator = strchr(c->realm, '?') ? '&' : '?';
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs(c->realm, to);
    write_parameter(to, "service", c->service, strlen(c->service), &separator);
    for (const char *at = c->scope; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        write_parameter(to, "scope", at, n, &separator);
        at += n;
    }
    return text_close(to, &text) == 0 ? text : NULL;
}

static int add_basic(const struct repository *r, struct http_request *request)
{
    char *text = login_basic(&r->login);
    int result = text ? request_header(request, "Authorization: Basic %s", text) : -ENOMEM;
    free(text);
    return result;
}

static void write_form(FILE *to, const struct repository *r)
{
    char separator = '&';
    fputs("grant_type=refresh_token&client_id=leat", to);
    write_parameter(to, "service", r->challenge.service, strlen(r->challenge.service), &separator);
    write_parameter(to, "scope", r->challenge.scope, strlen(r->challenge.scope), &separator);
    write_parameter(to, "refresh_token", r->login.refresh, strlen(r->login.refresh), &separator);
}

/* Makes the request that exchanges the refresh token for an access token: by POST (OAuth 2). */
static int ask_by_refresh(const struct repository *r, struct http_request *ret)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return -ENOMEM;
    write_form(to, r);
    ret->method = "POST";
    ret->url = strdup(r->challenge.realm);
    if (text_close(to, &text) < 0 || !ret->url) {
        free(text);
        return -ENOMEM;
    }
    request_text(ret, text, n);
    int result = request_header(ret, "Content-Type: application/x-www-form-urlencoded");
    return result < 0 ? result : 1;
}

static int ask_for_token(const struct repository *r, struct http_request *ret)
{
    if (r->login.refresh)
        return ask_by_refresh(r, ret);
    ret->method = "GET";
    ret->url = token_url(r);
    if (!ret->url)
        return -ENOMEM;
    int result = r->login.user ? add_basic(r, ret) : 0;
    return result < 0 ? result : 1;
}

static int repository_prepare(struct session *session, struct course *course, const struct http_request *wanted,
                              struct http_request *ret)
{
    struct repository *r = (struct repository *)session;
    if (r->wants_token)
        return ask_for_token(r, ret);
    int result = request_copy(ret, wanted);
    if (result < 0)
        return result;
    if (ret->url[0] == '/') {
        char *url = whole_url(r, ret->url);
        if (!url)
            return -ENOMEM;
        free(ret->url);
        ret->url = url;
    }
    course->generation = r->generation;
    course->own = is_own(r, ret->url);
    return r->authorization && course->own ? request_header(ret, "Authorization: %s", r->authorization) : 0;
}

/* ---- answers ---- */

static int authorize(struct repository *r, const char *kind, const char *value)
{
    size_t n = strlen(kind) + strlen(value) + 2;
    char *text = malloc(n);
    if (!text)
        return -ENOMEM;
    snprintf(text, n, "%s %s", kind, value);
    free(r->authorization);
    r->authorization = text;
    r->generation++;
    return 1;
}

static int take_token(struct repository *r, const struct answer *answer, const char *body, size_t n,
                      const char **ret_why)
{
    json_t *whole = NULL;
    r->wants_token = false;
    if (answer->status >= 400)
        return 0;
    *ret_why = "the server of tokens sent none";
    if (answer->status == 200 && json_read(&whole, body, n) == -ENOMEM) {
        *ret_why = "out of memory";
        return -ENOMEM;
    }
    const char *token = json_string_value(json_object_get(whole, "token"));
    if (!token)
        token = json_string_value(json_object_get(whole, "access_token"));
    int result = token && *token ? authorize(r, "Bearer", token) : -EPROTO;
    json_decref(whole);
    return result;
}

static int take_challenge(struct repository *r, struct course *course, const struct answer *answer,
                          const char **ret_why)
{
    if (course->generation != r->generation)
        return 1; /* another request has fetched a new one in the meantime */
    if (course->granted)
        return 0;
    course->granted = true;
    challenge_parse(&r->challenge, answer->challenge);
    if (r->challenge.kind == CHALLENGE_BEARER) {
        *ret_why = "the registry wants a password to be sent without TLS";
        r->wants_token = true;
        return r->tls && strncmp(r->challenge.realm, "https://", 8) != 0 ? -EPROTO : 1;
    }
    if (r->challenge.kind != CHALLENGE_BASIC || !r->login.user)
        return 0;
    *ret_why = "out of memory";
    char *text = login_basic(&r->login);
    int result = text ? authorize(r, "Basic", text) : -ENOMEM;
    free(text);
    return result;
}

static int repository_refused(struct session *session, struct course *course, const struct answer *answer,
                              const char *body, size_t n, const char **ret_why)
{
    struct repository *r = (struct repository *)session;
    if (course->errand)
        return take_token(r, answer, body, n, ret_why);
    if (answer->status == 400 && !r->tls && !r->reached) { /* the message of a server that wants TLS */
        r->tls = r->reached = true;
        return 1;
    }
    r->reached = true;
    return answer->status == 401 ? take_challenge(r, course, answer, ret_why) : 0;
}

static void repository_succeeded(struct session *session)
{
    ((struct repository *)session)->reached = true;
}

static void repository_free(struct session *session)
{
    struct repository *r = (struct repository *)session;
    reference_clear(&r->reference);
    login_clear(&r->login);
    free(r->authorization);
    free(r);
}

static const struct session_ops repository_ops = {
    .prepare = repository_prepare,
    .refused = repository_refused,
    .succeeded = repository_succeeded,
    .free = repository_free,
};

/* ---- from outside ---- */

int repository_new(struct session **ret, const struct reference *reference, bool insecure, struct leat_error *error)
{
    struct repository *r = calloc(1, sizeof(*r));
    char *file;
    if (!r || reference_copy(&r->reference, reference) < 0) {
        free(r);
        return error_set(error, -ENOMEM, "out of memory");
    }
    r->session.ops = &repository_ops;
    atomic_init(&r->session.refs, 1);
    r->tls = !insecure && !reference_is_loopback(reference);
    int result = login_find(&r->login, reference->host, reference->name, &file);
    if (result < 0) {
        char buffer[128];
        error_set(error, result, "%.120s: %s", file ? file : "logins of registries",
                  result == -EBADMSG     ? "no logins that can be read"
                  : result == -ETIMEDOUT ? "the credential helper that it names did not end in 30 seconds"
                                         : error_text(result, buffer, sizeof(buffer)));
        free(file);
        repository_free(&r->session);
        return result;
    }
    *ret = &r->session;
    return 0;
}

int repository_request(struct session *session, struct http_request *ret, const char *method, const char *path, ...)
{
    const struct repository *r = (const struct repository *)session;
    char *text = NULL;
    size_t n;
    va_list arguments;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return -ENOMEM;
    fprintf(to, "/v2/%s/", r->reference.name);
    va_start(arguments, path);
    vfprintf(to, path, arguments);
    va_end(arguments);
    if (text_close(to, &text) < 0)
        return -ENOMEM;
    ret->method = method;
    ret->url = text;
    ret->session = session_ref(session);
    return 0;
}

bool repository_is_silent(const struct session *session)
{
    return atomic_load(&((const struct repository *)session)->silent);
}

void repository_note_silence(struct session *session)
{
    atomic_store(&((struct repository *)session)->silent, true);
}

void repository_explain(const char *body, size_t n, char *ret, size_t capacity)
{
    json_error_t problem;
    ret[0] = '\0';
    json_t *whole = n ? json_loadb(body, n, 0, &problem) : NULL;
    json_t *first = json_array_get(json_object_get(whole, "errors"), 0);
    const char *code = json_string_value(json_object_get(first, "code"));
    const char *message = json_string_value(json_object_get(first, "message"));
    if (code || message)
        snprintf(ret, capacity, "%s%s%s", code ? code : "", code && message ? ": " : "", message ? message : "");
    quote_mask(ret);
    json_decref(whole);
}
