/* SPDX-License-Identifier: MIT */
/* A file that the command writes besides: it appears whole when it is complete, or not at all. */
#ifndef CLI_TREES_WHOLE_H
#define CLI_TREES_WHOLE_H

#include "cli.h"

/* Prints the next piece of the text, of a few KiB. Returns 1; 0: there is no more; or a negative errno after a message.
 */
typedef int whole_print_fn(void *user, FILE *to);

/* Looks whether the file can be written, and changes nothing. `option` is the one that names the file; both texts are
 * borrowed. "-" is standard output. Returns 0, or an exit code after a message. */
struct whole;
int whole_open(struct whole **ret, const char *option, const char *file);
/* Writes the text and frees `whole`; once. Returns 0, or an exit code after a message. */
int whole_write(struct whole *whole, whole_print_fn *print, void *user);
/* Frees it without writing. NULL is allowed. */
void whole_free(struct whole *whole);

#endif
