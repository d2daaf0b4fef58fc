/* SPDX-License-Identifier: MIT */
/* Reads the header lines of an answer. */
#ifndef STORE_ANSWER_H
#define STORE_ANSWER_H

#include "store/transfer.h"

/* Reads one line, with or without its line end, into *answer. A status line starts a new answer, as it does after a
 * redirect or "100 Continue". Lines that cannot be parsed are ignored. */
void answer_read_line(struct answer *answer, const char *line, size_t n);

#endif
