/* SPDX-License-Identifier: MIT */
#include "writer.h"
#include "args.h"
#include "filter.h"
#include "lend.h"
#include "room.h"
#include "wait.h"
#include <errno.h>
#include <string.h>

static PyTypeObject *writer_type;

static struct writer_object *cast(PyObject *object)
{
    return (struct writer_object *)object;
}

PyObject *writer_wrap(PyTypeObject *type, leat_writer *writer, PyObject *box)
{
    PyObject *object = ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    int r = object ? turn_init(&cast(object)->end.turn) : 0;

    if (!object || r < 0) {
        leat_writer_close(writer);
        Py_XDECREF(object);
        return r < 0 ? error_raise(r, NULL) : NULL;
    }
    Py_INCREF(box);
    cast(object)->end.box = box;
    cast(object)->writer = writer;
    return object;
}

static int step(void *context, int timeout_ms)
{
    struct write_call *call = context;
    int r = pipe_end_begin(&call->self->end, &call->turn, timeout_ms);

    return r < 0 ? r : call->step(call, timeout_ms);
}

void writer_free(struct writer_object *self)
{
    leat_writer *writer = self->writer;
    PyObject *type, *exception, *trace;

    self->writer = NULL;
    PyErr_Fetch(&type, &exception, &trace); /* the last reference of a filter calls Python */
    Py_BEGIN_ALLOW_THREADS leat_writer_close(writer);
    Py_END_ALLOW_THREADS PyErr_Restore(type, exception, trace);
}

void writer_leave(struct writer_object *self)
{
    if (--self->end.inside == 0 && self->end.closed && self->writer)
        writer_free(self);
}

/* Why the reader's end is broken: with the exception of a filter as its cause. */
static void raise_broken(struct writer_object *self, struct write_call *call)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *type, *exception, *trace, *cause = NULL;

    leat_writer_error(self->writer, &error);
    if (error.code == TRAP_CODE && pipe_box_raise(self->end.box)) {
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

int writer_make(struct write_call *call, int timeout_ms, bool quick)
{
    struct writer_object *self = call->self;
    int r;

    self->end.inside++;
    r = wait_for(step, call, timeout_ms, WAIT_SLICED | (quick && pipe_end_quick(&self->end) ? WAIT_QUICK : 0));
    if (r == -EPIPE)
        raise_broken(self, call);
    else if (r < 0)
        error_raise_with(r, NULL, "characters_written", PyLong_FromSize_t(call->done));
    if (call->turn)
        turn_give(&self->end.turn);
    writer_leave(self);
    return r == 0 ? 0 : -1;
}

static int step_write(struct write_call *call, int timeout_ms)
{
    size_t n = 0;
    int r = leat_writer_write(call->self->writer, call->bytes + call->done, call->n - call->done, &n, timeout_ms);

    call->done += n;
    return r;
}

static int step_write_view(struct write_call *call, int timeout_ms)
{
    struct leat_view rest;
    size_t n = 0;
    int r = leat_view_slice(call->view, call->done, call->n - call->done, &rest);

    if (r < 0)
        return r;
    r = leat_writer_write_view(call->self->writer, &rest, &n, timeout_ms);
    leat_view_release(&rest);
    call->done += n;
    return r;
}

static int step_write_some(struct write_call *call, int timeout_ms)
{
    return leat_writer_write_some(call->self->writer, call->bytes, call->n, &call->done, timeout_ms);
}

static int step_reserve(struct write_call *call, int timeout_ms)
{
    return leat_writer_reserve(call->self->writer, call->n, &call->room, &call->done, timeout_ms);
}

static int step_commit(struct write_call *call, int timeout_ms)
{
    return leat_writer_commit(call->self->writer, call->n, timeout_ms);
}

static PyObject *write_bytes(PyObject *object, PyObject *data, int timeout_ms,
                             int (*write)(struct write_call *call, int timeout_ms))
{
    struct write_call call = {.self = cast(object), .step = write};
    Py_buffer view;
    int r;

    if (pipe_end_check(&cast(object)->end) < 0 || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    call.bytes = view.buf;
    call.n = (size_t)view.len;
    r = writer_make(&call, timeout_ms, call.n <= WAIT_SMALL);
    PyBuffer_Release(&view);
    return r < 0 ? NULL : PyLong_FromSize_t(call.done);
}

/* Writes a bytes object without a copy, and anything else as write() does. */
static PyObject *writer_lend(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct leat_view view = {NULL, 0, NULL};
    struct write_call call = {.self = cast(object), .step = step_write_view, .view = &view};
    PyObject *values[2];
    int r, timeout_ms;

    if (args_read(SIGNATURE("_lend", 1, "data", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    if (!PyBytes_CheckExact(values[0]) || PyBytes_Size(values[0]) < LEND_FROM)
        return write_bytes(object, values[0], timeout_ms, step_write);
    if (pipe_end_check(&cast(object)->end) < 0 || lend(values[0], &view) < 0)
        return NULL;
    call.n = view.length;
    r = writer_make(&call, timeout_ms, true);
    leat_view_release(&view);
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

static PyObject *writer_reserve(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct write_call call = {.self = cast(object), .step = step_reserve};
    PyObject *values[2], *view;
    uint64_t want = 1;
    int timeout_ms;

    if (args_read(SIGNATURE("reserve", 0, "want", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &want) < 0 || args_timeout(values[1], &timeout_ms) < 0 ||
        pipe_end_check(&cast(object)->end) < 0)
        return NULL;
    call.n = (size_t)want;
    if (writer_make(&call, timeout_ms, true) < 0)
        return NULL;
    cast(object)->end.room = room_new(object, call.room, call.done, true, &view);
    if (cast(object)->end.room)
        return view;
    leat_writer_commit(cast(object)->writer, 0, 0);
    return NULL;
}

static PyObject *writer_commit(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct write_call call = {.self = cast(object), .step = step_commit};
    PyObject *values[2];
    uint64_t count = 0;
    int timeout_ms;

    if (args_read(SIGNATURE("commit", 1, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0 ||
        pipe_end_check(&cast(object)->end) < 0 || room_end(&cast(object)->end.room) < 0)
        return NULL;
    call.n = (size_t)count;
    if (writer_make(&call, timeout_ms, true) < 0)
        return NULL;
    Py_RETURN_NONE;
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
        writer_free(cast(object));
    Py_CLEAR(cast(object)->end.room);
    Py_CLEAR(cast(object)->end.box);
    turn_free(&cast(object)->end.turn);
    type_free(object);
}

bool writer_check(PyObject *object)
{
    return PyObject_TypeCheck(object, writer_type);
}

leat_writer *writer_release(PyObject *object)
{
    leat_writer *writer = cast(object)->writer;

    if (pipe_end_check(&cast(object)->end) < 0 || room_end(&cast(object)->end.room) < 0)
        return NULL;
    if (cast(object)->end.inside > 0) {
        PyErr_SetString(PyExc_ValueError, "the writer is in use");
        return NULL;
    }
    cast(object)->writer = NULL;
    cast(object)->end.closed = true;
    return writer;
}

/* The library takes the filter, unless the time is up. */
static int step_filter(struct write_call *call, int timeout_ms)
{
    int r = leat_writer_filter(call->self->writer, call->filter, timeout_ms, NULL);

    call->kept = r == -EAGAIN || r == -ETIMEDOUT;
    return r;
}

/* The box has the filter first, because its functions may fail at once. */
static PyObject *writer_add_filter(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct write_call call = {.self = cast(object), .step = step_filter, .kept = true};
    PyObject *values[2];
    int timeout_ms;

    if (args_read(SIGNATURE("add_filter", 1, "filter", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || pipe_end_check(&cast(object)->end) < 0 ||
        !(call.filter = filter_ref(values[0])))
        return NULL;
    if (PyList_Append(cast(object)->end.box, values[0]) < 0 || writer_make(&call, timeout_ms, false) < 0) {
        if (call.kept)
            leat_filter_free(call.filter);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"write", FAST(writer_write), "write(data, timeout=None): writes all bytes, and returns their number."},
    {"_lend", FAST(writer_lend), NULL},
    {"write_some", FAST(writer_write_some), "write_some(data, timeout=None): writes at least one byte."},
    {"writelines", writer_writelines, METH_O, "Writes the bytes of each object of an iterable."},
    {"reserve", FAST(writer_reserve), "reserve(want=1, timeout=None): a memoryview of room to write into."},
    {"commit", FAST(writer_commit), "commit(n, timeout=None): writes the first n bytes of the reservation."},
    {"flush", FAST(writer_flush), "flush(timeout=None): filters give what they hold back."},
    {"finish", FAST(writer_finish), "finish(timeout=None): ends the stream."},
    {"fail", writer_fail, METH_O, "fail(reason): ends the stream with an exception, or with an errno value."},
    {"abort", writer_abort, METH_NOARGS, "Closes without an end: the reader gets Cancelled."},
    {"_add_filter", FAST(writer_add_filter), NULL},
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
    writer_type = (PyTypeObject *)type_add(module, "Writer", &spec);
    return writer_type ? 0 : -1;
}
