/* Texts that are written with stdio and given to the caller (open_memstream). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdio.h>

/* Closes the stream that fills *text. 0: the text is whole. -ENOMEM: it is not, and *text becomes NULL. fclose alone
 * does not tell: glibc says 0 and stores NULL when the last allocation fails. */
int text_close(FILE *to, char **text);

#endif
