#include "base/quote.h"
#include "base/base.h"
#include <leat/base.h>
#include <stdbool.h>
#include <stdint.h>

/* The code point of a letter in UTF-8 and its length in bytes; 0 bytes: it is no well-formed letter. */
static size_t decode(const unsigned char *at, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf8 ? 4 : 0;
    uint32_t code = n < 2 ? at[0] : at[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80) /* the NUL at the end too */
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (n > 1 && (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
        return 0;
    *ret = code;
    return n;
}

/* Control characters, and those that turn the direction of the text or end its line. */
static bool is_control(uint32_t code)
{
    return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* The bytes of the letter at `at`, and whether it can be shown as it is. */
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
    FILE *to; /* instead of a buffer */
};

static void put(struct out *out, const char *bytes, size_t n)
{
    if (out->to)
        fwrite(bytes, 1, n, out->to);
    for (size_t i = 0; i < n; i++, out->n++)
        if (out->n + 1 < out->size)
            out->buffer[out->n] = bytes[i];
}

/* \n and its like, or three octal digits: what $'...' of a shell understands. */
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

/* A text that was cut may end in a part of a letter. */
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

/* The scheme need not be one that leat knows, nor be written as it should. Of http: the slashes may be forgotten. */
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
