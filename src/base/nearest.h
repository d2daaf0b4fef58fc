/* SPDX-License-Identifier: MIT */
/* The message about an unknown word. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#define UNKNOWN_MAX 180

/* Writes "There is no KIND 'WORD': known are A, B" to `buffer`, with the nearest of `words` if one is near. `words`
 * ends with NULL. The word is the first `n` bytes of `word`. Returns `buffer`. */
const char *unknown_word(char buffer[UNKNOWN_MAX], const char *kind, const char *word, size_t n,
                         const char *const words[]);

#endif
