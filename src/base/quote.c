/* SPDX-License-Identifier: MIT */
#include "base/quote.h"
#include "base/base.h"
#include <leat/base.h>
#include <stdbool.h>
#include <stdint.h>

/* Decodes the UTF-8 character at `at`. Returns its length in bytes, or 0 if it is not well-formed. */
static size_t decode(const unsigned char *at, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf8 ? 4 : 0;
    uint32_t code = n < 2 ? at[0] : at[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80) /* also true for the NUL at the end */
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (n > 1 && (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
        return 0;
    *ret = code;
    return n;
}

/* Control characters, and characters that change the direction of the text or end a line. */
static bool is_control(uint32_t code)
{
    return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Returns the length of the character at `at`. *ret_plain: the character can be printed as it is. */
static size_t look(const char *at, bool *ret_plain)
{
    uint32_t code = 0;
    size_t n = decode((const unsigned char *)at, &code);
    *ret_plain = n > 0 && !is_control(code);
    return n ? n : 1;
}

static bool is_plain(const char *text)
{
    bool plain = true;
    while (*text && plain)
        text += look(text, &plain);
    return plain;
}

/* ---- quoting ---- */

struct out {
    char *buffer;
    size_t size, n;
    FILE *to; /* not NULL: prints here, and there is no buffer */
};

static void put(struct out *out, const char *bytes, size_t n)
{
    if (out->to)
        fwrite(bytes, 1, n, out->to);
    for (size_t i = 0; i < n; i++, out->n++)
        if (out->n + 1 < out->size)
            out->buffer[out->n] = bytes[i];
}

/* Writes \n and the like, or three octal digits, which $'...' of a shell understands. */
static void put_escape(struct out *out, unsigned char c)
{
    static const char known[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
    char text[8];
    const char *at = c ? strchr(known, c) : NULL;
    int n = at ? snprintf(text, sizeof(text), "\\%c", letters[at - known])
               : snprintf(text, sizeof(text), "\\%03o", (unsigned)c);
    put(out, text, (size_t)n);
}

static void put_quoted(struct out *out, const char *text)
{
    bool escaping = false, plain;
    put(out, "'", 1);
    for (size_t n; *text; text += n) {
        n = look(text, &plain);
        if (*text == '\'') {
            put(out, "'\\''", 4);
            escaping = false;
            continue;
        }
        if (plain == escaping)
            put(out, plain ? "''" : "'$'", plain ? 2 : 3);
        escaping = !plain;
        for (size_t i = 0; i < n && !plain; i++)
            put_escape(out, (unsigned char)text[i]);
        put(out, text, plain ? n : 0);
    }
    put(out, "'", 1);
}

size_t leat_text_quote(char *buffer, size_t size, const char *name)
{
    struct out out = {.buffer = buffer, .size = size};
    if (is_plain(name))
        put(&out, name, strlen(name));
    else
        put_quoted(&out, name);
    if (size)
        buffer[MIN(out.n, size - 1)] = '\0';
    return out.n;
}

void quote_print(FILE *to, const char *name)
{
    struct out out = {.to = to};
    if (is_plain(name))
        put(&out, name, strlen(name));
    else
        put_quoted(&out, name);
}

/* Removes an incomplete character at the end, which a text has that was cut. */
static void cut_incomplete(char *text)
{
    size_t n = strlen(text), back = 0;
    uint32_t code;
    while (back < 3 && back < n && ((unsigned char)text[n - 1 - back] & 0xc0) == 0x80)
        back++;
    char *last = back < n ? text + n - 1 - back : text + n;
    if ((unsigned char)*last >= 0xc0 && decode((unsigned char *)last, &code) == 0)
        *last = '\0';
}

void quote_mask(char *text)
{
    bool plain;
    cut_incomplete(text);
    for (size_t n; *text; text += n) {
        n = look(text, &plain);
        if (!plain)
            memset(text, '?', n);
    }
}

/* Returns the first byte behind the scheme, or NULL if there is none. leat need not know the scheme. After "http:" and
 * "https:" the slashes may be missing. */
static const char *behind_scheme(const char *spec)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t n = strspn(spec, letters);
    if (n && strncmp(spec + n, "://", 3) == 0)
        return spec + n + 3;
    return strncmp(spec, "http:", 5) == 0 || strncmp(spec, "https:", 6) == 0 ? spec + n + 1 : NULL;
}

const char *quote_without_login(const char *spec)
{
    const char *at = behind_scheme(spec), *shown = spec;
    if (!at)
        return spec;
    at += strspn(at, "/");
    for (const char *end = at + strcspn(at, "/?#"); at < end; at++)
        if (*at == '@')
            shown = at + 1;
    return shown;
}

size_t quote_length(const char *spec)
{
    const char *shown = quote_without_login(spec);
    bool is_url = strncmp(spec, "http:", 5) == 0 || strncmp(spec, "https:", 6) == 0;
    size_t n = strcspn(shown, is_url ? "?" : "");
    return n + (shown[n] == '?');
}

void quote_hide_secrets(char *text)
{
    static const char blank[] = " \t\r\n\"'";
    while ((text = strstr(text, "://"))) {
        char *at = text + 3, *host = at;
        size_t n = strcspn(at, "/?#");
        n = MIN(n, strcspn(at, blank));
        for (size_t i = 0; i < n; i++)
            if (at[i] == '@')
                host = at + i + 1;
        memmove(at, host, strlen(host) + 1);
        char *query = at + strcspn(at, "?#"), *end = at + strcspn(at, blank);
        if (query < end)
            memmove(query, end, strlen(end) + 1);
        text = at;
    }
}
