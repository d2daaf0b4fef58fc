/* SPDX-License-Identifier: MIT */
/* Lists and removes what registries have: tags of a repository, repositories of a registry, and what a name refers
 * to. */
#include "store/names.h"
#include "base/json.h"
#include "base/text.h"
#include "store/ask.h"
#include "store/circle.h"
#include "store/headers.h"
#include "store/http_settings.h"
#include "store/oci/ask.h"
#include "store/oci/link.h"
#include "store/oci/repository.h"
#include "store/redirect.h"
#include "store/status.h"
#include "store/url.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#define PAGE_MOST (16u * 1024 * 1024)

static const char media_types[] =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

/* A call in progress. */
struct oci_visit {
    const struct names_call *call;
    struct reference reference;
    bool is_catalog;
    struct session *session;
    struct http_settings *settings;
    struct question question;
    struct headers headers;
    struct exchange *exchange;
};

static int make(void *user, struct http_request *ret)
{
    const struct oci_visit *v = user;
    int r = question_request(&v->question, ret);
    return r == 0 && strncmp(v->question.path, "manifests/", 10) == 0 ? request_header(ret, "Accept: %s", media_types)
                                                                      : r;
}

static int ask_registry(struct oci_visit *v, const char *method, const char *path, bool is_location,
                        struct leat_error *error)
{
    char sentence[STATUS_MAX];
    v->question = (struct question){
        .repository = v->session, .method = method, .path = path, .is_location = is_location, .first = UINT64_MAX};
    free(v->exchange->page);
    headers_clear(&v->headers);
    *v->exchange = (struct exchange){.page_most = PAGE_MOST,
                                     .settings = v->settings,
                                     .header = headers_line,
                                     .header_user = &v->headers,
                                     .deadline_ns = v->call->deadline_ns};
    int r = ask(v->exchange, make, v, v->call->options->retries);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", method, "the request can't be made");
    if (v->exchange->code == 0 && exchange_has_succeeded(v->exchange))
        return v->headers.failed ? error_set(error, -ENOMEM, "out of memory") : 0;
    r = registry_refusal(v->exchange, sentence, sizeof(sentence));
    if (v->exchange->code == 0 && (v->exchange->answer.status == 405 || v->exchange->answer.status == 501))
        r = -EOPNOTSUPP;
    return error_at(error, r, LEAT_SIDE_NONE, "", method, "%s", sentence);
}

/* ---- names ---- */

static int parse_name(struct oci_visit *v, struct leat_error *error)
{
    const char *rest = v->call->rest, *why = "write oci://HOST/NAME";
    char text[300];
    int r = strncmp(rest, "//", 2) == 0 ? 0 : -EINVAL;
    size_t host = r == 0 ? strcspn(rest + 2, "/") : 0;
    v->is_catalog = r == 0 && (rest[2 + host] == '\0' || rest[3 + host] == '\0');
    if (v->is_catalog) {
        int n = snprintf(text, sizeof(text), "%.*s/x", (int)MIN(host, sizeof(text)), rest + 2);
        r = n < (int)sizeof(text) ? reference_parse(&v->reference, text, &why) : -EINVAL;
    } else if (r == 0)
        r = reference_parse(&v->reference, rest + 2, &why);
    return r < 0 ? error_set(error, r, r == -ENOMEM ? "out of memory" : "'%s' names nothing: %s", v->call->node, why)
                 : 0;
}

static int enter(struct oci_visit *v, struct leat_error *error)
{
    const char *why = NULL;
    v->exchange = calloc(1, sizeof(*v->exchange));
    int r = v->exchange ? repository_new(&v->session, &v->reference, v->call->options->insecure != 0, error)
                        : error_set(error, -ENOMEM, "out of memory");
    if (r == 0)
        r = http_settings_new(&v->settings, v->call->options->endpoint, error);
    if (r < 0) {
        session_unref(v->session);
        v->session = NULL;
    }
    if (r == 0 && (r = transfers_get(&why)) < 0) {
        session_unref(v->session);
        v->session = NULL;
        error_set(error, r, "%s", why);
    }
    return r;
}

static void leave(struct oci_visit *v)
{
    if (v->session) {
        session_unref(v->session);
        transfers_put();
    }
    if (v->exchange)
        free(v->exchange->page);
    free(v->exchange);
    http_settings_unref(v->settings);
    headers_clear(&v->headers);
    reference_clear(&v->reference);
}

/* ---- lists ---- */

static int tell_name(const struct oci_visit *v, const char *name, struct leat_error *error)
{
    const struct reference *r = &v->reference;
    size_t n = strlen(r->host) + strlen(r->name) + strlen(name) + sizeof("oci:////:");
    char *spec = malloc(n);
    if (!spec)
        return error_set(error, -ENOMEM, "out of memory");
    if (v->is_catalog)
        snprintf(spec, n, "oci://%s/%s", r->host, name);
    else
        snprintf(spec, n, "oci://%s/%s:%s", r->host, r->name, name);
    const struct leat_store_entry entry = {.name = name,
                                           .spec = spec,
                                           .kind = v->is_catalog ? LEAT_STORE_REPOSITORY : LEAT_STORE_TAG,
                                           .bytes = LEAT_STORE_SIZE_UNKNOWN,
                                           .modified_s = LEAT_STORE_TIME_UNKNOWN};
    int told = names_tell(v->call, &entry, error);
    free(spec);
    return told;
}

static int tell_page(const struct oci_visit *v, struct leat_error *error)
{
    size_t i;
    json_t *name, *whole = NULL;
    const struct exchange *x = v->exchange;
    if (x->page && json_read(&whole, x->page, x->page_length) == -ENOMEM)
        return error_set(error, -ENOMEM, "out of memory");
    json_t *names = json_object_get(whole, v->is_catalog ? "repositories" : "tags");
    int r = json_is_array(names) || json_is_null(names) ? 0 : -EBADMSG;
    json_array_foreach(names, i, name)
    {
        if (r == 0 && !json_is_string(name))
            r = -EBADMSG;
        if (r == 0)
            r = tell_name(v, json_string_value(name), error);
    }
    json_decref(whole);
    return r == -EBADMSG ? error_at(error, r, LEAT_SIDE_NONE, "", "GET", "the registry's list can't be read") : r;
}

/* Resolves a link on the page `path`: *path becomes its target, or NULL if there is none. Only the path and the query
 * of the link count, because a registry behind a proxy may not know its own host. */
static int follow_link(const char *link, char **path)
{
    static const char host[] = "http://registry"; /* any one */
    const char *why, *at;
    char *target = NULL, *url = NULL, *base = text_join(host, *path, "");
    int r = base ? link_next(link, &target) : -ENOMEM;
    free(*path);
    *path = NULL;
    if (r == 0 && target)
        r = redirect_resolve(&url, base, target, &why);
    if (r == 0 && url) {
        size_t n = url_host(url, &at);
        *path = strdup(at[n] == '/' ? at + n : "/");
        r = *path ? 0 : -ENOMEM;
    }
    free(url);
    free(target);
    free(base);
    return r;
}

/* Sets *path to the next page after the one that was read, or NULL. */
static int next_page(struct oci_visit *v, char **path, struct circle *circle, struct leat_error *error)
{
    if (!v->headers.link) {
        free(*path);
        *path = NULL;
        return 0;
    }
    int r = follow_link(v->headers.link, path);
    if (r < 0)
        return r == -ENOMEM ? error_set(error, r, "out of memory")
                            : error_at(error, -EBADMSG, LEAT_SIDE_NONE, "", "GET",
                                       "the registry names the next page of its list by a Link that can't be read");
    r = *path ? circle_check(circle, *path) : 0;
    if (r == -EBADMSG)
        error_at(error, r, LEAT_SIDE_NONE, "", "GET", "the registry's list leads back to a page that it had before");
    return r == -ENOMEM ? error_set(error, r, "out of memory") : r;
}

static int list_pages(struct oci_visit *v, struct leat_error *error)
{
    struct circle circle = {.mark = NULL};
    char *path =
        v->is_catalog ? strdup("/v2/_catalog?n=1000") : text_join("/v2/", v->reference.name, "/tags/list?n=1000");
    int r = path ? 0 : error_set(error, -ENOMEM, "out of memory");
    while (r == 0 && path) {
        r = ask_registry(v, "GET", path, true, error);
        if (r == 0)
            r = tell_page(v, error);
        if (r == 0)
            r = next_page(v, &path, &circle, error);
    }
    circle_clear(&circle);
    free(path);
    return r;
}

static int list_names(const struct names_call *call, struct leat_error *error)
{
    struct oci_visit v = {.call = call, .headers.modified_s = LEAT_STORE_TIME_UNKNOWN};
    int r = parse_name(&v, error);
    if (r == 0 && (v.reference.tag || v.reference.digest[0]))
        r = error_set(error, -EINVAL, "'%s' names an image, and not a repository", call->node);
    if (r == 0)
        r = enter(&v, error);
    if (r == 0)
        r = list_pages(&v, error);
    leave(&v);
    return r;
}

/* ---- one image or blob ---- */

#define PATH_MAX_BYTES (OCI_DIGEST_MAX + 16)

/* A digest may be that of a manifest or of a blob. If one does not exist, the other is asked for. *ret_removed: one of
 * them may have existed before this call removed it. */
static int try_both(struct oci_visit *v, const char *method, const char *const kinds[2], bool *ret_removed,
                    struct leat_error *error)
{
    const char *what = v->reference.digest[0] ? v->reference.digest : v->reference.tag;
    char path[PATH_MAX_BYTES];
    struct leat_error first = {.size = sizeof(first)};
    snprintf(path, sizeof(path), "%s/%s", v->reference.digest[0] ? kinds[0] : "manifests", what);
    int r = ask_registry(v, method, path, false, &first);
    *ret_removed = exchange_has_removed(v->exchange);
    if (r == -ENOENT && v->reference.digest[0]) {
        snprintf(path, sizeof(path), "%s/%s", kinds[1], what);
        r = ask_registry(v, method, path, false, error);
        *ret_removed |= exchange_has_removed(v->exchange);
        return r;
    }
    return r < 0 ? error_hand_on(error, &first) : 0;
}

static int look(struct oci_visit *v, struct leat_error *error)
{
    static const char *const kinds[] = {"blobs", "manifests"};
    bool unused;
    int r = try_both(v, "HEAD", kinds, &unused, error);
    if (r < 0)
        return r;
    struct leat_store_entry entry = {.name = v->reference.digest[0] ? v->reference.digest : v->reference.tag,
                                     .spec = v->call->spec,
                                     .kind = v->reference.digest[0] ? LEAT_STORE_OBJECT : LEAT_STORE_TAG};
    headers_entry(&v->headers, &v->exchange->answer, &entry);
    return names_tell(v->call, &entry, error);
}

static int stat_name(const struct names_call *call, struct leat_error *error)
{
    struct oci_visit v = {.call = call, .headers.modified_s = LEAT_STORE_TIME_UNKNOWN};
    int r = parse_name(&v, error);
    if (r == 0 && !v.reference.tag && !v.reference.digest[0])
        r = error_set(error, -EINVAL, "'%s' names no image: write oci://HOST/NAME:TAG or oci://HOST/NAME@DIGEST",
                      call->node);
    if (r == 0)
        r = enter(&v, error);
    if (r == 0)
        r = look(&v, error);
    leave(&v);
    return r;
}

static int check_name(const struct names_call *call, struct leat_error *error)
{
    struct oci_visit v = {.call = call};
    if (call->options->recursive)
        return error_set(error, -EOPNOTSUPP, "What a registry has is removed by its digests alone");
    int r = parse_name(&v, error);
    if (r == 0 && (v.reference.tag || !v.reference.digest[0]))
        r = error_set(error, -EINVAL, "'%s' is removed by its digest alone: write oci://HOST/NAME@sha256:HEX",
                      call->node);
    reference_clear(&v.reference);
    return r;
}

static int remove_one(const struct names_call *call, struct leat_error *error)
{
    static const char *const kinds[] = {"manifests", "blobs"};
    struct oci_visit v = {.call = call, .headers.modified_s = LEAT_STORE_TIME_UNKNOWN};
    int r = parse_name(&v, error);
    if (r == 0)
        r = enter(&v, error);
    struct leat_error own = {.size = sizeof(own)};
    bool removed = false;
    if (r == 0 && (r = try_both(&v, "DELETE", kinds, &removed, &own)) < 0)
        r = r == -ENOENT && removed ? 0 : error_hand_on(error, &own);
    leave(&v);
    return r;
}

static int remove_names(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct leat_error own = {.size = sizeof(own)};
        if (remove_one(&calls[i], &own) < 0)
            names_failed(&calls[i], removal, calls[i].spec, &own);
        else
            r = names_removed(&calls[i], removal, calls[i].spec, calls[i].spec, error);
    }
    return r;
}

const struct names oci_names = {.list = list_names, .stat = stat_name, .check = check_name, .remove = remove_names};
