/* SPDX-License-Identifier: MIT */
/* Prepares text from outside (names, messages of peers and children) for a terminal. */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include <stddef.h>
#include <stdio.h>

/* Prints a name in the form that leat_text_quote writes. */
void quote_print(FILE *to, const char *name);

/* Replaces each byte of a control character or of invalid UTF-8 by '?', and removes an incomplete character at the end.
 */
void quote_mask(char *text);

/* Returns the part of `spec` that may be shown. If `spec` starts with a scheme, "//" and a login
 * ("x://USER:PASSWORD@HOST/"), that is the part behind the login; otherwise it is all of `spec`. */
const char *quote_without_login(const char *spec);

/* Returns how many bytes of quote_without_login(spec) may be shown. Of an http: or https: URL these are the bytes up to
 * its '?', because a query may have a signature or a token. */
size_t quote_length(const char *spec);

/* Removes from each URL in a text, such as a command, the login and what follows the path. A URL ends at a blank or a
 * quotation mark. */
void quote_hide_secrets(char *text);

#endif
