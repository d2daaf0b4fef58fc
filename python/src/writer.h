/* SPDX-License-Identifier: MIT */
/* What the files of leat.Writer share. */
#ifndef LEAT_PYTHON_WRITER_H
#define LEAT_PYTHON_WRITER_H

#include "pipe.h"
#include <leat/stream.h>

/* A call of the writer: what it does, and how far it is. */
struct write_call {
    struct writer_object *self;
    int (*step)(struct write_call *call, int timeout_ms);
    const char *bytes;
    size_t n;
    size_t done;
    void *room;
    struct leat_view *view; /* of bytes that are not copied */
    leat_filter *filter;    /* one that is added */
    bool kept;              /* it is still ours */
    bool turn;              /* the call has the turn */
};

/* Makes the call. 0, or -1 with an exception. */
int writer_make(struct write_call *call, int timeout_ms, bool quick);

/* Leaves a call that ran without the GIL. */
void writer_leave(struct writer_object *self);

void writer_free(struct writer_object *self);

/* The methods that end a stream. */
PyObject *writer_flush(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *writer_finish(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *writer_fail(PyObject *object, PyObject *reason);
PyObject *writer_abort(PyObject *object, PyObject *nothing);
PyObject *writer_close(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *writer_exit(PyObject *object, PyObject *args);

#endif
