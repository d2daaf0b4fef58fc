/* SPDX-License-Identifier: MIT */
/* Which runs are so brief that they need no thread of their own for Ctrl-C to end them in time. */
#ifndef LEAT_PYTHON_BRIEF_H
#define LEAT_PYTHON_BRIEF_H

#include "abi.h"
#include <leat/endpoint.h>
#include <stdbool.h>

/* Is this a small regular file, by its spec, or a sink that will be one? */
bool brief_spec(const char *spec, enum leat_direction direction);

/* Are these few bytes? */
bool brief_size(Py_ssize_t n);

#endif
