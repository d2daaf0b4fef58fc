/* SPDX-License-Identifier: MIT */
#include "store/s3/sign.h"
#include "base/libcrypto.h"
#include "base/text.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define HASH_BYTES 32
#define HASH_HEX   (2 * HASH_BYTES + 1)
#define SCOPE_MAX  128

static int hash(const char *bytes, size_t n, unsigned char ret[HASH_BYTES])
{
    const char *why;
    int r = libcrypto_need(&why);
    if (r < 0)
        return r;
    return crypto.digest(bytes, n, ret, NULL, crypto.sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int sign_hash(const char *bytes, size_t n, char ret[HASH_HEX])
{
    unsigned char value[HASH_BYTES];
    int r = hash(bytes, n, value);
    if (r == 0)
        text_hex(value, HASH_BYTES, ret);
    return r;
}

/* `key` and `ret` may be the same. */
static int authenticate(const void *key, size_t n, const char *text, unsigned char ret[HASH_BYTES])
{
    unsigned char bytes[HASH_BYTES];
    unsigned length;
    if (!crypto.hmac(crypto.sha256(), key, (int)n, (const unsigned char *)text, strlen(text), bytes, &length))
        return -ENOMEM;
    memcpy(ret, bytes, HASH_BYTES);
    return 0;
}

static int compare_headers(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    size_t n = strcspn(*x, ":"), m = strcspn(*y, ":");
    int order = memcmp(*x, *y, MIN(n, m));
    return order ? order : (n > m) - (n < m);
}

static bool is_signed(const char *header)
{
    return strncmp(header, "x-amz-", 6) == 0 || strncmp(header, "host:", 5) == 0;
}

/* Copies the signed headers' pointers, sorted by name. */
static size_t find_signed(const struct http_request *request, const char *ret[REQUEST_HEADERS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < request->headers; i++)
        if (is_signed(request->header[i]))
            ret[n++] = request->header[i];
    qsort(ret, n, sizeof(ret[0]), compare_headers);
    return n;
}

/* In a value, a run of spaces becomes one space, and spaces at both ends are removed. */
static void write_value(FILE *to, const char *value)
{
    bool blank = false, any = false;
    for (; *value; value++) {
        if (*value == ' ') {
            blank = true;
            continue;
        }
        if (blank && any)
            fputc(' ', to);
        fputc(*value, to);
        blank = false;
        any = true;
    }
}

static void write_names(FILE *to, const char *const *header, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(to, "%s%.*s", i ? ";" : "", (int)strcspn(header[i], ":"), header[i]);
}

static void write_canonical(FILE *to, const struct http_request *request, const struct signing *with)
{
    const char *header[REQUEST_HEADERS_MAX];
    size_t n = find_signed(request, header);
    fprintf(to, "%s\n%s\n%s\n", request->method, with->path, with->query);
    for (size_t i = 0; i < n; i++) {
        size_t name = strcspn(header[i], ":");
        fprintf(to, "%.*s:", (int)name, header[i]);
        write_value(to, header[i] + name + 1);
        fputc('\n', to);
    }
    fputc('\n', to);
    write_names(to, header, n);
    fprintf(to, "\n%s", with->payload);
}

/* Collects the output of `write` as a string from malloc; NULL: memory is short. */
static char *canonical(const struct http_request *request, const struct signing *with)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    write_canonical(to, request, with);
    return text_close(to, &text) == 0 ? text : NULL;
}

struct stamp {
    char day[9];   /* "20261128" */
    char time[17]; /* "20261128T120000Z" */
};

static struct stamp stamp_of(time_t when)
{
    struct stamp stamp = {"", ""};
    struct tm tm;
    if (gmtime_r(&when, &tm)) {
        strftime(stamp.day, sizeof(stamp.day), "%Y%m%d", &tm);
        strftime(stamp.time, sizeof(stamp.time), "%Y%m%dT%H%M%SZ", &tm);
    }
    return stamp;
}

/* The last signing key. It is the same for a day, for all requests with this secret, region and service, so that many
 * small objects need it computed once. Only the SHA-256 of these four is kept beside it. A forked child may find the
 * lock held for ever; then it computes its keys each time. */
static struct {
    pthread_mutex_t lock;
    bool is_set;
    unsigned char of[HASH_BYTES], key[HASH_BYTES];
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool find_last(const unsigned char of[HASH_BYTES], unsigned char ret[HASH_BYTES])
{
    if (pthread_mutex_trylock(&last.lock) != 0)
        return false;
    bool found = last.is_set && memcmp(last.of, of, HASH_BYTES) == 0;
    if (found)
        memcpy(ret, last.key, HASH_BYTES);
    pthread_mutex_unlock(&last.lock);
    return found;
}

static void keep_last(const unsigned char of[HASH_BYTES], const unsigned char key[HASH_BYTES])
{
    if (pthread_mutex_trylock(&last.lock) != 0)
        return;
    memcpy(last.of, of, HASH_BYTES);
    memcpy(last.key, key, HASH_BYTES);
    last.is_set = true;
    pthread_mutex_unlock(&last.lock);
}

/* The chain of HMACs: the secret, the day, the region, the service and "aws4_request". */
static int derive_key(const struct signing *with, const struct stamp *stamp, unsigned char ret[HASH_BYTES])
{
    char secret[4 + CREDENTIAL_MAX];
    const char *const links[] = {stamp->day, with->region, with->service, "aws4_request"};
    int n = snprintf(secret, sizeof(secret), "AWS4%s", with->credentials->secret);
    int r = authenticate(secret, (size_t)n, links[0], ret);
    for (size_t i = 1; i < COUNT(links) && r == 0; i++)
        r = authenticate(ret, HASH_BYTES, links[i], ret);
    memset(secret, 0, sizeof(secret));
    return r;
}

static int find_key(const struct signing *with, const struct stamp *stamp, const char *scope,
                    unsigned char ret[HASH_BYTES])
{
    char name[CREDENTIAL_MAX + SCOPE_MAX]; /* a scope has no newline, so two never look the same */
    unsigned char of[HASH_BYTES];
    int n = snprintf(name, sizeof(name), "%s\n%s", scope, with->credentials->secret);
    int r = hash(name, (size_t)n, of);
    memset(name, 0, sizeof(name));
    if (r < 0 || find_last(of, ret))
        return r;
    r = derive_key(with, stamp, ret);
    if (r == 0)
        keep_last(of, ret);
    return r;
}

/* The names of the signed headers are the last line but one of the canonical request. */
static void find_names(const char *canonical, const char **ret, int *ret_length)
{
    const char *end = strrchr(canonical, '\n'), *names = end;
    while (names[-1] != '\n')
        names--;
    *ret = names;
    *ret_length = (int)(end - names);
}

static int authorize(struct http_request *request, const struct signing *with, const struct stamp *stamp)
{
    char hex[HASH_HEX], scope[SCOPE_MAX], to_sign[SCOPE_MAX + 128];
    unsigned char key[HASH_BYTES];
    const char *names;
    int length;
    char *text CLEANUP_FREE = canonical(request, with);
    int r = text ? sign_hash(text, strlen(text), hex) : -ENOMEM;
    if (r < 0)
        return r;
    int n = snprintf(scope, sizeof(scope), "%s/%s/%s/aws4_request", stamp->day, with->region, with->service);
    if (n >= (int)sizeof(scope))
        return -EINVAL; /* no region is so long */
    snprintf(to_sign, sizeof(to_sign), "AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp->time, scope, hex);
    r = find_key(with, stamp, scope, key);
    if (r == 0)
        r = authenticate(key, HASH_BYTES, to_sign, key);
    if (r < 0)
        return r;
    text_hex(key, HASH_BYTES, hex);
    find_names(text, &names, &length);
    return request_header(request, "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%.*s, Signature=%s",
                          with->credentials->key, scope, length, names, hex);
}

int sign_request(struct http_request *request, const struct signing *with)
{
    struct stamp stamp = stamp_of(with->when);
    int r = request_header(request, "host: %s", with->host);
    if (!with->credentials->key[0])
        return r; /* anonymous */
    if (r == 0)
        r = request_header(request, "x-amz-content-sha256: %s", with->payload);
    if (r == 0)
        r = request_header(request, "x-amz-date: %s", stamp.time);
    if (r == 0 && with->credentials->token[0])
        r = request_header(request, "x-amz-security-token: %s", with->credentials->token);
    return r < 0 ? r : authorize(request, with, &stamp);
}
