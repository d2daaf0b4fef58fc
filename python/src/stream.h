/* SPDX-License-Identifier: MIT */
/* leat.Stream: a buffer of bytes between a writing and a reading side.
 *
 * No call waits, so each runs with the GIL, and any thread may make it. A stream that waits (`waits`) has two more
 * calls, which release the GIL, and for which the library has a lock of its own. */
#ifndef LEAT_PYTHON_STREAM_H
#define LEAT_PYTHON_STREAM_H

#include "errors.h"
#include <leat/stream.h>
#include <stdbool.h>

struct stream_object {
    PyObject base;
    leat_stream *stream; /* NULL: __init__ has not made it */
    PyObject *room;      /* the reservation; NULL: none */
    PyObject *exception; /* what finish() was given; NULL: none */
    bool reading;        /* a thread waits on that side, without the GIL */
    bool writing;
};

int stream_init(PyObject *module);

/* The stream, or NULL with an exception. */
leat_stream *stream_get(PyObject *object);

/* The same for a side that no other thread waits on. */
leat_stream *stream_reading(PyObject *object);
leat_stream *stream_writing(PyObject *object);

/* The answer of a read that has failed: None (not yet) or NULL with an exception. */
PyObject *stream_answer(PyObject *object, int r);

/* The methods of the reading side. */
PyObject *stream_find(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_starts_with(PyObject *object, PyObject *value);
PyObject *stream_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_take(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_take_at_most(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_take_until(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_take_line(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_take_lines(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stream_readinto(PyObject *object, PyObject *value);
PyObject *stream_skip(PyObject *object, PyObject *value);
PyObject *stream_wait(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);

#endif
