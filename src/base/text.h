/* Texts from malloc: those that are written with stdio (open_memstream), and joined ones. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdio.h>

/* Closes the stream that fills *text. 0: the text is whole. -ENOMEM: it is not, and *text becomes NULL. fclose alone
 * does not tell: glibc says 0 and stores NULL when the last allocation fails. */
int text_close(FILE *to, char **text);

/* One behind the other, from malloc. NULL: no memory. */
char *text_join(const char *a, const char *b, const char *c);

#endif
