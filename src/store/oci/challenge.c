/* SPDX-License-Identifier: MIT */
#include "store/oci/challenge.h"
#include <strings.h>

static bool is_token_letter(char c)
{
    return c > ' ' && c < 127 && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static const char *skip(const char *at, const char *letters)
{
    return at + strspn(at, letters);
}

static const char *token_end(const char *at)
{
    while (*at && is_token_letter(*at))
        at++;
    return at;
}

/* Reads a value with or without quotes. Returns the position after it; NULL: it has no end, or is too long. */
static const char *read_value(const char *at, char *ret)
{
    size_t n = 0;
    bool quoted = *at == '"';
    at += quoted;
    for (; quoted ? *at && *at != '"' : *at && *at != ',' && *at != ' '; at++) {
        if (quoted && *at == '\\' && at[1])
            at++;
        if (n + 1 == CHALLENGE_VALUE_MAX)
            return NULL;
        ret[n++] = *at;
    }
    ret[n] = '\0';
    return quoted && *at != '"' ? NULL : at + quoted;
}

static bool is_word(const char *at, const char *end, const char *word)
{
    return (size_t)(end - at) == strlen(word) && strncasecmp(at, word, strlen(word)) == 0;
}

/* Reads name=value pairs, separated by commas, up to the next challenge. Returns the position after them; NULL: they
 * are invalid. */
static const char *read_parameters(const char *at, struct challenge *c)
{
    char value[CHALLENGE_VALUE_MAX];
    for (;;) {
        at = skip(at, " \t,");
        const char *end = token_end(at), *sign = skip(end, " \t");
        if (end == at || *sign != '=')
            return at; /* the end, or the name of the next challenge */
        const char *behind = read_value(skip(sign + 1, " \t"), value);
        if (!behind)
            return NULL;
        if (is_word(at, end, "realm"))
            strcpy(c->realm, value);
        else if (is_word(at, end, "service"))
            strcpy(c->service, value);
        else if (is_word(at, end, "scope"))
            strcpy(c->scope, value);
        at = behind;
    }
}

void challenge_parse(struct challenge *ret, const char *text)
{
    *ret = (struct challenge){.kind = CHALLENGE_NONE};
    const char *at = skip(text, " \t,");
    while (at && *at) {
        struct challenge c = {.kind = CHALLENGE_NONE};
        const char *end = token_end(at);
        if (end == at)
            return;
        if (is_word(at, end, "bearer"))
            c.kind = CHALLENGE_BEARER;
        else if (is_word(at, end, "basic"))
            c.kind = CHALLENGE_BASIC;
        at = read_parameters(end, &c);
        if (at && c.kind > ret->kind && (c.kind != CHALLENGE_BEARER || c.realm[0]))
            *ret = c;
    }
}
