/* SPDX-License-Identifier: MIT */
/* The bytes of an archive, decompressed. A pipeline of its own reads the source on a thread of its own, so
 * decompression and unpacking run at the same time. */
#ifndef TREE_UNPACK_INPUT_H
#define TREE_UNPACK_INPUT_H

#include "base/error.h"
#include <leat/endpoint.h>
#include <stdbool.h>
#include <sys/types.h>

struct unpack_input;

/* Begins to read `source`, which it takes, on failure too. Bytes that begin as gzip or zstd do are decompressed.
 * Returns 0 or a negative errno with *error filled in. */
int unpack_input_open(struct unpack_input **ret, leat_endpoint *source, struct leat_error *error);
/* Gives the next bytes, which stay valid until the next call. Returns their number; 0: the end; -ETIMEDOUT: none came
 * within `timeout_ms`; or the code that the source or its decompression failed with. */
ssize_t unpack_input_next(struct unpack_input *input, const void **ret, int timeout_ms);
/* Says why unpack_input_next failed; the reading has ended then. */
void unpack_input_error(struct unpack_input *input, struct leat_error *error);
/* Ends the reading, wherever it is. NULL is allowed. */
void unpack_input_close(struct unpack_input *input);

#endif
