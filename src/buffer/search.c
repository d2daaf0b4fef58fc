/* SPDX-License-Identifier: MIT */
#include "buffer/search.h"
#include <errno.h>

static int make_room(struct search *search, size_t n)
{
    if (n <= search->capacity)
        return 0;
    uint8_t *needle = malloc(n);
    size_t *border = malloc(n * sizeof(*border));
    if (!needle || !border) {
        free(needle);
        free(border);
        return -ENOMEM;
    }
    search_free(search);
    search->needle = needle;
    search->border = border;
    search->capacity = n;
    return 0;
}

static void find_borders(struct search *search)
{
    search->border[0] = 0;
    for (size_t i = 1, k = 0; i < search->n; i++) {
        while (k && search->needle[i] != search->needle[k])
            k = search->border[k - 1];
        k += search->needle[i] == search->needle[k];
        search->border[i] = k;
    }
}

bool search_is_for(const struct search *search, const void *needle, size_t n)
{
    return search->n == n && memcmp(search->needle, needle, n) == 0;
}

int search_for(struct search *search, const void *needle, size_t n)
{
    if (search_is_for(search, needle, n))
        return 0;
    int r = make_room(search, n);
    if (r < 0)
        return r;
    memcpy(search->needle, needle, n);
    search->n = n;
    search->matched = 0;
    search->from = search->at = 0;
    search->hit = false;
    search->place = NULL;
    find_borders(search);
    return 0;
}

void search_free(struct search *search)
{
    free(search->needle);
    free(search->border);
    *search = (struct search){0};
}

void search_from(struct search *search, uint64_t start)
{
    if (search->hit && start <= search->hit_at && start >= search->from)
        return;
    search->hit = false;
    if (start < search->from || start >= search->at) {
        search->at = start;
        search->matched = 0;
    }
    while (search->matched && search->at - search->matched < start)
        search->matched = search->border[search->matched - 1];
    search->from = start;
}

bool search_feed(struct search *search, const uint8_t *bytes, size_t n)
{
    size_t i = 0, matched = search->matched;
    if (matched == search->n)
        matched = search->border[matched - 1];
    while (i < n) {
        if (matched == 0) {
            const uint8_t *first = memchr(bytes + i, search->needle[0], n - i);
            i = first ? (size_t)(first - bytes) + 1 : n;
            matched = first != NULL;
        } else {
            while (matched && search->needle[matched] != bytes[i])
                matched = search->border[matched - 1];
            matched += search->needle[matched] == bytes[i];
            i++;
        }
        if (matched == search->n) {
            search->hit = true;
            search->hit_at = search->at + i - search->n;
            break;
        }
    }
    search->matched = matched;
    search->at += i;
    return search->hit;
}
