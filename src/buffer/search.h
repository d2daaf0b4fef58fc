/* A search for a run of bytes in a stream of them, which is fed piece by piece and looks at each byte once: it
 * remembers how much of the needle the last bytes were. Knuth, Morris and Pratt's, with memchr for the first byte. */
#ifndef BUFFER_SEARCH_H
#define BUFFER_SEARCH_H

#include "base/base.h"
#include <stdbool.h>

struct search {
    uint8_t *needle;
    size_t n;       /* its length; 0: not in use */
    size_t *border; /* of each beginning of the needle: the longest other beginning that it ends with */
    size_t capacity;
    size_t matched; /* so many of its first bytes are the last ones seen */
    uint64_t from;  /* all matches that begin here or later, */
    uint64_t at;    /* and end here or before, are known: there is none, or the one at hit_at is the first */
    bool hit;
    uint64_t hit_at;
    void *place; /* the caller's: where `at` is */
};

/* For this needle from now on; forgets everything if it is another one. -ENOMEM: as it was. */
int search_for(struct search *search, const void *needle, size_t n);
bool search_is_for(const struct search *search, const void *needle, size_t n);
void search_free(struct search *search);

/* Matches that begin before `start` do not count. Afterwards `at` says from where on bytes are to be fed. */
void search_from(struct search *search, uint64_t start);

/* The bytes from `at` on. True: a match ends in them, `at` is behind it, and hit_at is its place. */
bool search_feed(struct search *search, const uint8_t *bytes, size_t n);

#endif
