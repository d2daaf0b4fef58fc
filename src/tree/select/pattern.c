/* SPDX-License-Identifier: MIT */
#include "tree/select/pattern.h"
#include <ctype.h>
#include <string.h>

bool pattern_read(struct pattern *ret, const char *text)
{
    size_t n = strlen(text);
    unsigned slashes = 0;
    *ret = (struct pattern){.is_folder = n > 1 && text[n - 1] == '/', .is_anchored = text[0] == '/'};
    n -= ret->is_folder;
    for (size_t i = 0; i < n; i++)
        slashes += text[i] == '/';
    ret->text = text + ret->is_anchored;
    ret->length = n - ret->is_anchored;
    ret->is_literal = strcspn(text, "*?[") >= n;
    const char *across = strstr(text, "**");
    ret->crosses = across != NULL;
    ret->begins_across = across == text;
    ret->takes_contents = n >= 3 && strncmp(text + n - 3, "***", 3) == 0;
    ret->parts = ret->is_anchored || ret->crosses ? 0 : slashes + 1;
    return n > 0;
}

bool pattern_needs_path(const struct pattern *pattern)
{
    return pattern->parts != 1;
}

/* ---- one byte ---- */

static bool is_in_class(const char *name, size_t n, unsigned char byte, bool *ret_known)
{
    static const struct {
        const char *name;
        int (*is)(int byte);
    } classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0)
            return byte < 128 && classes[i].is(byte); /* whatever the locale is */
    *ret_known = false;
    return false;
}

/* The end of a class whose name begins at `p`: its "]". NULL: it is none, and "[" is a byte of the set. */
static const char *class_end(const char *p, const char *end)
{
    const char *close = memchr(p, ']', (size_t)(end - p));
    return close && close > p && close[-1] == ':' ? close : NULL;
}

/* Is the byte in the set that begins behind "["? Returns what is behind the set, or NULL: it is not in it, or the set
 * does not end. */
static const char *match_set(const char *p, const char *end, unsigned char byte)
{
    bool is_negated = p < end && (*p == '!' || *p == '^'), is_in = false, is_known = true;
    int before = -1; /* the byte that a range may begin with */
    p += is_negated;
    for (bool is_first = true; p < end && (is_first || *p != ']'); is_first = false, p++) {
        bool is_range = *p == '-' && before >= 0 && p + 1 < end && p[1] != ']';
        const char *close = *p == '[' && p + 1 < end && p[1] == ':' ? class_end(p + 2, end) : NULL;
        if (close) {
            is_in |= is_in_class(p + 2, (size_t)(close - p) - 3, byte, &is_known);
            p = close;
            before = -1;
            continue;
        }
        p += is_range;
        if (*p == '\\' && ++p == end)
            return NULL;
        unsigned char last = (unsigned char)*p;
        is_in |= byte >= (is_range ? before : last) && byte <= last;
        before = is_range ? -1 : last;
    }
    return p < end && is_known && is_in != is_negated && byte != '/' ? p + 1 : NULL;
}

/* Compares a byte with what is at `p` and is no "*". Returns what is behind that in the pattern; NULL: they differ. */
static const char *match_byte(const struct pattern *pattern, const char *p, char byte)
{
    const char *end = pattern->text + pattern->length;
    if (p == end)
        return NULL;
    if (pattern->is_literal)
        return *p == byte ? p + 1 : NULL;
    if (*p == '?')
        return byte != '/' ? p + 1 : NULL;
    if (*p == '[')
        return match_set(p + 1, end, (unsigned char)byte);
    p += *p == '\\';
    return p < end && *p == byte ? p + 1 : NULL;
}

/* ---- all of it ---- */

/* A path with a slash more at either end, where a pattern with "**" expects one. */
struct subject {
    const char *path;
    size_t length;
    bool begins, ends; /* with such a slash */
};

static size_t length_of(const struct subject *s)
{
    return s->begins + s->length + s->ends;
}

static char byte_at(const struct subject *s, size_t at)
{
    return at < s->begins || at - s->begins >= s->length ? '/' : s->path[at - s->begins];
}

/* What was behind the last star, and where that was compared. */
struct star {
    const char *p;
    size_t at;
};

/* Compares all from `at` on. If something differs, the last star takes one byte more; a "**" behind it makes that
 * needless, because it takes whatever the star would take. */
static bool match_from(const struct pattern *pattern, const struct subject *s, size_t at)
{
    struct star star = {NULL, 0}, across = {NULL, 0};
    const char *p = pattern->text, *end = p + pattern->length;
    size_t n = length_of(s);
    for (;;) {
        const char *next;
        if (p < end && *p == '*') {
            size_t stars = strspn(p, "*");
            p += stars;
            star = (struct star){stars > 1 ? NULL : p, at};
            across = stars > 1 ? (struct star){p, at} : across;
        } else if (p == end && at == n)
            return true;
        else if (at < n && (next = match_byte(pattern, p, byte_at(s, at)))) {
            p = next;
            at++;
        } else if (star.p && star.at < n && byte_at(s, star.at) != '/') {
            p = star.p;
            at = ++star.at;
        } else if (across.p && across.at < n) {
            star.p = NULL;
            p = across.p;
            at = ++across.at;
        } else
            return false;
    }
}

/* Where the last parts of the path begin. Returns false: it has not so many. */
static bool find_parts(const struct subject *s, unsigned parts, size_t *ret)
{
    size_t at = s->length;
    while (at > 0 && (s->path[at - 1] != '/' || --parts > 0))
        at--;
    *ret = at;
    return at > 0 || parts == 1;
}

static bool match_anywhere(const struct pattern *pattern, const struct subject *s)
{
    for (size_t at = 0; at < s->length; at++)
        if ((at == 0 || s->path[at - 1] == '/') && match_from(pattern, s, at))
            return true;
    return false;
}

bool pattern_matches(const struct pattern *pattern, const char *path, bool is_folder)
{
    struct subject s = {.path = path,
                        .length = strlen(path),
                        .begins = pattern->begins_across,
                        .ends = pattern->takes_contents && is_folder};
    size_t at = 0;
    if (pattern->is_folder && !is_folder)
        return false;
    if (pattern->parts)
        return find_parts(&s, pattern->parts, &at) && match_from(pattern, &s, at);
    return pattern->is_anchored || pattern->begins_across ? match_from(pattern, &s, 0) : match_anywhere(pattern, &s);
}
