/* SPDX-License-Identifier: MIT */
#include "store/proxy.h"
#include "store/url.h"
#include <stdio.h>
#include <strings.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* HTTP_PROXY is not read: a web server sets it for CGI programs to a value that the client sends. */
static const char *value_for(const char *url)
{
    bool tls = strncasecmp(url, "https:", 6) == 0;
    const char *value = variable(tls ? "https_proxy" : "http_proxy");
    if (!value && tls)
        value = variable("HTTPS_PROXY");
    if (!value)
        value = variable("all_proxy");
    return value ? value : variable("ALL_PROXY");
}

static bool is_below(const char *host, size_t n, const char *domain, size_t length)
{
    if (length && domain[0] == '.') {
        domain++;
        length--;
    }
    if (length == 0 || length > n || strncasecmp(host + n - length, domain, length) != 0)
        return false;
    return length == n || host[n - length - 1] == '.';
}

/* Is the host, or a domain that it is in, in the list of hosts that are asked directly? */
static bool is_direct(const char *url)
{
    const char *list = variable("no_proxy"), *host;
    size_t n = url_host(url, &host);
    list = list ? list : variable("NO_PROXY");
    if (host[0] == '[') {
        host++;
        n = strcspn(host, "]");
    } else
        n = MIN(n, strcspn(host, ":"));
    if (list && strcmp(list, "*") == 0)
        return true;
    for (size_t length; list && *list; list += length) {
        list += strspn(list, ", ");
        length = strcspn(list, ", ");
        if (is_below(host, n, list, length))
            return true;
    }
    return false;
}

bool proxy_find(const char *url, char ret[PROXY_MAX])
{
    const char *value = value_for(url), *host;
    if (!value || is_direct(url))
        return false;
    size_t n = url_host(value, &host);
    snprintf(ret, PROXY_MAX, "%.*s", (int)MIN(n, PROXY_MAX - 1u), host);
    return true;
}
