/* SPDX-License-Identifier: MIT */
/* Texts in memory from malloc: texts written with stdio (open_memstream), and joined texts. Bytes as hex digits. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Closes the stream that fills *text. Returns 0 if the text is complete. Otherwise returns -ENOMEM, and *text becomes
 * NULL. The result of fclose alone is not enough: if the last allocation fails, glibc returns 0 and stores NULL. */
int text_close(FILE *to, char **text);

/* Returns a, b and c joined, which the caller frees. NULL: no memory. */
char *text_join(const char *a, const char *b, const char *c);

/* Returns the length of the scheme that the spec starts with, `[a-z][a-z0-9+-]*` before a colon; 0: there is none. */
size_t text_scheme(const char *spec);

/* Writes n bytes as 2 * n small hex digits and a NUL. */
void text_hex(const uint8_t *bytes, size_t n, char *ret);

#endif
