/* SPDX-License-Identifier: MIT */
#include "store/oci/link.h"
#include "base/base.h"
#include <errno.h>
#include <stdbool.h>
#include <strings.h>

/* A part of the header. */
struct slice {
    const char *at;
    size_t n;
};

static bool is_word(const struct slice *slice, const char *word)
{
    return slice->n == strlen(word) && strncasecmp(slice->at, word, slice->n) == 0;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Returns the position after the closing quote; NULL: there is none. */
static const char *skip_quoted(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : NULL;
}

/* Reads one parameter, NAME[=VALUE], and returns the position after it, or NULL. A quoted value is returned without its
 * quotes. */
static const char *read_parameter(const char *at, struct slice *ret_name, struct slice *ret_value)
{
    *ret_name = (struct slice){at, strcspn(at, "=;, \t")};
    *ret_value = (struct slice){at, 0};
    at = skip_blanks(at + ret_name->n);
    if (*at != '=')
        return at;
    at = skip_blanks(at + 1);
    if (*at != '"') {
        *ret_value = (struct slice){at, strcspn(at, ";, \t")};
        return at + ret_value->n;
    }
    const char *end = skip_quoted(at);
    if (end)
        *ret_value = (struct slice){at + 1, (size_t)(end - at) - 2};
    return end;
}

/* A value of `rel` has one or more words, separated by spaces. */
static bool has_next(struct slice rel)
{
    while (rel.n) {
        struct slice word = {rel.at, 0};
        while (word.n < rel.n && word.at[word.n] != ' ' && word.at[word.n] != '\t')
            word.n++;
        if (is_word(&word, "next"))
            return true;
        size_t step = MIN(word.n + 1, rel.n);
        rel.at += step;
        rel.n -= step;
    }
    return false;
}

/* Reads one link, <TARGET>; PARAMETER; PARAMETER, and returns the position after it, or NULL. Of two `rel` the first
 * one counts. A link with an anchor is not about this page. */
static const char *read_link(const char *at, struct slice *ret_target, bool *ret_next)
{
    struct slice name, value;
    bool has_rel = false, has_anchor = false, next = false;
    const char *end = *at == '<' ? strchr(at, '>') : NULL;
    if (!end)
        return NULL;
    *ret_target = (struct slice){at + 1, (size_t)(end - at) - 1};
    for (at = skip_blanks(end + 1); at && *at == ';';) {
        at = skip_blanks(at + 1);
        at = read_parameter(at, &name, &value);
        if (at && is_word(&name, "rel") && !has_rel) {
            has_rel = true;
            next = has_next(value);
        }
        has_anchor |= is_word(&name, "anchor");
        at = at ? skip_blanks(at) : NULL;
    }
    *ret_next = next && !has_anchor;
    return at;
}

int link_next(const char *value, char **ret)
{
    struct slice target;
    bool next;
    const char *at = value + strspn(value, " \t,");
    while (*at) {
        at = read_link(at, &target, &next);
        if (!at || (*at && *at != ','))
            return -EBADMSG;
        if (next) {
            *ret = strndup(target.at, target.n);
            return *ret ? 0 : -ENOMEM;
        }
        at += strspn(at, " \t,");
    }
    *ret = NULL;
    return 0;
}
