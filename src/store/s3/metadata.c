/* SPDX-License-Identifier: MIT */
/* The sources that are HTTP endpoints: that of containers, and that of instances (its version 2, which gives a token
 * first). They are on this machine, so requests to them use no proxy. */
#include "base/fd.h"
#include "base/text.h"
#include "store/ask.h"
#include "store/s3/credentials.h"
#include "store/url.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define PATIENCE_NS       1000000000 /* time limit for each answer of an instance; each request is sent once */
#define CONTAINER_NS      INT64_C(5000000000)
#define CONTAINER_RETRIES 2
#define SECRET_MAX        8192 /* a token to send, with its NUL */

struct errand {
    const char *method, *url;
    const char *header; /* "Name: " of the token; NULL: none */
    const char *token;
    int64_t patience_ns;
    int32_t retries;
};

static int make(void *user, struct http_request *ret)
{
    const struct errand *e = user;
    ret->method = e->method;
    ret->is_direct = true;
    ret->deadline_ns = clock_ns() + e->patience_ns;
    ret->has_body = strcmp(e->method, "PUT") == 0;
    if (ret->has_body)
        ret->body = (struct http_body){.bytes = "", .fd = -1};
    ret->url = strdup(e->url);
    if (!ret->url)
        return -ENOMEM;
    return e->header ? request_header(ret, "%s%s", e->header, e->token) : 0;
}

/* The struct behind exchange.of. */
struct wish {
    const atomic_bool *stop;
};

static bool is_wanted(void *of)
{
    const struct wish *wish = of;
    return !wish->stop || !atomic_load(wish->stop);
}

/* Sends the request. The body of the answer is in *x and ends with a NUL. */
static int ask_endpoint(const struct errand *e, struct exchange *x, char said[SAID_MAX])
{
    struct errand copy = *e;
    void *wish = x->of;
    memset(x, 0, sizeof(*x));
    x->is_wanted = is_wanted;
    x->of = wish;
    int r = ask(x, make, &copy, e->retries);
    if (r < 0)
        snprintf(said, SAID_MAX, "it can't be asked");
    else if (x->code < 0)
        snprintf(said, SAID_MAX, "%.100s", x->code == -ETIMEDOUT ? "no answer in time" : x->why);
    else if (x->answer.status != 200)
        snprintf(said, SAID_MAX, "it answers %d", x->answer.status);
    else if (x->body_length >= sizeof(x->body))
        snprintf(said, SAID_MAX, "its answer is too long");
    else {
        x->body[x->body_length] = '\0';
        return 0;
    }
    return r < 0 ? r : x->code < 0 ? x->code : -EPROTO;
}

/* Runs `work` as a user of the transfer thread, with room for an answer. */
static int with_transfers(int (*work)(struct exchange *x, struct credentials *ret, char said[SAID_MAX]),
                          struct credentials *ret, char said[SAID_MAX], const atomic_bool *stop)
{
    struct wish wish = {stop};
    const char *why;
    struct exchange *x = calloc(1, sizeof(*x));
    int r = x ? transfers_get(&why) : -ENOMEM;
    if (r < 0)
        snprintf(said, SAID_MAX, "%s", x ? why : "out of memory");
    else {
        x->of = &wish;
        r = work(x, ret, said);
        transfers_put();
    }
    if (x)
        memset(x, 0, sizeof(*x));
    free(x);
    return r;
}

static int read_answer(struct credentials *ret, const struct exchange *x, char said[SAID_MAX])
{
    int r = credentials_read(ret, x->body, x->body_length, "Token");
    if (r < 0)
        snprintf(said, SAID_MAX, "it gives no key and secret, or no date that can be read");
    return r < 0 ? r : 1;
}

/* ---- containers ---- */

#define CONTAINER_ENDPOINT "http://169.254.170.2"

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Without TLS the token is sent to this machine only. */
static bool is_safe(const char *text)
{
    static const char *const hosts[] = {"localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]"};
    struct url url;
    if (url_parse(&url, text) < 0)
        return false;
    size_t n = url.host[0] == '[' ? strcspn(url.host, "]") + 1 : strcspn(url.host, ":");
    bool safe =
        strcmp(url.scheme, "https") == 0 || (strncmp(url.host, "127.", 4) == 0 && strspn(url.host, "0123456789.") >= n);
    for (size_t i = 0; i < COUNT(hosts); i++)
        safe |= strlen(hosts[i]) == n && strncasecmp(hosts[i], url.host, n) == 0;
    url_clear(&url);
    return safe;
}

/* Reads the token from the file, which may have another one each time, or from the environment. Returns 1 if there is
 * one. */
static int find_token(char ret[SECRET_MAX], char said[SAID_MAX])
{
    const char *path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    snprintf(said, SAID_MAX, "AWS_CONTAINER_AUTHORIZATION_TOKEN is too long");
    if (!path && token)
        return snprintf(ret, SECRET_MAX, "%s", token) < SECRET_MAX ? 1 : -EINVAL;
    if (!path)
        return 0;
    snprintf(said, SAID_MAX, "the file of its token can't be read");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, ret, SECRET_MAX) : -1;
    int code = n < 0 ? -errno : 0;
    fd_close(fd);
    if (n < 0 || n >= SECRET_MAX)
        return n < 0 ? code : -EINVAL;
    while (n > 0 && (ret[n - 1] == '\n' || ret[n - 1] == '\r'))
        n--;
    ret[n] = '\0';
    return 1;
}

static int ask_this_container(struct exchange *x, struct credentials *ret, char said[SAID_MAX])
{
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char url[2048], token[SECRET_MAX];
    int n = relative ? snprintf(url, sizeof(url), "%s%s", CONTAINER_ENDPOINT, relative)
                     : snprintf(url, sizeof(url), "%s", full);
    snprintf(said, SAID_MAX, "its URL is none, or is neither https nor on this machine");
    if (n >= (int)sizeof(url) || (relative && relative[0] != '/') || !is_safe(url))
        return -EINVAL;
    int r = find_token(token, said);
    if (r < 0)
        return r;
    struct errand e = {.method = "GET",
                       .url = url,
                       .header = r ? "Authorization: " : NULL,
                       .token = token,
                       .patience_ns = CONTAINER_NS,
                       .retries = CONTAINER_RETRIES};
    r = ask_endpoint(&e, x, said);
    memset(token, 0, sizeof(token));
    return r < 0 ? r : read_answer(ret, x, said);
}

static int ask_container(const struct profile *profile UNUSED, struct credentials *ret, char said[SAID_MAX],
                         const atomic_bool *stop)
{
    said[0] = '\0';
    if (!variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") && !variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        return 0;
    return with_transfers(ask_this_container, ret, said, stop);
}

const struct credential_source credentials_of_container = {.name = "container", .changes = true, .ask = ask_container};

/* ---- instances ---- */

#define INSTANCE_ENDPOINT    "http://169.254.169.254"
#define INSTANCE_ENDPOINT_V6 "http://[fd00:ec2::254]"
#define TOKEN_HEADER         "X-aws-ec2-metadata-token: "
#define ROLES                "/latest/meta-data/iam/security-credentials/"

/* Joins the endpoint, without a slash at its end, and `path`. */
static int instance_url(char ret[2048], const char *path, const char *more)
{
    const char *given = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
               *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    const char *base = given ? given : mode && strcasecmp(mode, "IPv6") == 0 ? INSTANCE_ENDPOINT_V6 : INSTANCE_ENDPOINT;
    size_t n = strlen(base);
    n -= n && base[n - 1] == '/';
    return snprintf(ret, 2048, "%.*s%s%s", (int)n, base, path, more) < 2048 ? 0 : -EINVAL;
}

/* The role is the first line of the answer, and becomes a part of a path. */
static int take_role(const struct exchange *x, char ret[128])
{
    int n = snprintf(ret, 128, "%.*s", (int)strcspn(x->body, "\r\n"), x->body);
    bool plain = strspn(ret, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-") == strlen(ret);
    return n > 0 && n < 128 && plain && strcmp(ret, "..") != 0 ? 0 : -EPROTO;
}

static int ask_this_instance(struct exchange *x, struct credentials *ret, char said[SAID_MAX])
{
    char url[2048], token[SECRET_MAX], role[128];
    struct errand e = {.method = "PUT",
                       .url = url,
                       .header = "X-aws-ec2-metadata-token-ttl-seconds: ",
                       .token = "21600",
                       .patience_ns = PATIENCE_NS,
                       .retries = -1};
    snprintf(said, SAID_MAX, "AWS_EC2_METADATA_SERVICE_ENDPOINT is too long");
    int r = instance_url(url, "/latest/api/token", "");
    if (r == 0)
        r = ask_endpoint(&e, x, said);
    if (r < 0)
        return r;
    memcpy(token, x->body, MIN(x->body_length + 1, sizeof(token)));
    token[sizeof(token) - 1] = '\0';
    e = (struct errand){
        .method = "GET", .url = url, .header = TOKEN_HEADER, .token = token, .patience_ns = PATIENCE_NS, .retries = -1};
    r = instance_url(url, ROLES, "");
    if (r == 0)
        r = ask_endpoint(&e, x, said);
    if (r == 0 && (r = take_role(x, role)) < 0)
        snprintf(said, SAID_MAX, "it has no role");
    if (r == 0 && (r = instance_url(url, ROLES, role)) == 0)
        r = ask_endpoint(&e, x, said);
    return r < 0 ? r : read_answer(ret, x, said);
}

/* This source works without any configuration, so a failure only means that it has no credentials. */
static int ask_instance(const struct profile *profile UNUSED, struct credentials *ret, char said[SAID_MAX],
                        const atomic_bool *stop)
{
    const char *disabled = variable("AWS_EC2_METADATA_DISABLED");
    said[0] = '\0';
    if (disabled && strcasecmp(disabled, "true") == 0)
        return 0;
    int r = with_transfers(ask_this_instance, ret, said, stop);
    return r == 1 ? 1 : r == -ENOMEM ? r : 0;
}

const struct credential_source credentials_of_instance = {.name = "instance", .changes = true, .ask = ask_instance};
