/* SPDX-License-Identifier: MIT */
#include "store/failure.h"
#include "base/base.h"
#include "base/quote.h"
#include "store/proxy.h"
#include "store/url.h"
#include <errno.h>
#include <stdio.h>

static int connect_code(CURL *easy)
{
    long os_error = 0;
    curl.easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    return os_error > 0 && os_error != EAGAIN && os_error != EINPROGRESS ? -(int)os_error : -ECONNREFUSED;
}

static int code_of(CURL *easy, CURLcode result)
{
    switch (result) {
    case CURLE_OK:
        return 0;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -EHOSTUNREACH;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_CONNECT:
        return connect_code(easy);
    case CURLE_ABORTED_BY_CALLBACK:
        return -EIO; /* the body cannot be read */
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return -ECONNRESET;
    default:
        return -EPROTO;
    }
}

static const char *without(const char *text, const char *start)
{
    size_t n = strlen(start);
    return strncmp(text, start, n) == 0 ? text + n : text;
}

/* The server's certificate is not accepted. Another certificate authority does not help if the name or the time is
 * wrong. */
static void refuse_certificate(struct failure *f, const char *said, const char *url)
{
    const char *host;
    int n = (int)url_host(url, &host);
    said = without(without(said, "SSL certificate problem: "), "SSL: ");
    bool names_it = strstr(said, "name") || strstr(said, "expired") || strstr(said, "not yet valid");
    f->advice = names_it ? LEAT_ADVICE_NONE : LEAT_ADVICE_CACERT;
    snprintf(f->sentence, sizeof(f->sentence), "the certificate of %.*s is refused: %s", n, host, said);
}

/* A proxy's refusal of a tunnel is permanent, unless the proxy itself has a temporary failure. */
static void read_refusal(struct failure *f, CURL *easy)
{
    long status = 0;
    curl.easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status == 401 || status == 403 || status == 407)
        f->code = -EACCES;
    else if (status / 100 == 4)
        f->code = -EPROTO;
}

static void name_proxy(struct failure *f, CURL *easy, const char *url)
{
    char proxy[PROXY_MAX];
    if (!proxy_find(url, proxy))
        return;
    read_refusal(f, easy);
    size_t n = strlen(f->sentence);
    if (strstr(f->sentence, proxy) == NULL)
        snprintf(f->sentence + MIN(n, 120u), sizeof(f->sentence) - 120, " (through the proxy %.80s)", proxy);
}

void failure_read(struct failure *f, CURL *easy, CURLcode result, const char *said, const char *url)
{
    said = said[0] ? said : curl.easy_strerror(result);
    f->code = code_of(easy, result);
    f->advice = LEAT_ADVICE_NONE;
    const char *host;
    int n = (int)url_host(url, &host);
    if (strncmp(said, "Unsupported proxy", 17) == 0) { /* libcurl's message has the proxy's password */
        snprintf(f->sentence, sizeof(f->sentence), "libcurl can't use the proxy that the environment names");
        return;
    }
    switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION:
        refuse_certificate(f, said, url);
        break;
    case CURLE_SSL_CONNECT_ERROR:
        snprintf(f->sentence, sizeof(f->sentence), "there is no TLS with %.*s: %s", n, host, said);
        break;
    default:
        snprintf(f->sentence, sizeof(f->sentence), "%s", said);
    }
    name_proxy(f, easy, url);
    quote_mask(f->sentence);
}
