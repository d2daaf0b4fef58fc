/* Reads the header lines of an answer. */
#ifndef STORE_ANSWER_H
#define STORE_ANSWER_H

#include "store/transfer.h"

/* One line, with or without its end. A status line begins a new answer, as after a redirect or "100 Continue". Lines
 * that make no sense are passed over. */
void answer_read_line(struct answer *answer, const char *line, size_t n);

#endif
