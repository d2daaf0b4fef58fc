/* SPDX-License-Identifier: MIT */
#include "store/s3/place.h"
#include "base/error.h"
#include "base/text.h"
#include "store/http_settings.h"
#include "store/s3/error.h"
#include "store/s3/sign.h"
#include "store/url.h"
#include <errno.h>
#include <strings.h>

/* ---- the name ---- */

/* Does the text have only letters, digits, dots and dashes, as a host name and a bucket have? */
static bool is_bucket(const struct s3_name *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return name->bucket_length && strspn(name->bucket, allowed) >= name->bucket_length;
}

static const char mark[] = "?versionId=";

int s3_name_split(struct s3_name *ret, const char *rest)
{
    if (strncmp(rest, "//", 2) != 0)
        return -EINVAL;
    *ret = (struct s3_name){.bucket = rest + 2};
    ret->bucket_length = strcspn(ret->bucket, "/");
    ret->key = ret->bucket + ret->bucket_length;
    ret->key += *ret->key == '/';
    for (const char *at = ret->key; (at = strstr(at, mark)); at++)
        ret->version = at;
    ret->key_length = ret->version ? (size_t)(ret->version - ret->key) : strlen(ret->key);
    ret->version = ret->version && ret->version[sizeof(mark) - 1] ? ret->version + sizeof(mark) - 1 : NULL;
    return is_bucket(ret) ? 0 : -EINVAL;
}

bool s3_name_is_prefix(const struct s3_name *name)
{
    const char *first = strstr(name->key, mark);
    return !name->version && (!first || first < name->key + name->key_length);
}

char *s3_name_query(const struct s3_name *name)
{
    char *text = NULL;
    size_t n;
    FILE *to = name->version ? open_memstream(&text, &n) : NULL;
    if (!to)
        return name->version ? NULL : strdup("");
    fputs("versionId=", to);
    url_encode(to, name->version, strlen(name->version), false);
    return text_close(to, &text) < 0 ? NULL : text;
}

/* Are there only small letters, digits and dashes? Then it is one label of a host name, which Amazon's certificate
 * covers. */
static bool is_label(const struct s3_name *name)
{
    return strspn(name->bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") >= name->bucket_length &&
           name->bucket_length <= 63;
}

/* ---- where it is ---- */

static const char *first_variable(const char *const *names)
{
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && *value)
            return value;
    }
    return NULL;
}

static char *join(const char *a, const char *b, size_t b_length, const char *c)
{
    size_t n = strlen(a) + b_length + strlen(c) + 1;
    char *text = malloc(n);
    if (text)
        snprintf(text, n, "%s%.*s%s", a, (int)b_length, b, c);
    return text;
}

/* Puts the bucket before the host of a URL; the host must be a name. */
static int take_virtual(struct s3_place *p, const char *path, const struct s3_name *name, struct leat_error *error)
{
    if (!is_label(name) || p->host[0] == '[' || p->host[strspn(p->host, "0123456789.")] == ':' ||
        p->host[strspn(p->host, "0123456789.")] == '\0')
        return error_set(error, -EINVAL, "The bucket '%.*s' can't be part of the host name %s",
                         (int)name->bucket_length, name->bucket, p->host);
    char *host = join("", name->bucket, name->bucket_length, "."), *whole = host ? join(host, "", 0, p->host) : NULL;
    free(host);
    free(p->host);
    p->host = whole;
    p->folder = strdup(path);
    return 0;
}

/* A store that is given by a URL. The URL may have a path. */
static int take_endpoint(struct s3_place *p, const char *endpoint, const struct s3_name *name, bool is_virtual,
                         struct leat_error *error)
{
    struct url url;
    int r = url_parse(&url, endpoint);
    if (r < 0)
        return error_set(error, r, "AWS_ENDPOINT_URL is no URL, or has a login: write http://HOST:PORT");
    p->scheme = url.scheme;
    p->host = url.host;
    if (url.path[strlen(url.path) - 1] != '/')
        r = error_set(error, -EINVAL, "The path of AWS_ENDPOINT_URL must end in a slash");
    else if (is_virtual)
        r = take_virtual(p, url.path, name, error);
    else
        p->folder = join(url.path, name->bucket, name->bucket_length, "/");
    free(url.path);
    return r;
}

/* Amazon's store has the bucket in the host name, if the bucket can be a part of one. */
static void take_amazon(struct s3_place *p, const struct s3_name *name, bool is_path)
{
    bool label = is_label(name) && !is_path;
    char domain[256];
    snprintf(domain, sizeof(domain), "%ss3.%.200s.amazonaws.com%s", label ? "." : "", p->region,
             strncmp(p->region, "cn-", 3) == 0 ? ".cn" : "");
    p->scheme = strdup("https");
    p->host = join("", name->bucket, label ? name->bucket_length : 0, domain);
    p->folder = label ? strdup("/") : join("/", name->bucket, name->bucket_length, "/");
}

static int take_place(struct s3_place *p, const struct profile *profile, const struct s3_name *name,
                      struct leat_error *error)
{
    static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL};
    const char *region = first_variable(regions), *endpoint = first_variable(endpoints);
    const char *given = getenv("AWS_S3_ADDRESSING_STYLE"), *style = given && *given ? given : profile->addressing;
    int r = 0;
    if (*style && strcmp(style, "auto") != 0 && strcmp(style, "path") != 0 && strcmp(style, "virtual") != 0)
        return error_set(error, -EINVAL, "The addressing style of S3 is path, virtual or auto, not '%s'", style);
    if (!region)
        region = profile->region[0] ? profile->region : "us-east-1";
    if (!endpoint && profile->endpoint[0])
        endpoint = profile->endpoint;
    p->region = strdup(region);
    if (p->region && endpoint)
        r = take_endpoint(p, endpoint, name, strcmp(style, "virtual") == 0, error);
    else if (p->region)
        take_amazon(p, name, strcmp(style, "path") == 0);
    if (r < 0)
        return r;
    return p->region && p->scheme && p->host && p->folder ? 0 : error_set(error, -ENOMEM, "out of memory");
}

int s3_place_find(struct s3_place *ret, const struct s3_name *name, struct leat_error *error)
{
    struct profile *profile = malloc(sizeof(*profile));
    const char *why;
    ret->clock = calloc(1, sizeof(*ret->clock));
    if (!profile || !ret->clock) {
        free(profile);
        return error_set(error, -ENOMEM, "out of memory");
    }
    int r = profile_find(profile, &why);
    if (r < 0)
        error_set(error, r, "%s", why);
    else if ((r = take_place(ret, profile, name, error)) == 0)
        r = keyring_open(&ret->keyring, profile, error);
    profile_clear(profile);
    free(profile);
    return r;
}

void s3_place_explain(const struct s3_place *place, const char *body, size_t n, char *ret, size_t capacity)
{
    const char *said = keyring_said(place->keyring);
    s3_error_explain(body, n, ret, capacity);
    size_t length = strlen(ret);
    if (*said && strncmp(ret, "AccessDenied", 12) == 0)
        snprintf(ret + length, capacity - length, "; no credentials; asked were %s", said);
    if (s3_error_is_of_time(body, n))
        s3_clock_explain(place->clock, ret, capacity);
}

bool s3_place_is_passing(const struct s3_place *place, int status, int64_t date_s, const char *body, size_t n)
{
    bool told = s3_error_is_of_time(body, n);
    if ((told || (status == 403 && n == 0)) && s3_clock_correct(place->clock, date_s, told))
        return true;
    bool refused = status == 400 || status == 401 || status == 403;
    return s3_error_is_passing(body, n) ||
           (refused && keyring_has_expired(place->keyring, s3_error_is_expiry(body, n)));
}

void s3_place_clear(struct s3_place *place)
{
    free(place->scheme);
    free(place->host);
    free(place->folder);
    free(place->region);
    free(place->clock);
    keyring_free(place->keyring);
    http_settings_unref(place->settings);
    s3_extra_clear(&place->extra);
}

/* Is the connection encrypted, or inside this machine? */
static bool is_private(const struct s3_place *place)
{
    const char *host = place->host;
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    bool loopback = (n == 9 && strncasecmp(host, "localhost", n) == 0) || (n == 5 && strncmp(host, "[::1]", n) == 0) ||
                    (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= n);
    return loopback || strcmp(place->scheme, "https") == 0;
}

int s3_place_check_key(const struct s3_place *place, const struct s3_extra *extra, struct leat_error *error)
{
    if (s3_extra_has_key(extra) && !is_private(place))
        return error_set(error, -EINVAL, "A key for encryption is sent by https: alone, or to this machine");
    return 0;
}

int s3_place_settings(struct s3_place *place, const struct leat_endpoint_options *options, struct leat_error *error)
{
    int r = http_settings_new(&place->settings, options, error);
    if (r == 0)
        r = s3_extra_read(&place->extra, options, error);
    return r == 0 ? s3_place_check_key(place, &place->extra, error) : r;
}

char *s3_place_path(const struct s3_place *place, const char *key, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs(place->folder, to);
    url_encode(to, key, n, true);
    return text_close(to, &text) < 0 ? NULL : text;
}

int s3_place_request(const struct s3_place *place, const char *method, const char *path, const char *query,
                     const char *payload, struct http_request *ret)
{
    struct credentials credentials;
    struct signing signing = {.credentials = &credentials,
                              .region = place->region,
                              .service = "s3",
                              .host = place->host,
                              .path = path,
                              .query = query,
                              .payload = payload,
                              .when = (time_t)s3_clock_now(place->clock)};
    ret->method = method;
    size_t n = strlen(place->scheme) + strlen(place->host) + strlen(path) + strlen(query) + sizeof("://?");
    ret->url = malloc(n);
    if (!ret->url)
        return -ENOMEM;
    snprintf(ret->url, n, "%s://%s%s%s%s", place->scheme, place->host, path, query[0] ? "?" : "", query);
    int r = s3_extra_add(&place->extra, false, ret);
    ret->is_direct |= strcmp(place->scheme, "http") == 0 && s3_extra_is_shown(ret); /* a proxy would be on the path */
    keyring_get(place->keyring, &credentials);
    if (r == 0)
        r = sign_request(ret, &signing);
    memset(&credentials, 0, sizeof(credentials));
    return r;
}
