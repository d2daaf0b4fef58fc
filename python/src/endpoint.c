/* SPDX-License-Identifier: MIT */
#include "endpoint.h"
#include "args.h"
#include "hold.h"
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
                              const struct leat_endpoint_options *options)
{
    PyObject *bytes = args_encode(text), *spec;
    leat_endpoint *endpoint;

    if (!bytes)
        return NULL;
    spec = PyBytes_FromFormat("%s%s", scheme, PyBytes_AsString(bytes));
    Py_DECREF(bytes);
    if (!spec)
        return NULL;
    endpoint = of_spec(PyBytes_AsString(spec), direction, options);
    Py_DECREF(spec);
    return endpoint;
}

static leat_endpoint *of_descriptor(PyObject *what)
{
    leat_endpoint *endpoint = NULL;
    int fd = PyObject_AsFileDescriptor(what);
    int r;

    if (fd < 0)
        return NULL;
    r = leat_endpoint_from_fd(&endpoint, fd, LEAT_BORROW);
    return made(r, endpoint, NULL);
}

static leat_endpoint *of_bytes(PyObject *what, enum leat_direction direction, PyObject *keep)
{
    struct hold *hold = hold_bytes(what, direction == LEAT_WRITE, keep);
    leat_endpoint *endpoint = NULL;
    int r;

    if (!hold)
        return NULL;
    if (direction == LEAT_READ)
        r = leat_endpoint_from_memory(&endpoint, hold->view.buf, (size_t)hold->view.len);
    else
        r = leat_endpoint_to_memory(&endpoint, hold->view.buf, (size_t)hold->view.len, NULL);
    return made(r, endpoint, NULL);
}

leat_endpoint *endpoint_make(PyObject *what, enum leat_direction direction, const struct leat_endpoint_options *options,
                             PyObject *keep, struct trap *trap)
{
    if (PyUnicode_Check(what))
        return of_text(what, "", direction, options);
    if (PyObject_HasAttrString(what, "__fspath__"))
        return of_text(what, "file:", direction, options);
    if (PyLong_Check(what) || PyObject_HasAttrString(what, "fileno"))
        return of_descriptor(what);
    if (PyObject_CheckBuffer(what))
        return of_bytes(what, direction, keep);
    PyErr_Format(PyExc_TypeError, "a %s is a spec, a path, a file, a descriptor or bytes, not %R",
                 direction == LEAT_READ ? "source" : "sink", Py_TYPE(what));
    return NULL;
}
