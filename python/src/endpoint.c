/* SPDX-License-Identifier: MIT */
#include "endpoint.h"
#include "args.h"
#include "brief.h"
#include "callbacks.h"
#include "hold.h"
#include "pipe.h"
#include <errno.h>
#include <string.h>

static leat_endpoint *made(int r, leat_endpoint *endpoint, const struct leat_error *error)
{
    if (r == 0)
        return endpoint;
    error_raise(r, error);
    return NULL;
}

static leat_endpoint *of_spec(const char *spec, enum leat_direction direction,
                              const struct leat_endpoint_options *options)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *endpoint = NULL;
    int r;

    Py_BEGIN_ALLOW_THREADS r = leat_endpoint_open(&endpoint, spec, direction, options, &error);
    Py_END_ALLOW_THREADS return made(r, endpoint, &error);
}

static leat_endpoint *of_text(PyObject *text, const char *scheme, enum leat_direction direction,
                              const struct leat_endpoint_options *options, struct endpoint_parts *parts)
{
    PyObject *bytes = args_encode(text), *spec;
    leat_endpoint *endpoint;

    if (!bytes)
        return NULL;
    spec = PyBytes_FromFormat("%s%s", scheme, PyBytes_AsString(bytes));
    Py_DECREF(bytes);
    if (!spec)
        return NULL;
    if (!brief_spec(PyBytes_AsString(spec), direction))
        parts->long_run = true;
    endpoint = of_spec(PyBytes_AsString(spec), direction, options);
    Py_DECREF(spec);
    return endpoint;
}

static leat_endpoint *of_descriptor(int fd)
{
    leat_endpoint *endpoint = NULL;
    int r = leat_endpoint_from_fd(&endpoint, fd, LEAT_BORROW);

    return made(r, endpoint, NULL);
}

/* An end of a pipe: the pipeline takes it, and the object is closed. */
static leat_endpoint *of_pipe(PyObject *what, enum leat_direction direction, struct endpoint_parts *parts)
{
    leat_endpoint *endpoint = NULL;
    leat_reader *reader = NULL;
    leat_writer *writer = NULL;
    int r;

    parts->long_run = true;
    if (PyList_Append(parts->traps, ((struct pipe_end *)what)->box) < 0)
        return NULL;
    if (direction == LEAT_READ) {
        if (!(reader = reader_release(what)))
            return NULL;
        r = leat_endpoint_from_reader(&endpoint, reader);
    } else {
        if (!(writer = writer_release(what)))
            return NULL;
        r = leat_endpoint_from_writer(&endpoint, writer);
    }
    return made(r, endpoint, NULL);
}

/* The descriptor of an object; -1: it has none. */
static int descriptor_of(PyObject *what)
{
    int fd = PyLong_Check(what) || PyObject_HasAttrString(what, "fileno") ? PyObject_AsFileDescriptor(what) : -1;

    if (fd < 0 && !PyLong_Check(what))
        PyErr_Clear(); /* io.BytesIO has the method, and raises */
    return fd;
}

static leat_endpoint *of_bytes(PyObject *what, enum leat_direction direction, struct endpoint_parts *parts)
{
    struct hold *hold = hold_bytes(what, direction == LEAT_WRITE, parts->keep);
    leat_endpoint *endpoint = NULL;
    int r;

    if (!hold)
        return NULL;
    if (!brief_size(hold->view.len))
        parts->long_run = true;
    if (direction == LEAT_READ)
        r = leat_endpoint_from_memory(&endpoint, hold->view.buf, (size_t)hold->view.len);
    else
        r = leat_endpoint_to_memory(&endpoint, hold->view.buf, (size_t)hold->view.len, NULL);
    return made(r, endpoint, NULL);
}

leat_endpoint *endpoint_make(PyObject *what, enum leat_direction direction, const struct leat_endpoint_options *options,
                             struct endpoint_parts *parts)
{
    int fd;

    if (PyUnicode_Check(what))
        return of_text(what, "", direction, options, parts);
    if (PyObject_HasAttrString(what, "__fspath__"))
        return of_text(what, "file:", direction, options, parts);
    if (direction == LEAT_READ ? reader_check(what) : writer_check(what))
        return of_pipe(what, direction, parts);
    if (PyObject_CheckBuffer(what))
        return of_bytes(what, direction, parts);
    parts->long_run = true;
    if ((fd = descriptor_of(what)) >= 0)
        return of_descriptor(fd);
    if (PyErr_Occurred())
        return NULL;
    if (PyObject_HasAttrString(what, direction == LEAT_READ ? "read" : "write"))
        return callbacks_endpoint(what, direction, &parts->trap);
    PyErr_Format(PyExc_TypeError, "a %s is a spec, a path, a file, a descriptor, an end of a pipe, or bytes, not %R",
                 direction == LEAT_READ ? "source" : "sink", Py_TYPE(what));
    return NULL;
}
