/* SPDX-License-Identifier: MIT */
/* A pattern and a path, separated by a tab: the answer is that of a matcher that tries all there is, and nothing
 * outside of the two texts is read. */
// instrumented: tree/select/pattern
#include "tree/select/pattern.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void need(bool right)
{
    if (!right)
        abort();
}

/* Does the rest of the pattern match the rest of the path? It has no sets. Only stars differ from what
 * src/tree/select/pattern.c does: here each length is tried. `left`: steps that may still be made. */
static bool matches(const char *p, const char *path, long *left)
{
    if (--*left < 0)
        return false;
    if (!*p)
        return !*path;
    if (*p != '*') {
        bool is_escaped = *p == '\\';
        p += is_escaped;
        bool is_same = *path && *p && (*p == '?' && !is_escaped ? *path != '/' : *p == *path);
        return is_same && matches(p + 1, path + 1, left);
    }
    size_t stars = strspn(p, "*");
    for (;; path++) {
        if (matches(p + stars, path, left))
            return true;
        if (!*path || (stars == 1 && *path == '/'))
            return false;
    }
}

/* An anchored pattern with wildcards is compared with the whole path, so it needs no more rules than these. */
static void compare(const char *pattern, const char *path)
{
    struct pattern read;
    long left = 200000;
    size_t n = strlen(pattern);
    if (pattern[0] != '/' || !strpbrk(pattern, "*?") || strchr(pattern, '[') || pattern[n - 1] == '/' ||
        strstr(pattern, "***"))
        return;
    bool expected = matches(pattern + 1, path, &left);
    need(pattern_read(&read, pattern));
    need(left < 0 || pattern_matches(&read, path, true) == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const uint8_t *end = memchr(bytes, '\t', n);
    size_t length = end ? (size_t)(end - bytes) : n;
    char *pattern = calloc(1, length + 1), *path = calloc(1, n - length + 1);
    struct pattern read;
    need(pattern && path);
    memcpy(pattern, bytes, length);
    if (end)
        memcpy(path, end + 1, n - length - 1);
    size_t used = strlen(path);
    bool is_path = used > 0 && path[0] != '/' && path[used - 1] != '/';
    if (pattern_read(&read, pattern) && is_path) {
        bool of_file = pattern_matches(&read, path, false), of_folder = pattern_matches(&read, path, true);
        need(of_folder || !of_file); /* no rule is for files alone */
        need(!read.is_folder || !of_file);
        compare(pattern, path);
    }
    free(pattern);
    free(path);
    return 0;
}
