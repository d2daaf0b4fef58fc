/* SPDX-License-Identifier: MIT */
/* How a stream ends: whole, with a failure, or cut. */
#include "args.h"
#include "room.h"
#include "writer.h"
#include <errno.h>

static struct writer_object *cast(PyObject *object)
{
    return (struct writer_object *)object;
}

static int step_flush(struct write_call *call, int timeout_ms)
{
    return leat_writer_flush(call->self->writer, timeout_ms);
}

static int step_finish(struct write_call *call, int timeout_ms)
{
    return leat_writer_finish(call->self->writer, timeout_ms);
}

static PyObject *simple(PyObject *object, const char *name, PyObject *const *args, Py_ssize_t n, PyObject *keywords,
                        int (*function)(struct write_call *call, int timeout_ms))
{
    struct write_call call = {.self = cast(object), .step = function};
    PyObject *values[1];
    int timeout_ms;

    if (args_read(SIGNATURE(name, 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0 || pipe_end_check(&cast(object)->end) < 0 ||
        writer_make(&call, timeout_ms, false) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *writer_flush(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return simple(object, "flush", args, n, keywords, step_flush);
}

PyObject *writer_finish(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    if (room_end(&cast(object)->end.room) < 0)
        return NULL;
    return simple(object, "finish", args, n, keywords, step_finish);
}

/* Frees the writer, now or when the last thread has left it. */
static void shut(struct writer_object *self)
{
    self->end.closed = true;
    if (self->end.inside == 0 && self->writer)
        writer_free(self);
}

/* fail(reason): an exception, which the reader raises, or an errno value. */
PyObject *writer_fail(PyObject *object, PyObject *reason)
{
    struct writer_object *self = cast(object);
    int r, code = TRAP_CODE;

    if (pipe_end_check(&self->end) < 0 || room_end(&self->end.room) < 0)
        return NULL;
    if (PyExceptionInstance_Check(reason)) {
        Py_INCREF(reason);
        PyList_SetItem(self->end.box, 0, reason);
    } else {
        code = -(int)PyLong_AsLong(reason);
        if (PyErr_Occurred())
            return NULL;
    }
    self->end.inside++;
    Py_BEGIN_ALLOW_THREADS r = leat_writer_fail(self->writer, code);
    Py_END_ALLOW_THREADS writer_leave(self);
    if (r < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

PyObject *writer_abort(PyObject *object, PyObject *nothing)
{
    if (!cast(object)->end.closed && room_end(&cast(object)->end.room) < 0)
        return NULL;
    shut(cast(object));
    Py_RETURN_NONE;
}

/* The end, and then the close, in any case but a timeout: the caller may try again. */
PyObject *writer_close(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct write_call call = {.self = cast(object), .step = step_finish};
    PyObject *values[1];
    int r, timeout_ms;

    if (args_read(SIGNATURE("close", 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0)
        return NULL;
    if (cast(object)->end.closed)
        Py_RETURN_NONE;
    if (room_end(&cast(object)->end.room) < 0)
        return NULL;
    r = writer_make(&call, timeout_ms, false);
    if (r < 0 && PyErr_ExceptionMatches(PyExc_TimeoutError))
        return NULL;
    if (r < 0 && !PyErr_ExceptionMatches(PyExc_OSError))
        return NULL;
    shut(cast(object));
    if (r < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Leaving `with` ends the stream; if the body raises, it fails the stream with that exception. One that is for a single
 * thread or the whole program, such as KeyboardInterrupt, does not go to the reader: to it the stream is cut. */
PyObject *writer_exit(PyObject *object, PyObject *args)
{
    PyObject *type, *exception, *trace, *result;

    if (!PyArg_ParseTuple(args, "OOO", &type, &exception, &trace))
        return NULL;
    if (exception == Py_None)
        return writer_close(object, NULL, 0, NULL);
    if (cast(object)->end.closed)
        Py_RETURN_NONE;
    if (PyObject_IsInstance(exception, PyExc_Exception) == 1) {
        result = writer_fail(object, exception);
        if (!result)
            PyErr_Clear();
        Py_XDECREF(result);
    }
    return writer_abort(object, NULL);
}
