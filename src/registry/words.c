/* SPDX-License-Identifier: MIT */
#include "registry/words.h"
#include <errno.h>
#include <stdbool.h>

struct splitter {
    struct words *words;
    const char *text;
    size_t at;      /* position in the text */
    size_t written; /* bytes written to words->bytes */
    struct leat_error *error;
};

struct leat_error *at_column(struct leat_error *error, size_t column)
{
    if (error && error->code == 0)
        error->offset = column;
    return error;
}

/* isspace() is not used, because it depends on the locale. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(char c)
{
    return c == '\0' || c == '|' || is_blank(c);
}

static void put(struct splitter *s, char c)
{
    s->words->columns[s->written] = s->at;
    s->words->bytes[s->written++] = c;
}

static void begin(struct splitter *s, enum word_kind kind)
{
    s->words->word[s->words->n++] = (struct word){.kind = kind, .text = s->words->bytes + s->written, .column = s->at};
}

static int take_quoted(struct splitter *s)
{
    size_t opened = s->at;
    char quote = s->text[s->at++];
    for (; s->text[s->at] != quote; s->at++) {
        if (!s->text[s->at])
            return error_set(at_column(s->error, opened), -EINVAL, "This quote is never closed");
        char next = s->text[s->at + 1];
        if (quote == '"' && s->text[s->at] == '\\' && (next == '"' || next == '\\'))
            s->at++;
        put(s, s->text[s->at]);
    }
    s->at++;
    return 0;
}

static int take_word(struct splitter *s)
{
    bool alone = s->text[s->at] == '&' && ends_word(s->text[s->at + 1]);
    int r = 0;
    begin(s, alone ? WORD_AND : WORD_TEXT);
    while (r == 0 && !ends_word(s->text[s->at])) {
        if (s->text[s->at] == '"' || s->text[s->at] == '\'') {
            r = take_quoted(s);
            continue;
        }
        if (s->text[s->at] == '\\' && !s->text[++s->at])
            return error_set(at_column(s->error, s->at - 1), -EINVAL, "Nothing follows this backslash");
        put(s, s->text[s->at]);
        s->at++;
    }
    put(s, '\0');
    return r;
}

int words_split(struct words *ret, const char *text, struct leat_error *error)
{
    /* A word needs its bytes and a NUL, and comes from at least one byte of the text. */
    size_t most = strlen(text) + 1;
    *ret = (struct words){.word = calloc(most, sizeof(struct word)),
                          .bytes = malloc(most * 2),
                          .columns = malloc(most * 2 * sizeof(size_t))};
    if (!ret->word || !ret->bytes || !ret->columns)
        return error_set(error, -ENOMEM, "Out of memory");
    struct splitter s = {.words = ret, .text = text, .error = error};
    int r = 0;
    while (r == 0 && text[s.at]) {
        if (text[s.at] == '|') {
            begin(&s, WORD_BAR);
            put(&s, '\0');
            s.at++;
        } else if (is_blank(text[s.at]))
            s.at++;
        else
            r = take_word(&s);
    }
    begin(&s, WORD_END);
    put(&s, '\0');
    return r;
}

size_t words_column(const struct words *words, const char *at)
{
    return words->columns[at - words->bytes];
}

void words_free(struct words *words)
{
    free(words->word);
    free(words->bytes);
    free(words->columns);
    *words = (struct words){0};
}
