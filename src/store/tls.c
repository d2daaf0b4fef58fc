/* SPDX-License-Identifier: MIT */
#include "store/tls.h"
#include "base/loader.h"
#include <openssl/ssl.h>

static struct {
    void (*set_info_callback)(SSL_CTX *, void (*)(const SSL *, int, int));
} ssl;

static const struct loader_symbol symbols[] = {{"SSL_CTX_set_info_callback", &ssl.set_info_callback}};

static void (*call_ended)(const void *connection);

static void told(const SSL *connection, int where, int alert)
{
    if (where == SSL_CB_READ_ALERT && (alert & 0xff) == SSL_AD_CLOSE_NOTIFY)
        call_ended(connection);
}

static CURLcode prepare(CURL *easy UNUSED, void *context, void *user UNUSED)
{
    ssl.set_info_callback(context, told);
    return CURLE_OK;
}

/* The TLS library that this libcurl uses and has loaded. */
static const char *library(void)
{
    const char *version = curl.version();
    return strstr(version, "OpenSSL/3") ? "libssl.so.3" : strstr(version, "OpenSSL/1.1") ? "libssl.so.1.1" : NULL;
}

static bool need(void)
{
    static const char *names[2];
    static struct loader loader = {
        .names = names,
        .symbols = symbols,
        .count = COUNT(symbols),
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    static bool looked; /* only the transfer thread calls, and there is one at a time */
    const char *why;
    if (!looked)
        names[0] = library();
    looked = true;
    return names[0] && loader_need(&loader, &why) == 0;
}

bool tls_watch(CURL *easy, void (*ended)(const void *connection))
{
    call_ended = ended;
    return need() && curl.easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, prepare) == CURLE_OK;
}

const void *tls_connection(CURL *easy)
{
    struct curl_tlssessioninfo *session = NULL;
    bool known = curl.easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session;
    return known && session->backend == CURLSSLBACKEND_OPENSSL ? session->internals : NULL;
}
