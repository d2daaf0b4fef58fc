/* Text of others (names, what peers and children say) before it reaches a terminal. */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include <stddef.h>
#include <stdio.h>

/* Prints a name as leat_text_quote writes it. */
void quote_print(FILE *to, const char *name);

/* Replaces each byte of what a terminal would obey, or not understand, by '?', and cuts off a letter that is incomplete
 * at the end. */
void quote_mask(char *text);

/* What of a spec may be told: all of it, or of one that begins with a scheme, "//" and a login
 * ("x://USER:PASSWORD@HOST/"), what stands behind the login. It is a part of `spec`. */
const char *quote_without_login(const char *spec);

#endif
