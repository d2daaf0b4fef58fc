/* SPDX-License-Identifier: MIT */
#include "store/http_settings.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>

/* ---- files ---- */

/* For a missing file, libcurl would only report that the certificate is bad. */
static int check_file(const char *file, struct leat_error *error)
{
    char buffer[128];
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, -errno, "%.100s: %s", file, error_text(errno, buffer, sizeof(buffer)));
    fd_close(fd);
    return 0;
}

static int set_text(char **to, const char *text, struct leat_error *error)
{
    if (text && !(*to = strdup(text)))
        return error_set(error, -ENOMEM, "out of memory");
    return 0;
}

static int set_file(char **to, const char *file, struct leat_error *error)
{
    int r = set_text(to, file, error);
    return r == 0 && file ? check_file(file, error) : r;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* These variables are read by the command curl and by OpenSSL, but not by libcurl. Their files may be missing if
 * nothing is verified. */
static const char *usual_file(void)
{
    const char *bundle = variable("CURL_CA_BUNDLE");
    return bundle ? bundle : variable("SSL_CERT_FILE");
}

static const char *usual_folder(void)
{
    return variable("CURL_CA_BUNDLE") ? NULL : variable("SSL_CERT_DIR");
}

static int set_authorities(struct http_settings *s, const struct leat_endpoint_options *options,
                           struct leat_error *error)
{
    if (options->cacert)
        return set_file(&s->cacert, options->cacert, error);
    int r = set_text(&s->cacert, usual_file(), error);
    return r == 0 ? set_text(&s->capath, usual_folder(), error) : r;
}

static int set_client(struct http_settings *s, const struct leat_endpoint_options *options, struct leat_error *error)
{
    if (options->key && !options->cert)
        return error_set(error, -EINVAL, "A key of a client is of no use without its certificate");
    int r = set_file(&s->cert, options->cert, error);
    return r == 0 ? set_file(&s->key, options->key, error) : r;
}

/* ---- headers ---- */

/* Headers that leat must control, and those that belong to a single connection. */
static bool is_ours(const char *name, size_t n)
{
    static const char *const names[] = {"Range",
                                        "If-Match",
                                        "If-None-Match",
                                        "If-Range",
                                        "If-Modified-Since",
                                        "If-Unmodified-Since",
                                        "Content-Length",
                                        "Content-Range",
                                        "Transfer-Encoding",
                                        "Expect",
                                        "Host",
                                        "Connection",
                                        "Keep-Alive",
                                        "TE",
                                        "Trailer",
                                        "Upgrade",
                                        "Proxy-Authorization",
                                        "Proxy-Connection"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
            return true;
    return false;
}

/* The headers that a server other than the named one may get. */
static bool is_harmless(const char *header)
{
    static const char *const starts[] = {"Accept:", "Accept-Encoding:", "Accept-Language:", "User-Agent:"};
    for (size_t i = 0; i < COUNT(starts); i++)
        if (strncasecmp(header, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";

int http_header_split(const char *text, size_t number, struct http_header *ret, struct leat_error *error)
{
    size_t n = strspn(text, name_letters);
    const char *value = text[n] == ':' ? text + n + 1 + strspn(text + n + 1, " \t") : NULL;
    if (n == 0 || n > 60 || !value)
        return error_set(error, -EINVAL, "Header %zu is none: write NAME: VALUE", number);
    if (is_ours(text, n))
        return error_set(error, -EINVAL, "The header %.*s is not to be set: leat has to set it by itself", (int)n,
                         text);
    if (!*value)
        return error_set(error, -EINVAL, "The header %.*s has no value", (int)n, text);
    for (const char *at = value; *at; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 127)
            return error_set(error, -EINVAL, "The header %.*s has a control character in its value", (int)n, text);
    *ret = (struct http_header){text, value, n};
    return 0;
}

static int add_header(struct http_settings *s, const char *text, struct leat_error *error)
{
    struct http_header header = {"", "", 0};
    int r = http_header_split(text, s->headers + 1, &header, error);
    if (r < 0)
        return r;
    size_t size = header.name_length + strlen(header.value) + 3;
    char *line = malloc(size);
    char **grown = line ? realloc(s->header, (s->headers + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(line);
        return error_set(error, -ENOMEM, "out of memory");
    }
    snprintf(line, size, "%.*s: %s", (int)header.name_length, header.name, header.value);
    s->header = grown;
    s->header[s->headers++] = line;
    return 0;
}

/* ---- from outside ---- */

int http_settings_add(struct http_settings *s, const struct leat_endpoint_options *options, const char *user,
                      const char *password, struct leat_error *error)
{
    int r = 0;
    for (size_t i = 0; options->headers && options->headers[i] && r == 0; i++)
        r = add_header(s, options->headers[i], error);
    s->netrc = options->netrc || options->netrc_file;
    if (r == 0)
        r = set_file(&s->netrc_file, options->netrc_file, error);
    if (r == 0)
        r = set_text(&s->user, user, error);
    return r == 0 ? set_text(&s->password, password, error) : r;
}

int http_settings_new(struct http_settings **ret, const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct http_settings *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(error, -ENOMEM, "out of memory");
    atomic_init(&s->refs, 1);
    int r = set_authorities(s, options, error);
    if (r == 0)
        r = set_client(s, options, error);
    if (r < 0)
        http_settings_unref(s);
    else
        *ret = s;
    return r;
}

struct http_settings *http_settings_ref(struct http_settings *s)
{
    if (s)
        atomic_fetch_add(&s->refs, 1);
    return s;
}

static void wipe(char *text)
{
    if (text)
        memset(text, 0, strlen(text));
    free(text);
}

void http_settings_unref(struct http_settings *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    free(s->cacert);
    free(s->capath);
    free(s->cert);
    free(s->key);
    wipe(s->user);
    wipe(s->password);
    free(s->netrc_file);
    for (size_t i = 0; i < s->headers; i++)
        wipe(s->header[i]);
    free(s->header);
    free(s);
}

static bool set_option(CURL *easy, CURLoption option, const char *text)
{
    return !text || curl.easy_setopt(easy, option, text) == CURLE_OK;
}

/* For a key with a password, the TLS library would ask at the terminal. With an empty password it refuses the key
 * instead. */
static bool apply_client(const struct http_settings *s, CURL *easy)
{
    return !s->cert || (set_option(easy, CURLOPT_SSLCERT, s->cert) && set_option(easy, CURLOPT_SSLKEY, s->key) &&
                        set_option(easy, CURLOPT_KEYPASSWD, ""));
}

/* User and password of the URL take precedence over those of a file. */
static bool apply_login(const struct http_settings *s, CURL *easy)
{
    if (s->user)
        return set_option(easy, CURLOPT_USERNAME, s->user) &&
               set_option(easy, CURLOPT_PASSWORD, s->password ? s->password : "");
    return !s->netrc || (curl.easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL) == CURLE_OK &&
                         set_option(easy, CURLOPT_NETRC_FILE, s->netrc_file));
}

static bool add_headers(const struct http_settings *s, struct curl_slist **list, bool own)
{
    for (size_t i = 0; i < s->headers; i++)
        if (own || is_harmless(s->header[i])) {
            struct curl_slist *more = curl.slist_append(*list, s->header[i]);
            if (!more)
                return false;
            *list = more;
        }
    return true;
}

bool http_settings_apply(const struct http_settings *s, CURL *easy, struct curl_slist **list, bool own)
{
    if (!s)
        return set_option(easy, CURLOPT_CAINFO, usual_file()) && set_option(easy, CURLOPT_CAPATH, usual_folder());
    return set_option(easy, CURLOPT_CAINFO, s->cacert) && set_option(easy, CURLOPT_CAPATH, s->capath) &&
           add_headers(s, list, own) && (!own || (apply_client(s, easy) && apply_login(s, easy)));
}
