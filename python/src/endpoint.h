/* SPDX-License-Identifier: MIT */
/* Sources and sinks of Python objects. */
#ifndef LEAT_PYTHON_ENDPOINT_H
#define LEAT_PYTHON_ENDPOINT_H

#include "errors.h"
#include <leat/endpoint.h>

/* What the endpoints of a pipeline share. */
struct endpoint_parts {
    PyObject *keep;   /* a list: what has to live until the run has ended */
    PyObject *traps;  /* a list: filters, and boxes of pipes, which may have exceptions */
    struct trap trap; /* the exception of a method of an endpoint */
    bool long_run;    /* an endpoint may take or give bytes for long */
};

/* Makes an endpoint of
 *   - a str: a spec;
 *   - a path object: the file of that name, even if the name looks like a spec;
 *   - an end of a leat.pipe(), which the pipeline takes;
 *   - an object of bytes: a source of these bytes, or a sink that fills them;
 *   - an int, or an object with a descriptor: it is borrowed;
 *   - an object with a method read(), or write().
 * The parts live as long as the endpoint. NULL: there is an exception. */
leat_endpoint *endpoint_make(PyObject *what, enum leat_direction direction, const struct leat_endpoint_options *options,
                             struct endpoint_parts *parts);

#endif
