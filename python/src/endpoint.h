/* SPDX-License-Identifier: MIT */
/* Sources and sinks of Python objects. */
#ifndef LEAT_PYTHON_ENDPOINT_H
#define LEAT_PYTHON_ENDPOINT_H

#include "errors.h"
#include <leat/endpoint.h>

/* Makes an endpoint of
 *   - a str: a spec;
 *   - a path object: the file of that name, even if the name looks like a spec;
 *   - an int, or an object with fileno(): a descriptor, which is borrowed;
 *   - an object of bytes: a source of these bytes, or a sink that fills them.
 *   - an object with read() or write(), but without a descriptor: its methods are called; what they raise goes to
 * `trap`. What has to live as long as the pipeline is appended to `keep`, a list. `trap` lives as long as the endpoint.
 * NULL: there is an exception. */
leat_endpoint *endpoint_make(PyObject *what, enum leat_direction direction, const struct leat_endpoint_options *options,
                             PyObject *keep, struct trap *trap);

#endif
