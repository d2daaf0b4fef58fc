/* SPDX-License-Identifier: MIT */
#include "args.h"
#include "pipe.h"
#include "room.h"
#include "wait.h"
#include <string.h>

static struct writer_object *cast(PyObject *object)
{
    return (struct writer_object *)object;
}

PyObject *writer_wrap(PyTypeObject *type, leat_writer *writer, PyObject *box, bool quick)
{
    PyObject *object = ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);

    if (!object) {
        leat_writer_close(writer);
        return NULL;
    }
    Py_INCREF(box);
    cast(object)->end.box = box;
    cast(object)->end.quick = quick;
    cast(object)->writer = writer;
    return object;
}

/* A call of the writer: what it does, and how far it is. */
struct call {
    struct writer_object *self;
    int (*step)(struct call *call, int timeout_ms);
    const char *bytes;
    size_t n;
    size_t done;
    void *room;
};

static int step(void *context, int timeout_ms)
{
    struct call *call = context;

    return call->self->end.closed ? -ECANCELED : call->step(call, timeout_ms);
}

static void free_writer(struct writer_object *self)
{
    leat_writer *writer = self->writer;
    PyObject *type, *exception, *trace;

    self->writer = NULL;
    PyErr_Fetch(&type, &exception, &trace); /* the last reference of a filter calls Python */
    Py_BEGIN_ALLOW_THREADS leat_writer_close(writer);
    Py_END_ALLOW_THREADS PyErr_Restore(type, exception, trace);
}

static void leave(struct writer_object *self)
{
    if (--self->end.inside == 0 && self->end.closed && self->writer)
        free_writer(self);
}

/* Why the reader's end is broken: with the exception of a filter as its cause. */
static void raise_broken(struct writer_object *self, struct call *call)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *type, *exception, *trace, *cause = NULL;

    leat_writer_error(self->writer, &error);
    if (error.code == TRAP_CODE && pipe_end_raise(&self->end)) {
        PyErr_Fetch(&type, &cause, &trace);
        Py_XDECREF(type);
        Py_XDECREF(trace);
        error.code = -EPIPE;
        memcpy(error.text, "A filter failed", sizeof("A filter failed"));
    }
    error_raise_with(-EPIPE, &error, "characters_written", PyLong_FromSize_t(call->done));
    if (!cause)
        return;
    PyErr_Fetch(&type, &exception, &trace);
    PyErr_NormalizeException(&type, &exception, &trace);
    PyException_SetCause(exception, cause);
    PyErr_Restore(type, exception, trace);
}

/* Makes the call. 0, or -1 with an exception. */
static int make(struct call *call, int timeout_ms, bool quick)
{
    struct writer_object *self = call->self;
    int r;

    self->end.inside++;
    r = wait_for(step, call, timeout_ms, WAIT_SLICED | (quick && self->end.quick ? WAIT_QUICK : 0));
    if (r == -EPIPE)
        raise_broken(self, call);
    else if (r < 0)
        error_raise_with(r, NULL, "characters_written", PyLong_FromSize_t(call->done));
    leave(self);
    return r == 0 ? 0 : -1;
}

static int step_write(struct call *call, int timeout_ms)
{
    size_t n = 0;
    int r = leat_writer_write(call->self->writer, call->bytes + call->done, call->n - call->done, &n, timeout_ms);

    call->done += n;
    return r;
}

static int step_write_some(struct call *call, int timeout_ms)
{
    return leat_writer_write_some(call->self->writer, call->bytes, call->n, &call->done, timeout_ms);
}

static int step_flush(struct call *call, int timeout_ms)
{
    return leat_writer_flush(call->self->writer, timeout_ms);
}

static int step_finish(struct call *call, int timeout_ms)
{
    return leat_writer_finish(call->self->writer, timeout_ms);
}

static int step_reserve(struct call *call, int timeout_ms)
{
    return leat_writer_reserve(call->self->writer, call->n, &call->room, &call->done, timeout_ms);
}

static int step_commit(struct call *call, int timeout_ms)
{
    return leat_writer_commit(call->self->writer, call->n, timeout_ms);
}

static PyObject *write_bytes(PyObject *object, PyObject *data, int timeout_ms,
                             int (*write)(struct call *call, int timeout_ms))
{
    struct call call = {cast(object), write, NULL, 0, 0, NULL};
    Py_buffer view;
    int r;

    if (pipe_end_check(&cast(object)->end) < 0 || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    call.bytes = view.buf;
    call.n = (size_t)view.len;
    r = make(&call, timeout_ms, call.n <= WAIT_SMALL);
    PyBuffer_Release(&view);
    return r < 0 ? NULL : PyLong_FromSize_t(call.done);
}

static PyObject *writer_write(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    int timeout_ms;

    if (args_read(SIGNATURE("write", 1, "data", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    return write_bytes(object, values[0], timeout_ms, step_write);
}

static PyObject *writer_write_some(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    int timeout_ms;

    if (args_read(SIGNATURE("write_some", 1, "data", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    return write_bytes(object, values[0], timeout_ms, step_write_some);
}

static PyObject *writer_writelines(PyObject *object, PyObject *pieces)
{
    PyObject *iterator = PyObject_GetIter(pieces), *piece, *result;

    while (iterator && (piece = PyIter_Next(iterator))) {
        result = write_bytes(object, piece, -1, step_write);
        Py_DECREF(piece);
        if (!result)
            break;
        Py_DECREF(result);
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *simple(PyObject *object, const char *name, PyObject *const *args, Py_ssize_t n, PyObject *keywords,
                        int (*function)(struct call *call, int timeout_ms))
{
    struct call call = {cast(object), function, NULL, 0, 0, NULL};
    PyObject *values[1];
    int timeout_ms;

    if (args_read(SIGNATURE(name, 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0 || pipe_end_check(&cast(object)->end) < 0 ||
        make(&call, timeout_ms, false) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *writer_flush(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return simple(object, "flush", args, n, keywords, step_flush);
}

static PyObject *writer_finish(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    if (room_end(&cast(object)->end.room) < 0)
        return NULL;
    return simple(object, "finish", args, n, keywords, step_finish);
}

static PyObject *writer_reserve(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct call call = {cast(object), step_reserve, NULL, 0, 0, NULL};
    PyObject *values[2], *view;
    uint64_t want = 1;
    int timeout_ms;

    if (args_read(SIGNATURE("reserve", 0, "want", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &want) < 0 || args_timeout(values[1], &timeout_ms) < 0 ||
        pipe_end_check(&cast(object)->end) < 0)
        return NULL;
    call.n = (size_t)want;
    if (make(&call, timeout_ms, true) < 0)
        return NULL;
    cast(object)->end.room = room_new(object, call.room, call.done, true, &view);
    if (cast(object)->end.room)
        return view;
    leat_writer_commit(cast(object)->writer, 0, 0);
    return NULL;
}

static PyObject *writer_commit(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct call call = {cast(object), step_commit, NULL, 0, 0, NULL};
    PyObject *values[2];
    uint64_t count = 0;
    int timeout_ms;

    if (args_read(SIGNATURE("commit", 1, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0 ||
        pipe_end_check(&cast(object)->end) < 0 || room_end(&cast(object)->end.room) < 0)
        return NULL;
    call.n = (size_t)count;
    if (make(&call, timeout_ms, true) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Frees the writer, now or when the last thread has left it. */
static void shut(struct writer_object *self)
{
    self->end.closed = true;
    if (self->end.inside == 0 && self->writer)
        free_writer(self);
}

/* fail(reason): an exception, which the reader raises, or an errno value. */
static PyObject *writer_fail(PyObject *object, PyObject *reason)
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
    Py_END_ALLOW_THREADS leave(self);
    if (r < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static PyObject *writer_abort(PyObject *object, PyObject *nothing)
{
    if (!cast(object)->end.closed && room_end(&cast(object)->end.room) < 0)
        return NULL;
    shut(cast(object));
    Py_RETURN_NONE;
}

/* The end, and then the close, in any case but a timeout: the caller may try again. */
static PyObject *writer_close(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct call call = {cast(object), step_finish, NULL, 0, 0, NULL};
    PyObject *values[1];
    int r, timeout_ms;

    if (args_read(SIGNATURE("close", 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0)
        return NULL;
    if (cast(object)->end.closed)
        Py_RETURN_NONE;
    if (room_end(&cast(object)->end.room) < 0)
        return NULL;
    r = make(&call, timeout_ms, false);
    if (r < 0 && PyErr_ExceptionMatches(PyExc_TimeoutError))
        return NULL;
    if (r < 0 && !PyErr_ExceptionMatches(PyExc_OSError))
        return NULL;
    shut(cast(object));
    if (r < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Leaving `with` ends the stream; if the body raises, it fails the stream with that exception. */
static PyObject *writer_exit(PyObject *object, PyObject *args)
{
    PyObject *type, *exception, *trace, *result;

    if (!PyArg_ParseTuple(args, "OOO", &type, &exception, &trace))
        return NULL;
    if (exception == Py_None)
        return writer_close(object, NULL, 0, NULL);
    if (cast(object)->end.closed)
        Py_RETURN_NONE;
    result = writer_fail(object, exception);
    if (!result)
        PyErr_Clear();
    Py_XDECREF(result);
    return writer_abort(object, NULL);
}

static PyObject *writer_stats(PyObject *object, PyObject *nothing)
{
    struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);

    if (pipe_end_check(&cast(object)->end) < 0)
        return NULL;
    return pipe_stats_dict(leat_writer_stats(cast(object)->writer, &stats), &stats);
}

static PyObject *writer_fd(PyObject *object, PyObject *nothing)
{
    int r, fd;

    if (pipe_end_check(&cast(object)->end) < 0)
        return NULL;
    r = leat_writer_fd(cast(object)->writer, &fd);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromLong(fd);
}

static void writer_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    if (cast(object)->writer)
        free_writer(cast(object));
    Py_CLEAR(cast(object)->end.room);
    Py_CLEAR(cast(object)->end.box);
    type_free(object);
}

static PyMethodDef methods[] = {
    {"write", FAST(writer_write), "write(data, timeout=None): writes all bytes, and returns their number."},
    {"write_some", FAST(writer_write_some), "write_some(data, timeout=None): writes at least one byte."},
    {"writelines", writer_writelines, METH_O, "Writes the bytes of each object of an iterable."},
    {"reserve", FAST(writer_reserve), "reserve(want=1, timeout=None): a memoryview of room to write into."},
    {"commit", FAST(writer_commit), "commit(n, timeout=None): writes the first n bytes of the reservation."},
    {"flush", FAST(writer_flush), "flush(timeout=None): filters give what they hold back."},
    {"finish", FAST(writer_finish), "finish(timeout=None): ends the stream."},
    {"fail", writer_fail, METH_O, "fail(reason): ends the stream with an exception, or with an errno value."},
    {"abort", writer_abort, METH_NOARGS, "Closes without an end: the reader gets Cancelled."},
    {"close", FAST(writer_close), "close(timeout=None): ends the stream and closes."},
    {"stats", writer_stats, METH_NOARGS, "Numbers about the pipe, as a dict."},
    {"poll_fd", writer_fd, METH_NOARGS, "A descriptor for event loops."},
    {"writable", pipe_end_true, METH_NOARGS, NULL},
    {"readable", pipe_end_false, METH_NOARGS, NULL},
    {"seekable", pipe_end_false, METH_NOARGS, NULL},
    {"isatty", pipe_end_false, METH_NOARGS, NULL},
    {"__enter__", pipe_end_enter, METH_NOARGS, NULL},
    {"__exit__", writer_exit, METH_VARARGS, NULL},
    {0},
};

static PyGetSetDef getters[] = {
    {"closed", pipe_end_closed, NULL, "Is this end closed?", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The writing end of a pipe, which leat.pipe() makes."},
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, writer_dealloc},
    {Py_tp_traverse, pipe_end_traverse},
    {Py_tp_clear, pipe_end_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0},
};

static PyType_Spec spec = {"leat._leat.Writer", sizeof(struct writer_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

int writer_init(PyObject *module)
{
    PyObject *type = type_add(module, "Writer", &spec);

    Py_XDECREF(type);
    return type ? 0 : -1;
}
