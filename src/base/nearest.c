/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"
#include "base/base.h"
#include <leat/base.h>
#include <stdbool.h>
#include <stdio.h>

#define LETTERS_MAX 40 /* a longer word is near to no other */
#define NEAREST_MAX 3
#define FAR         100u

/* Returns how many letters must be inserted, removed, changed or swapped with the next one to turn a into b. This is
 * the usual table of edit distances, of which three rows are kept: `now` for the first i letters of a, `last` and
 * `older` for one and two letters fewer. */
static unsigned distance(const char *a, size_t an, const char *b, size_t bn)
{
    unsigned older[LETTERS_MAX + 1], last[LETTERS_MAX + 1], now[LETTERS_MAX + 1];
    if (an > LETTERS_MAX || bn > LETTERS_MAX)
        return FAR;
    for (size_t k = 0; k <= bn; k++)
        older[k] = last[k] = (unsigned)k;
    for (size_t i = 1; i <= an; i++) {
        now[0] = (unsigned)i;
        for (size_t k = 1; k <= bn; k++) {
            unsigned changed = last[k - 1] + (a[i - 1] != b[k - 1]);
            now[k] = MIN(MIN(last[k], now[k - 1]) + 1, changed);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = MIN(now[k], older[k - 2] + 1);
        }
        memcpy(older, last, sizeof(older));
        memcpy(last, now, sizeof(last));
    }
    return last[bn];
}

/* Returns 1 if the word is the start of the candidate, else the distance if at most a third of the letters is wrong,
 * else FAR. */
static unsigned how_near(const char *word, size_t n, const char *candidate)
{
    size_t length = strlen(candidate);
    if (n >= 3 && n < length && strncmp(word, candidate, n) == 0)
        return 1;
    unsigned d = distance(word, n, candidate, length);
    return d <= MAX(n, length) / 3 || (d == 1 && n > 1) ? d : FAR;
}

size_t leat_text_nearest(char *buffer, size_t size, const char *word, size_t n, const char *const words[])
{
    unsigned least = FAR;
    size_t found = 0, count = 0, used = 0;
    if (size)
        buffer[0] = '\0';
    for (size_t i = 0; words[i]; i++) {
        unsigned d = how_near(word, n, words[i]);
        count = d < least ? 1 : count + (d == least && d < FAR);
        least = MIN(d, least);
    }
    count = MIN(count, NEAREST_MAX);
    for (size_t i = 0; words[i] && found < count && used < size; i++)
        if (how_near(word, n, words[i]) == least) {
            const char *before = found == 0 ? "" : found + 1 == count ? " or " : ", ";
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", before, words[i]);
            found++;
        }
    return count;
}

const char *unknown_word(char buffer[UNKNOWN_MAX], const char *kind, const char *word, size_t n,
                         const char *const words[])
{
    char near[64];
    bool any = leat_text_nearest(near, sizeof(near), word, n, words) > 0;
    size_t used = (size_t)snprintf(buffer, UNKNOWN_MAX, "There is no %s '%.*s'%s%s%s", kind, (int)MIN(n, 40u), word,
                                   any ? "; did you mean " : "", near, any ? "? Known are" : ": known are");
    for (size_t i = 0; words[i] && used < UNKNOWN_MAX; i++)
        used += (size_t)snprintf(buffer + used, UNKNOWN_MAX - used, "%s %s", i ? "," : "", words[i]);
    if (used >= UNKNOWN_MAX)
        strcpy(buffer + UNKNOWN_MAX - 5, " ...");
    return buffer;
}
