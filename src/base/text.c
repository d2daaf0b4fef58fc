/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int text_close(FILE *to, char **text)
{
    if (fclose(to) == 0 && *text)
        return 0;
    free(*text);
    *text = NULL;
    return -ENOMEM;
}

char *text_join(const char *a, const char *b, const char *c)
{
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(n);
    if (text)
        snprintf(text, n, "%s%s%s", a, b, c);
    return text;
}

void text_hex(const uint8_t *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * n] = '\0';
}

/* In C's own letters, whatever the locale is. */
size_t text_scheme(const char *spec)
{
    size_t n = strspn(spec, "abcdefghijklmnopqrstuvwxyz0123456789+-");
    return spec[0] >= 'a' && spec[0] <= 'z' && spec[n] == ':' ? n : 0;
}
