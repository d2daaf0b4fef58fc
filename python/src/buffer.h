/* SPDX-License-Identifier: MIT */
/* leat._leat.Buffer, of which leat.compat.chunkedbuffer makes its Buffer: a stream whose takes give more of its kind.
 *
 * A Buffer that was taken has only a view at first. Many are looked at and dropped, and a view costs less than a
 * stream. It gets a stream when it is taken from, searched or appended to. No call waits, so each has the GIL from its
 * beginning to its end, and any thread may make it. */
#ifndef LEAT_PYTHON_BUFFER_H
#define LEAT_PYTHON_BUFFER_H

#include "errors.h"
#include <leat/stream.h>
#include <stdbool.h>

struct buffer_object {
    PyObject base;
    leat_stream *stream;   /* NULL: the bytes are those of the view */
    struct leat_view view; /* empty if there is a stream */
    PyObject *room;        /* the reservation; NULL: none */
    size_t cutoff;         /* so many bytes or more are appended without a copy */
};

int buffer_init(PyObject *module);

/* The stream of a Buffer, which is made if need be. NULL: there is an exception. */
leat_stream *buffer_stream(PyObject *object);

/* A view of all bytes, which the caller releases. -1: there is an exception. */
int buffer_view(PyObject *object, struct leat_view *view);

/* A Buffer of the same type, with a view, which it takes, on failure too. */
PyObject *buffer_wrap(PyObject *object, struct leat_view *view);

/* Gives up the objects whose bytes no stream uses any more. It may run any code, so no stream is in a call then. */
void buffer_collect(void);

PyObject *buffer_take(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *buffer_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *buffer_skip(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *buffer_take_until(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *buffer_take_line(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *buffer_find(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *buffer_chunks(PyObject *object, PyObject *nothing);

#endif
