/* The text form of a pipeline taken apart: words, the marks between them, and no more quotes.
 *
 *     text = { blank | word | "|" | "&" }
 *
 * A word is of any bytes but blanks, bars and quotes. In '...' everything is meant as it stands; in "..." a backslash
 * takes its meaning from a quote and from a backslash, and is itself before anything else; outside of quotes it takes
 * it from whatever follows. Quoted parts and others side by side are one word. "&" is a mark only as a word of its own,
 * so that names may have one in them. Blanks are space, tab, newline and their like. */
#ifndef REGISTRY_WORDS_H
#define REGISTRY_WORDS_H

#include "base/error.h"

enum word_kind {
    WORD_TEXT,
    WORD_BAR, /* | */
    WORD_AND, /* & */
    WORD_END, /* the last one, once */
};

struct word {
    enum word_kind kind;
    char *text;    /* without its quotes */
    size_t column; /* where it begins, in bytes */
};

struct words {
    struct word *word;
    size_t n;
    char *bytes;     /* all the words, each ended by a NUL */
    size_t *columns; /* of each of these bytes */
};

/* -EINVAL with the column in error->offset: a quote that is not closed, a backslash at the end. -ENOMEM. */
int words_split(struct words *ret, const char *text, struct leat_error *error);

/* Where in the text a byte of one of the words is; also its NUL, which is where the word has ended. */
size_t words_column(const struct words *words, const char *at);

/* Also of one that could not be split, or is all zero. */
void words_free(struct words *words);

/* Gives an error its column; returns it. */
struct leat_error *at_column(struct leat_error *error, size_t column);

#endif
