/* SPDX-License-Identifier: MIT */
#include "store/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_write(const char *bytes, size_t n)
{
    char *text = malloc((n + 2) / 3 * 4 + 1), *to = text;
    for (size_t i = 0; text && i < n; i += 3) {
        unsigned value = 0;
        for (size_t k = 0; k < 3; k++)
            value = value << 8 | (i + k < n ? (unsigned char)bytes[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            *to++ = i + k <= n ? letters[value >> (18 - 6 * k) & 63] : '=';
    }
    if (text)
        *to = '\0';
    return text;
}

char *base64_read(const char *text, size_t *ret_n)
{
    size_t length = strlen(text), n = 0;
    unsigned value = 0, bits = 0;
    while (length && text[length - 1] == '=')
        length--;
    char *bytes = malloc(length + 1);
    for (size_t i = 0; bytes && i < length; i++) {
        const char *letter = strchr(letters, text[i]);
        if (!letter) {
            free(bytes);
            return NULL;
        }
        value = value << 6 | (unsigned)(letter - letters);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[n++] = (char)(value >> bits & 255);
        }
    }
    if (bytes) {
        bytes[n] = '\0';
        *ret_n = n;
    }
    return bytes;
}
