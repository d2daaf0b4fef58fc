/* SPDX-License-Identifier: MIT */
/* What the files of leat.Reader share. */
#ifndef LEAT_PYTHON_READER_H
#define LEAT_PYTHON_READER_H

#include "pipe.h"

/* A read: where its bytes go, and how far it is. */
struct read_call {
    struct reader_object *self;
    int (*step)(struct read_call *call, int timeout_ms);
    char *bytes;
    size_t n;
    size_t done;
    size_t limit;       /* of a line */
    const void *peeked; /* what a peek shows */
    bool turn;          /* the call has the turn */
};

/* Makes the room of a read larger, which malloc(3) has made. A step calls it, without the GIL. 0 or -ENOMEM. */
int read_call_grow(struct read_call *call);

/* Makes the call. 0; a negative errno, or WAIT_RAISED, with an exception. */
int reader_make(struct read_call *call, int timeout_ms, bool quick);

/* Leaves a call that ran without the GIL. */
void reader_leave(struct reader_object *self);

/* Begins a read: consumes what the lines have read of their piece, and copies held bytes, at most n, to `bytes`.
 * Returns how many these are; -1: the reader is closed, with an exception. */
Py_ssize_t reader_begin(struct reader_object *self, char *bytes, size_t n);

/* Holds bytes of a read that has failed for the next one. */
void reader_hold(struct reader_object *self, const char *bytes, size_t n);

PyObject *reader_read(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_borrow(PyObject *object, PyObject *value);
PyObject *reader_read1(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_readinto(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_readinto1(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_readline(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_readlines(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *reader_next(PyObject *object);

#endif
