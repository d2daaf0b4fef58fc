/* The name of an object is taken as it stands: the key is all that follows BUCKET/, without decoding. Only
 * "?versionId=..." at its end is not part of the key. */
#include "store/s3/s3.h"
#include "store/s3/error.h"
#include "store/s3/object.h"
#include "store/s3/sign.h"
#include "store/url.h"
#include <errno.h>

int s3_request(const struct s3_object *o, const char *method, const char *query, const char *payload,
               struct http_request *ret)
{
    struct signing signing = {.credentials = &o->credentials,
                              .region = o->region,
                              .service = "s3",
                              .host = o->host,
                              .path = o->path,
                              .query = query,
                              .payload = payload,
                              .when = time(NULL)};
    ret->method = method;
    size_t n = strlen(o->scheme) + strlen(o->host) + strlen(o->path) + strlen(query) + sizeof("://?");
    ret->url = malloc(n);
    if (!ret->url)
        return -ENOMEM;
    snprintf(ret->url, n, "%s://%s%s%s%s", o->scheme, o->host, o->path, query[0] ? "?" : "", query);
    return sign_request(ret, &signing);
}

static int s3_read(const struct object *object, struct http_request *ret)
{
    const struct s3_object *o = (const struct s3_object *)object;
    int r = request_header(ret, "x-amz-checksum-mode: ENABLED");
    return r < 0 ? r : s3_request(o, "GET", o->query, SIGN_EMPTY, ret);
}

static void s3_free(struct object *object)
{
    struct s3_object *o = (struct s3_object *)object;
    free(o->scheme);
    free(o->host);
    free(o->path);
    free(o->query);
    free(o->region);
    memset(&o->credentials, 0, sizeof(o->credentials));
    free(o);
}

static const struct store s3 = {
    .name = "s3",
    .etag_is_md5 = true,
    .read = s3_read,
    .explain = s3_error_explain,
    .free = s3_free,
    .head = s3_head,
    .put = s3_put,
    .is_passing = s3_error_is_passing,
    .multipart = &s3_multipart,
};

/* ---- the name ---- */

struct name {
    const char *bucket, *key, *version; /* version NULL: the latest */
    size_t bucket_length, key_length;
};

static int split_name(struct name *ret, const char *rest)
{
    static const char mark[] = "?versionId=";
    if (strncmp(rest, "//", 2) != 0)
        return -EINVAL;
    ret->bucket = rest + 2;
    ret->bucket_length = strcspn(ret->bucket, "/");
    ret->key = ret->bucket + ret->bucket_length;
    if (ret->bucket_length == 0 || ret->key[0] == '\0' || ret->key[1] == '\0')
        return -EINVAL;
    ret->key++;
    ret->version = NULL;
    for (const char *at = ret->key; (at = strstr(at, mark)); at++)
        ret->version = at;
    ret->key_length = ret->version ? (size_t)(ret->version - ret->key) : strlen(ret->key);
    ret->version = ret->version ? ret->version + sizeof(mark) - 1 : NULL;
    return ret->key_length ? 0 : -EINVAL;
}

/* Letters, digits, dots and dashes alone: what a host name may have, and a bucket. */
static bool is_bucket(const struct name *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return strspn(name->bucket, allowed) >= name->bucket_length;
}

/* Small letters, digits and dashes: one label of a host name, for which Amazon has a certificate. */
static bool is_label(const struct name *name)
{
    return strspn(name->bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") >= name->bucket_length &&
           name->bucket_length <= 63;
}

/* ---- the endpoint ---- */

static const char *first_variable(const char *const *names)
{
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && *value)
            return value;
    }
    return NULL;
}

static char *text_of(void (*write)(FILE *to, const struct name *name, const char *prefix), const struct name *name,
                     const char *prefix)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    write(to, name, prefix);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The path of an endpoint may be a prefix. */
static void write_bucket_path(FILE *to, const struct name *name, const char *prefix)
{
    fprintf(to, "%.*s/%.*s/", (int)(strlen(prefix) - 1), prefix, (int)name->bucket_length, name->bucket);
    url_encode(to, name->key, name->key_length, true);
}

static void write_path(FILE *to, const struct name *name, const char *prefix UNUSED)
{
    fputc('/', to);
    url_encode(to, name->key, name->key_length, true);
}

static void write_query(FILE *to, const struct name *name, const char *prefix UNUSED)
{
    if (name->version) {
        fputs("versionId=", to);
        url_encode(to, name->version, strlen(name->version), false);
    }
}

/* A store that is named by a URL gets the bucket in the path; Amazon's gets it in the host name, if that may be one. */
static int find_place(struct s3_object *o, const struct name *name, struct leat_error *error)
{
    static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL};
    const char *endpoint = first_variable(endpoints);
    struct url url = {0};
    if (endpoint) {
        int r = url_parse(&url, endpoint);
        if (r < 0)
            return error_set(error, r, "AWS_ENDPOINT_URL is no URL: '%s'; write http://HOST:PORT", endpoint);
        if (url.path[strlen(url.path) - 1] != '/') {
            url_clear(&url);
            return error_set(error, -EINVAL, "The path of AWS_ENDPOINT_URL must end in a slash");
        }
        o->scheme = url.scheme;
        o->host = url.host;
        o->path = text_of(write_bucket_path, name, url.path);
        free(url.path);
    } else {
        bool label = is_label(name);
        char host[512];
        snprintf(host, sizeof(host), "%.*s%ss3.%s.amazonaws.com%s", label ? (int)name->bucket_length : 0, name->bucket,
                 label ? "." : "", o->region, strncmp(o->region, "cn-", 3) == 0 ? ".cn" : "");
        o->scheme = strdup("https");
        o->host = strdup(host);
        o->path = label ? text_of(write_path, name, NULL) : text_of(write_bucket_path, name, "/");
    }
    o->query = text_of(write_query, name, NULL);
    return o->scheme && o->host && o->path && o->query ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int describe(struct s3_object *o, const char *spec, const char *rest, struct leat_error *error)
{
    static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    const char *region = first_variable(regions), *why;
    struct name name;
    if (split_name(&name, rest) < 0 || !is_bucket(&name))
        return error_set(error, -EINVAL, "'%s' names no object: write s3://BUCKET/KEY", spec);
    int r = credentials_find(&o->credentials, &why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    o->region = strdup(region ? region : "us-east-1");
    return o->region ? find_place(o, &name, error) : error_set(error, -ENOMEM, "out of memory");
}

int s3_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct s3_object *o = calloc(1, sizeof(*o));
    if (!o)
        return error_set(error, -ENOMEM, "out of memory");
    o->object.store = &s3;
    int r = describe(o, spec, rest, error);
    if (r == 0 && direction == LEAT_WRITE && o->query && o->query[0])
        r = error_set(error, -EINVAL, "'%s' names a version, which the store chooses itself", spec);
    if (r < 0) {
        s3_free(&o->object);
        return r;
    }
    return direction == LEAT_WRITE ? store_sink(ret, spec, &o->object, options, error)
                                   : store_source(ret, spec, &o->object, options, error);
}
