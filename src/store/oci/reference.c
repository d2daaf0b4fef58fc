/* SPDX-License-Identifier: MIT */
#include "store/oci/reference.h"
#include <ctype.h>
#include <stdio.h>

#define HOST_MAX        255
#define NAME_MAX_LENGTH 255
#define TAG_MAX         128

static bool is_digits(const char *text, size_t n, const char *allowed)
{
    return n && strspn(text, allowed) >= n;
}

bool oci_digest_is_valid(const char *text)
{
    static const char hex[] = "0123456789abcdef";
    size_t digits = strncmp(text, "sha256:", 7) == 0 ? 64 : strncmp(text, "sha512:", 7) == 0 ? 128 : 0;
    return digits && strlen(text + 7) == digits && strspn(text + 7, hex) == digits;
}

bool oci_tag_is_valid(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = strlen(text);
    return n && n <= TAG_MAX && text[0] != '.' && text[0] != '-' && strspn(text, allowed) == n;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Returns the length of a separator: between letters and digits there is a dot, one or two underscores, or any number
 * of dashes. 0: there is none. */
static size_t separator_length(const char *at)
{
    if (*at == '.')
        return 1;
    if (*at == '_')
        return at[1] == '_' ? 2 : 1;
    return strspn(at, "-");
}

static bool is_name(const char *text, size_t n)
{
    const char *at = text, *end = text + n;
    if (n == 0 || n > NAME_MAX_LENGTH)
        return false;
    for (;;) {
        if (at == end || !is_alphanumeric(*at))
            return false;
        while (at < end && is_alphanumeric(*at))
            at++;
        if (at == end)
            return true;
        size_t separator = *at == '/' ? 1 : separator_length(at);
        if (!separator)
            return false;
        at += separator;
    }
}

static bool is_port(const char *text, size_t n)
{
    return is_digits(text, n, "0123456789") && n <= 5 && strtol(text, NULL, 10) <= 65535;
}

/* A host has a dot or a port, or is localhost. Any other first part is the start of the name; no default registry is
 * guessed. */
static bool is_host(const char *text, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    const char *colon;
    if (n == 0 || n > HOST_MAX)
        return false;
    if (text[0] == '[') {
        const char *close = memchr(text, ']', n);
        size_t inner = close ? (size_t)(close - text) - 1 : 0, rest = close ? n - inner - 2 : 0;
        return is_digits(text + 1, inner, "0123456789abcdefABCDEF:.") && memchr(text + 1, ':', inner) &&
               (rest == 0 || (close[1] == ':' && is_port(close + 2, rest - 1)));
    }
    colon = memchr(text, ':', n);
    size_t host = colon ? (size_t)(colon - text) : n;
    bool named = colon || memchr(text, '.', host) || (host == 9 && strncmp(text, "localhost", 9) == 0);
    return named && is_digits(text, host, letters) && text[0] != '-' && text[0] != '.' &&
           (!colon || is_port(colon + 1, n - host - 1));
}

int reference_parse(struct reference *ret, const char *text, const char **ret_why)
{
    struct reference r = {0};
    size_t host = strcspn(text, "/");
    const char *name = text + host + (text[host] == '/');
    size_t n = strcspn(name, ":@");
    const char *at = name + n;
    size_t tag = *at == ':' ? strcspn(at + 1, "@") : 0;
    const char *digest = *at == ':' ? at + 1 + tag : at;
    *ret_why = "write HOST[:PORT]/NAME[:TAG] or HOST[:PORT]/NAME@sha256:HEX";
    if (!is_host(text, host) || text[host] != '/')
        return -EINVAL;
    *ret_why = "the name of a repository has small letters, digits, and . _ - / between them";
    if (!is_name(name, n))
        return -EINVAL;
    *ret_why = "a tag has at most 128 letters, digits, underscores, dots and dashes";
    char *copy = *at == ':' ? strndup(at + 1, tag) : NULL;
    if (*at == ':' && (!copy || !oci_tag_is_valid(copy))) {
        free(copy);
        return copy ? -EINVAL : -ENOMEM;
    }
    *ret_why = "a digest is sha256: with 64 or sha512: with 128 hexadecimal digits, in lower case";
    if (*digest == '@' && !oci_digest_is_valid(digest + 1)) {
        free(copy);
        return -EINVAL;
    }
    if (*digest == '@')
        snprintf(r.digest, sizeof(r.digest), "%s", digest + 1);
    r.tag = copy;
    r.host = strndup(text, host);
    r.name = strndup(name, n);
    if (!r.host || !r.name) {
        reference_clear(&r);
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

int reference_copy(struct reference *ret, const struct reference *from)
{
    struct reference r = {.host = strdup(from->host), .name = strdup(from->name)};
    r.tag = from->tag ? strdup(from->tag) : NULL;
    memcpy(r.digest, from->digest, sizeof(r.digest));
    if (!r.host || !r.name || (from->tag && !r.tag)) {
        reference_clear(&r);
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

void reference_clear(struct reference *reference)
{
    free(reference->host);
    free(reference->name);
    free(reference->tag);
    *reference = (struct reference){0};
}

/* 127.0.0.0/8 as four numbers: "127.example.org" is an ordinary name. */
static bool is_loopback_address(const char *host, size_t n)
{
    unsigned dots = 0;
    if (strncmp(host, "127.", 4) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        dots += host[i] == '.';
        if (host[i] != '.' && !isdigit((unsigned char)host[i]))
            return false;
    }
    return dots == 3 && host[n - 1] != '.';
}

bool reference_is_loopback(const struct reference *reference)
{
    const char *host = reference->host;
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return (n == 9 && strncmp(host, "localhost", 9) == 0) || (n == 5 && strncmp(host, "[::1]", 5) == 0) ||
           is_loopback_address(host, n);
}
