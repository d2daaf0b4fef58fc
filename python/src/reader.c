/* SPDX-License-Identifier: MIT */
#include "reader.h"
#include "args.h"
#include "wait.h"
#include <errno.h>
#include <string.h>

static PyTypeObject *reader_type;

static struct reader_object *cast(PyObject *object)
{
    return (struct reader_object *)object;
}

PyObject *reader_wrap(PyTypeObject *type, leat_reader *reader, PyObject *box)
{
    PyObject *object = ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    int r = object ? turn_init(&cast(object)->end.turn) : 0;

    if (!object || r < 0) {
        leat_reader_close(reader);
        Py_XDECREF(object);
        return r < 0 ? error_raise(r, NULL) : NULL;
    }
    Py_INCREF(box);
    cast(object)->end.box = box;
    cast(object)->reader = reader;
    return object;
}

static void free_reader(struct reader_object *self)
{
    leat_reader *reader = self->reader;
    PyObject *type, *exception, *trace;

    self->reader = NULL;
    self->piece_n = self->piece_at = 0;
    PyErr_Fetch(&type, &exception, &trace); /* the last reference of a filter calls Python */
    Py_BEGIN_ALLOW_THREADS leat_reader_close(reader);
    Py_END_ALLOW_THREADS PyErr_Restore(type, exception, trace);
}

static int step(void *context, int timeout_ms)
{
    struct read_call *call = context;
    int r = pipe_end_begin(&call->self->end, &call->turn, timeout_ms);

    return r < 0 ? r : call->step(call, timeout_ms);
}

void reader_leave(struct reader_object *self)
{
    if (--self->end.inside == 0 && self->end.closed && self->reader)
        free_reader(self);
}

int reader_make(struct read_call *call, int timeout_ms, bool quick)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct reader_object *self = call->self;
    int r;

    self->end.inside++;
    r = wait_for(step, call, timeout_ms, WAIT_SLICED | (quick && pipe_end_quick(&self->end) ? WAIT_QUICK : 0));
    if (r < 0 && (r != TRAP_CODE || !pipe_box_raise(self->end.box))) {
        leat_reader_error(self->reader, &error);
        error_raise(r, error.code == r ? &error : NULL);
    }
    if (call->turn)
        turn_give(&self->end.turn);
    reader_leave(self);
    return r;
}

Py_ssize_t reader_begin(struct reader_object *self, char *bytes, size_t n)
{
    PyObject *rest = NULL;
    Py_ssize_t held;

    if (pipe_end_check(&self->end) < 0)
        return -1;
    if (self->piece_at > 0)
        leat_reader_consume(self->reader, self->piece_at);
    self->piece_n = self->piece_at = 0;
    if (!self->held || n == 0)
        return 0;
    held = PyBytes_Size(self->held);
    if ((size_t)held > n) {
        rest = PyBytes_FromStringAndSize(PyBytes_AsString(self->held) + n, held - (Py_ssize_t)n);
        if (!rest)
            return -1;
        held = (Py_ssize_t)n;
    }
    memcpy(bytes, PyBytes_AsString(self->held), (size_t)held);
    Py_DECREF(self->held);
    self->held = rest;
    return held;
}

void reader_hold(struct reader_object *self, const char *bytes, size_t n)
{
    PyObject *type, *exception, *trace, *held;

    if (n == 0)
        return;
    PyErr_Fetch(&type, &exception, &trace);
    held = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)n);
    if (held && self->held)
        PyBytes_ConcatAndDel(&held, self->held);
    if (held)
        self->held = held;
    PyErr_Restore(type, exception, trace);
}

static PyObject *reader_close(PyObject *object, PyObject *nothing)
{
    cast(object)->end.closed = true;
    if (cast(object)->end.inside == 0 && cast(object)->reader)
        free_reader(cast(object));
    Py_RETURN_NONE;
}

static PyObject *reader_exit(PyObject *object, PyObject *args)
{
    return reader_close(object, NULL);
}

static PyObject *reader_stats(PyObject *object, PyObject *nothing)
{
    struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);

    if (reader_begin(cast(object), NULL, 0) < 0)
        return NULL;
    return pipe_stats_dict(leat_reader_stats(cast(object)->reader, &stats), &stats);
}

static PyObject *reader_fd(PyObject *object, PyObject *nothing)
{
    int r, fd;

    if (reader_begin(cast(object), NULL, 0) < 0)
        return NULL;
    r = leat_reader_fd(cast(object)->reader, &fd);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromLong(fd);
}

static void reader_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    if (cast(object)->reader)
        free_reader(cast(object));
    Py_CLEAR(cast(object)->held);
    Py_CLEAR(cast(object)->end.box);
    turn_free(&cast(object)->end.turn);
    type_free(object);
}

bool reader_check(PyObject *object)
{
    return PyObject_TypeCheck(object, reader_type);
}

leat_reader *reader_release(PyObject *object)
{
    leat_reader *reader = cast(object)->reader;

    if (reader_begin(cast(object), NULL, 0) < 0)
        return NULL;
    if (cast(object)->end.inside > 0 || cast(object)->held) {
        PyErr_SetString(PyExc_ValueError, "the reader is in use, or has bytes of a read whose time was up");
        return NULL;
    }
    cast(object)->reader = NULL;
    cast(object)->end.closed = true;
    return reader;
}

/* Puts bytes back, before those that are unread. */
static PyObject *reader_unread(PyObject *object, PyObject *bytes)
{
    if (reader_begin(cast(object), NULL, 0) < 0)
        return NULL;
    if (!PyBytes_Check(bytes))
        return PyErr_Format(PyExc_TypeError, "bytes are put back, not %R", Py_TYPE(bytes));
    reader_hold(cast(object), PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes));
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"read", FAST(reader_read), "read(n=-1, timeout=None): n bytes, or fewer at the end; all if n is negative."},
    {"_borrow", reader_borrow, METH_O, NULL},
    {"read1", FAST(reader_read1), "read1(n=-1, timeout=None): the bytes that are there, at least one."},
    {"readinto", FAST(reader_readinto), "readinto(buffer, timeout=None): fills a buffer, and returns how far."},
    {"readinto1", FAST(reader_readinto1), "readinto1(buffer, timeout=None): as readinto, with what is there."},
    {"readline", FAST(reader_readline), "readline(limit=-1, timeout=None): a line with its newline; b'' at the end."},
    {"readlines", FAST(reader_readlines), "readlines(hint=-1): a list of lines."},
    {"peek", FAST(reader_peek), "peek(n=1, timeout=None): the next bytes, which stay unread."},
    {"_unread", reader_unread, METH_O, NULL},
    {"close", reader_close, METH_NOARGS, "Closes: the writer gets BrokenPipe."},
    {"stats", reader_stats, METH_NOARGS, "Numbers about the pipe, as a dict."},
    {"poll_fd", reader_fd, METH_NOARGS, "A descriptor for event loops."},
    {"flush", pipe_end_none, METH_NOARGS, NULL},
    {"writable", pipe_end_false, METH_NOARGS, NULL},
    {"readable", pipe_end_true, METH_NOARGS, NULL},
    {"seekable", pipe_end_false, METH_NOARGS, NULL},
    {"isatty", pipe_end_false, METH_NOARGS, NULL},
    {"__enter__", pipe_end_enter, METH_NOARGS, NULL},
    {"__exit__", reader_exit, METH_VARARGS, NULL},
    {0},
};

static PyGetSetDef getters[] = {
    {"closed", pipe_end_closed, NULL, "Is this end closed?", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The reading end of a pipe, which leat.pipe() makes. It iterates over lines."},
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, pipe_end_traverse},
    {Py_tp_clear, pipe_end_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_next},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0},
};

static PyType_Spec spec = {"leat._leat.Reader", sizeof(struct reader_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

int reader_init(PyObject *module)
{
    reader_type = (PyTypeObject *)type_add(module, "Reader", &spec);
    return reader_type ? 0 : -1;
}
