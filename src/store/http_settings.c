#include "store/http_settings.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>

/* ---- files ---- */

/* libcurl would say of a file that is not there only that the certificate is bad. */
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

/* The variables are those of the command curl and of OpenSSL, which libcurl does not read. Their files need not be
 * there as long as nothing is verified. */
static int set_authorities(struct http_settings *s, const struct leat_endpoint_options *options,
                           struct leat_error *error)
{
    const char *bundle = variable("CURL_CA_BUNDLE");
    if (options->cacert)
        return set_file(&s->cacert, options->cacert, error);
    if (bundle)
        return set_text(&s->cacert, bundle, error);
    int r = set_text(&s->cacert, variable("SSL_CERT_FILE"), error);
    return r == 0 ? set_text(&s->capath, variable("SSL_CERT_DIR"), error) : r;
}

static int set_client(struct http_settings *s, const struct leat_endpoint_options *options, struct leat_error *error)
{
    if (options->key && !options->cert)
        return error_set(error, -EINVAL, "A key of a client is of no use without its certificate");
    int r = set_file(&s->cert, options->cert, error);
    return r == 0 ? set_file(&s->key, options->key, error) : r;
}

/* ---- from outside ---- */

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

void http_settings_unref(struct http_settings *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    free(s->cacert);
    free(s->capath);
    free(s->cert);
    free(s->key);
    free(s);
}

static bool set_option(CURL *easy, CURLoption option, const char *text)
{
    return !text || curl.easy_setopt(easy, option, text) == CURLE_OK;
}

/* A key that wants a password would be asked for at the terminal: with an empty password it is refused. */
static bool apply_client(const struct http_settings *s, CURL *easy)
{
    return !s->cert || (set_option(easy, CURLOPT_SSLCERT, s->cert) && set_option(easy, CURLOPT_SSLKEY, s->key) &&
                        set_option(easy, CURLOPT_KEYPASSWD, ""));
}

bool http_settings_apply(const struct http_settings *s, CURL *easy, bool own)
{
    return !s || (set_option(easy, CURLOPT_CAINFO, s->cacert) && set_option(easy, CURLOPT_CAPATH, s->capath) &&
                  (!own || apply_client(s, easy)));
}
