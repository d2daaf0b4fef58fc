/* SPDX-License-Identifier: MIT */
/* Searches a stream for a run of bytes, the needle. The stream is fed piece by piece, and each byte is looked at once,
 * because the search remembers how much of the needle the last bytes match. The algorithm is that of Knuth, Morris and
 * Pratt, with memchr for the first byte. */
#ifndef BUFFER_SEARCH_H
#define BUFFER_SEARCH_H

#include "base/base.h"
#include <stdbool.h>

struct search {
    uint8_t *needle;
    size_t n;       /* length of the needle; 0: the search is not in use */
    size_t *border; /* for each prefix of the needle, the length of the longest shorter prefix that it ends with */
    size_t capacity;
    size_t matched; /* the last bytes fed match this many first bytes of the needle */
    uint64_t from;  /* every match is known that begins at `from` or later */
    uint64_t at;    /* and ends at `at` or before: there is none, or the first one is at hit_at */
    bool hit;
    uint64_t hit_at;
    void *place; /* for the caller: the segment that has `at` */
};

/* Sets the needle, which is copied. Forgets all matches if the needle is another one. -ENOMEM: the search is unchanged.
 */
int search_for(struct search *search, const void *needle, size_t n);
bool search_is_for(const struct search *search, const void *needle, size_t n);
void search_free(struct search *search);

/* Excludes matches that begin before `start`. Afterwards search_feed expects the bytes from `at` on. */
void search_from(struct search *search, uint64_t start);

/* Feeds the bytes from `at` on. Returns true if a match ends in them; then `at` is the end of the match, and hit_at its
 * start. */
bool search_feed(struct search *search, const uint8_t *bytes, size_t n);

#endif
