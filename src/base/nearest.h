/* What is said of a word that is not known. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#define UNKNOWN_MAX 180

/* "There is no KIND 'WORD': known are A, B", with the nearest of `words` (which end in NULL) if one is near. Of `word`
 * the first `n` bytes are meant. Returns `buffer`. */
const char *unknown_word(char buffer[UNKNOWN_MAX], const char *kind, const char *word, size_t n,
                         const char *const words[]);

#endif
