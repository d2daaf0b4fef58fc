/* SPDX-License-Identifier: MIT */
#include "store/url.h"
#include <ctype.h>
#include <errno.h>
#include <strings.h>

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void url_encode(FILE *to, const char *bytes, size_t n, bool path)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (is_unreserved(c) || (path && c == '/'))
            fputc(c, to);
        else
            fprintf(to, "%%%02X", c);
    }
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

int url_decode(char *text)
{
    char *to = text;
    while (*text) {
        char c = *text++;
        if (c == '%') {
            int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
            if (low < 0 || high + low == 0)
                return -EINVAL;
            c = (char)(high * 16 + low);
            text += 2;
        } else if (c == '+')
            c = ' ';
        *to++ = c;
    }
    *to = '\0';
    return 0;
}

/* "%XX", and no NUL. */
static int decode_percent(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        char c = *at;
        if (c == '%') {
            int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
            if (low < 0 || high + low == 0)
                return -EINVAL;
            c = (char)(high * 16 + low);
            at += 2;
        }
        *to++ = c;
    }
    *to = '\0';
    return 0;
}

int url_take_login(const char *url, char **ret_url, char **ret_user, char **ret_password)
{
    const char *host, *mark = strstr(url, "://");
    url_host(url, &host);
    if (!mark || host == mark + 3)
        return 0;
    const char *start = mark + 3;
    size_t all = (size_t)(host - start) - 1, n = strcspn(start, ":");
    bool has_password = n < all;
    char *user = strndup(start, MIN(n, all)), *password = has_password ? strndup(start + n + 1, all - n - 1) : NULL;
    char *bare = malloc(strlen(url) + 1);
    int r = user && bare && (password || !has_password) ? 0 : -ENOMEM;
    if (r == 0)
        r = decode_percent(user);
    if (r == 0 && password)
        r = decode_percent(password);
    if (r < 0) {
        free(user);
        free(password);
        free(bare);
        return r;
    }
    sprintf(bare, "%.*s%s", (int)(start - url), url, host);
    *ret_url = bare;
    *ret_user = user;
    *ret_password = password;
    return 1;
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 127)
            return false;
    return true;
}

size_t url_host(const char *url, const char **ret)
{
    const char *mark = strstr(url, "://");
    const char *at = mark ? mark + 3 : url;
    size_t n = strcspn(at, "/?#");
    for (size_t i = n; i > 0; i--)
        if (at[i - 1] == '@') {
            *ret = at + i;
            return n - i;
        }
    *ret = at;
    return n;
}

int url_parse(struct url *ret, const char *text)
{
    size_t scheme = strncasecmp(text, "https://", 8) == 0 ? 5 : strncasecmp(text, "http://", 7) == 0 ? 4 : 0;
    if (!scheme || !is_plain(text))
        return -EINVAL;
    const char *host = text + scheme + 3;
    size_t length = strcspn(host, "/?#");
    if (length == 0 || memchr(host, '@', length))
        return -EINVAL;
    const char *path = host + length;
    size_t path_length = strcspn(path, "#");
    *ret = (struct url){strdup(scheme == 5 ? "https" : "http"), strndup(host, length), malloc(path_length + 2)};
    if (!ret->scheme || !ret->host || !ret->path) {
        url_clear(ret);
        return -ENOMEM;
    }
    snprintf(ret->path, path_length + 2, "%s%.*s", *path == '/' ? "" : "/", (int)path_length, path);
    return 0;
}

void url_clear(struct url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->path);
    *url = (struct url){0};
}
