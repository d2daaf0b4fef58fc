/* SPDX-License-Identifier: MIT */
/* Splits the text form of a pipeline into words and marks, and removes the quotes.
 *
 *     text = { blank | word | "|" | "&" }
 *
 * A word is a run of bytes other than blanks, bars and quotes. In '...' each byte stands for itself. In "..." a
 * backslash escapes a quote and a backslash, and stands for itself before any other byte. Outside of quotes a backslash
 * escapes any byte. Quoted and unquoted parts without a blank between them form one word. "&" is a mark only if it is a
 * word of its own, so names may contain it. Blanks are space, tab, newline and the like. */
#ifndef REGISTRY_WORDS_H
#define REGISTRY_WORDS_H

#include "base/error.h"

enum word_kind {
    WORD_TEXT,
    WORD_BAR, /* | */
    WORD_AND, /* & */
    WORD_END, /* the end of the text; always the last word */
};

struct word {
    enum word_kind kind;
    char *text;    /* without quotes */
    size_t column; /* position of its first byte in the text */
};

struct words {
    struct word *word;
    size_t n;
    char *bytes;     /* the bytes of all words, each word with a NUL */
    size_t *columns; /* for each of these bytes, its position in the text */
};

/* Splits `text`. Returns 0; -EINVAL if a quote is not closed or a backslash is at the end, with the position in
 * error->offset; or -ENOMEM. The caller calls words_free, on failure too. */
int words_split(struct words *ret, const char *text, struct leat_error *error);

/* Returns the position in the text of a byte of a word; for the NUL of a word, the end of the word. */
size_t words_column(const struct words *words, const char *at);

/* Frees the words; also if words_split failed or `words` is all zero. */
void words_free(struct words *words);

/* Sets the column of an error that has no code yet. Returns the error. */
struct leat_error *at_column(struct leat_error *error, size_t column);

#endif
