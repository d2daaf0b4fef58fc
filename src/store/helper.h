/* Programs that know secrets: what they say on standard output is the answer. */
#ifndef STORE_HELPER_H
#define STORE_HELPER_H

#include <stdatomic.h>
#include <stddef.h>

/* Runs /bin/sh -c `command` with `input` on its standard input, and fills `answer`, also on failure. Waits at most
 * `patience_ms`, then, or once *stop is true (may be NULL), the program is killed: -ETIMEDOUT. Else what a pipeline
 * says, as -EIO if the program fails. */
int helper_run(const char *command, const char *input, char *answer, size_t capacity, size_t *ret_n, int patience_ms,
               const atomic_bool *stop);

#endif
