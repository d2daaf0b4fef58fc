/* SPDX-License-Identifier: MIT */
#include "store/redirect.h"
#include "base/base.h"
#include "base/text.h"
#include "store/url.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>

bool redirect_is_status(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool redirect_keeps_method(int status, const char *method)
{
    return status == 307 || status == 308 || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* ---- servers ---- */

static bool is_tls(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

/* The host and its port; the default port if the URL has none. */
static size_t split_port(const char *url, const char **ret_host, const char **ret_port, size_t *ret_port_length)
{
    size_t n = url_host(url, ret_host);
    const char *host = *ret_host;
    size_t at = n;
    while (at > 0 && host[at - 1] >= '0' && host[at - 1] <= '9')
        at--;
    bool has_port = at > 0 && host[at - 1] == ':';
    *ret_port = is_tls(url) ? "443" : "80";
    *ret_port_length = strlen(*ret_port);
    if (has_port && at < n) {
        *ret_port = host + at;
        *ret_port_length = n - at;
    }
    return has_port ? at - 1 : n;
}

bool redirect_is_same_server(const char *a, const char *b)
{
    const char *host_a, *host_b, *port_a, *port_b;
    size_t port_a_length, port_b_length;
    size_t n = split_port(a, &host_a, &port_a, &port_a_length), m = split_port(b, &host_b, &port_b, &port_b_length);
    return is_tls(a) == is_tls(b) && n == m && strncasecmp(host_a, host_b, n) == 0 && port_a_length == port_b_length &&
           memcmp(port_a, port_b, port_a_length) == 0;
}

/* ---- references (RFC 3986, 5.2) ---- */

/* Removes the segments "." and ".." from a path. The path starts with a slash and ends at a question mark. */
static void remove_dots(char *path)
{
    char *to = path;
    const char *from = path;
    while (*from == '/') {
        size_t n = 1 + strcspn(from + 1, "/?"); /* a segment with its slash */
        bool dot = n == 2 && from[1] == '.', up = n == 3 && from[1] == '.' && from[2] == '.';
        if (up)
            while (to > path && *--to != '/')
                ;
        if (!dot && !up) {
            memmove(to, from, n);
            to += n;
        } else if (from[n] != '/')
            *to++ = '/';
        from += n;
    }
    memmove(to, from, strlen(from) + 1);
}

/* Resolves a reference without a scheme; its path may have dots. */
static void write_merged(FILE *to, const char *base, const char *location)
{
    const char *host;
    size_t host_length = url_host(base, &host);
    const char *path = host + host_length;
    size_t n = strcspn(path, "?#");
    fprintf(to, "%s:", is_tls(base) ? "https" : "http");
    if (strncmp(location, "//", 2) == 0) {
        fputs(location, to);
        return;
    }
    if (location[0] == '/')
        n = 0;
    else if (location[0] != '?' && location[0] != '\0')
        while (n > 0 && path[n - 1] != '/')
            n--;
    fprintf(to, "//%.*s%.*s%s%s", (int)host_length, host, (int)n, path, n || location[0] == '/' ? "" : "/", location);
}

/* Spaces and bytes outside ASCII are not allowed in a URL, but some servers send them. */
static char *clean(const char *location)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    for (; *location && *location != '#'; location++) {
        unsigned char c = (unsigned char)*location;
        if (c <= ' ' || c >= 127)
            fprintf(to, "%%%02X", c);
        else
            fputc(c, to);
    }
    return text_close(to, &text) == 0 ? text : NULL;
}

/* "word:", before any slash. */
static bool has_scheme(const char *text)
{
    size_t n = strcspn(text, ":/?");
    return n > 0 && text[n] == ':';
}

static char *merge(const char *base, const char *location)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return NULL;
    bool is_whole = has_scheme(location);
    if (is_whole)
        fputs(location, to);
    else
        write_merged(to, base, location);
    if (text_close(to, &text) < 0)
        return NULL;
    const char *host;
    size_t host_length = url_host(text, &host);
    if (!is_whole)
        remove_dots(text + (host - text) + host_length);
    return text;
}

int redirect_resolve(char **ret, const char *base, const char *location, const char **ret_why)
{
    struct url parts;
    *ret_why = "out of memory";
    char *cleaned = clean(location), *url = cleaned ? merge(base, cleaned) : NULL;
    free(cleaned);
    int r = url ? url_parse(&parts, url) : -ENOMEM;
    if (r == 0)
        url_clear(&parts);
    if (r == -EINVAL || !location[0]) {
        *ret_why = "the server redirects to a place that can't be used";
        r = -EPROTO;
    } else if (r == 0 && is_tls(base) && !is_tls(url)) {
        *ret_why = "the server redirects from https: to http:, which nothing would verify; that is not followed";
        r = -EPROTO;
    }
    if (r < 0)
        free(url);
    else
        *ret = url;
    return r;
}
