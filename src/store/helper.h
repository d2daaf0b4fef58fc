/* SPDX-License-Identifier: MIT */
/* Runs credential helpers: programs that print a secret on standard output. */
#ifndef STORE_HELPER_H
#define STORE_HELPER_H

#include <stdatomic.h>
#include <stddef.h>

/* Runs /bin/sh -c `command` with `input` as its standard input, and reads its output into `answer`, also after a
 * failure. Blocks for at most `patience_ms`. After that time, or when *stop becomes true (`stop` may be NULL), it kills
 * the program and returns -ETIMEDOUT. Otherwise it returns what a pipeline returns, such as -EIO if the program
 * fails. */
int helper_run(const char *command, const char *input, char *answer, size_t capacity, size_t *ret_n, int patience_ms,
               const atomic_bool *stop);

#endif
