/* SPDX-License-Identifier: MIT */
#include "reader.h"
#include "args.h"
#include "wait.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 64 * 1024 /* of a read to the end, which doubles it as it needs more */
};

static struct reader_object *cast(PyObject *object)
{
    return (struct reader_object *)object;
}

PyObject *reader_wrap(PyTypeObject *type, leat_reader *reader, PyObject *box, bool quick)
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
    cast(object)->end.quick = quick;
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

int reader_make(struct read_call *call, int timeout_ms, bool quick)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct reader_object *self = call->self;
    int r;

    self->end.inside++;
    r = wait_for(step, call, timeout_ms, WAIT_SLICED | (quick && self->end.quick ? WAIT_QUICK : 0));
    if (r < 0 && (r != TRAP_CODE || !pipe_end_raise(&self->end))) {
        leat_reader_error(self->reader, &error);
        error_raise(r, error.code == r ? &error : NULL);
    }
    if (call->turn)
        turn_give(&self->end.turn);
    if (--self->end.inside == 0 && self->end.closed && self->reader)
        free_reader(self);
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

int read_call_grow(struct read_call *call)
{
    char *larger = realloc(call->bytes, call->n * 2);

    if (!larger)
        return -ENOMEM;
    call->bytes = larger;
    call->n *= 2;
    return 0;
}

static int step_full(struct read_call *call, int timeout_ms)
{
    size_t n = 0;
    int r = leat_reader_read_full(call->self->reader, call->bytes + call->done, call->n - call->done, &n, timeout_ms);

    call->done += n;
    return r;
}

/* To the end: the room grows. */
static int step_all(struct read_call *call, int timeout_ms)
{
    int r;

    do {
        if (call->done == call->n && (r = read_call_grow(call)) < 0)
            return r;
        r = step_full(call, timeout_ms);
    } while (r == 0 && call->done == call->n);
    return r;
}

static int step_some(struct read_call *call, int timeout_ms)
{
    return leat_reader_read(call->self->reader, call->bytes, call->n, &call->done, timeout_ms);
}

static int step_peek(struct read_call *call, int timeout_ms)
{
    return leat_reader_peek(call->self->reader, &call->peeked, &call->done, timeout_ms);
}

/* Reads into memory: all n bytes, or what is there. Returns the number; -1: an exception. */
static Py_ssize_t read_into(struct reader_object *self, char *bytes, size_t n, bool full, int timeout_ms)
{
    struct read_call call = {.self = self, .step = full ? step_full : step_some, .bytes = bytes, .n = n};
    Py_ssize_t held = reader_begin(self, bytes, n);

    if (held < 0)
        return -1;
    if ((size_t)held == n || (held > 0 && !full))
        return held;
    call.done = (size_t)held;
    if (reader_make(&call, timeout_ms, n <= WAIT_SMALL) == 0)
        return (Py_ssize_t)call.done;
    reader_hold(self, bytes, call.done);
    return -1;
}

/* A bytes object of what was read of the room of another one, which it takes. */
static PyObject *shortened(PyObject *bytes, Py_ssize_t n)
{
    PyObject *result;

    if (n < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    if (n == PyBytes_Size(bytes))
        return bytes;
    result = PyBytes_FromStringAndSize(PyBytes_AsString(bytes), n);
    Py_DECREF(bytes);
    return result;
}

static PyObject *read_count(struct reader_object *self, Py_ssize_t n, bool full, int timeout_ms)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);

    return bytes ? shortened(bytes, read_into(self, PyBytes_AsString(bytes), (size_t)n, full, timeout_ms)) : NULL;
}

static PyObject *read_all(struct reader_object *self, int timeout_ms)
{
    struct read_call call = {.self = self, .step = step_all, .n = FIRST_ROOM};
    PyObject *result = NULL;
    Py_ssize_t held;

    if (self->held)
        call.n += (size_t)PyBytes_Size(self->held);
    if (!(call.bytes = malloc(call.n)))
        return PyErr_NoMemory();
    held = reader_begin(self, call.bytes, call.n);
    if (held >= 0) {
        call.done = (size_t)held;
        if (reader_make(&call, timeout_ms, false) == 0)
            result = PyBytes_FromStringAndSize(call.bytes, (Py_ssize_t)call.done);
        else
            reader_hold(self, call.bytes, call.done);
    }
    free(call.bytes);
    return result;
}

static PyObject *reader_read(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    Py_ssize_t count;
    int timeout_ms;

    if (args_read(SIGNATURE("read", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_count(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    return count < 0 ? read_all(cast(object), timeout_ms) : read_count(cast(object), count, true, timeout_ms);
}

static PyObject *reader_read1(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    Py_ssize_t count;
    int timeout_ms;

    if (args_read(SIGNATURE("read1", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_count(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    return read_count(cast(object), count < 0 ? FIRST_ROOM : count, false, timeout_ms);
}

static PyObject *into(PyObject *object, const char *name, PyObject *const *args, Py_ssize_t n, PyObject *keywords,
                      bool full)
{
    PyObject *values[2];
    Py_buffer view;
    Py_ssize_t got;
    int timeout_ms;

    if (args_read(SIGNATURE(name, 1, "buffer", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || PyObject_GetBuffer(values[0], &view, PyBUF_WRITABLE) < 0)
        return NULL;
    got = read_into(cast(object), view.buf, (size_t)view.len, full, timeout_ms);
    PyBuffer_Release(&view);
    return got < 0 ? NULL : PyLong_FromSsize_t(got);
}

static PyObject *reader_readinto(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return into(object, "readinto", args, n, keywords, true);
}

static PyObject *reader_readinto1(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return into(object, "readinto1", args, n, keywords, false);
}

static PyObject *reader_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct read_call call = {.self = cast(object), .step = step_peek};
    PyObject *values[2];
    int timeout_ms;

    /* The number is a hint, as that of io.BufferedReader. */
    if (args_read(SIGNATURE("peek", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || reader_begin(cast(object), NULL, 0) < 0)
        return NULL;
    if (cast(object)->held) {
        Py_INCREF(cast(object)->held);
        return cast(object)->held;
    }
    if (reader_make(&call, timeout_ms, true) != 0)
        return NULL;
    return PyBytes_FromStringAndSize(call.peeked, (Py_ssize_t)call.done);
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

static PyMethodDef methods[] = {
    {"read", FAST(reader_read), "read(n=-1, timeout=None): n bytes, or fewer at the end; all if n is negative."},
    {"read1", FAST(reader_read1), "read1(n=-1, timeout=None): the bytes that are there, at least one."},
    {"readinto", FAST(reader_readinto), "readinto(buffer, timeout=None): fills a buffer, and returns how far."},
    {"readinto1", FAST(reader_readinto1), "readinto1(buffer, timeout=None): as readinto, with what is there."},
    {"readline", FAST(reader_readline), "readline(limit=-1, timeout=None): a line with its newline; b'' at the end."},
    {"readlines", FAST(reader_readlines), "readlines(hint=-1): a list of lines."},
    {"peek", FAST(reader_peek), "peek(n=1, timeout=None): the next bytes, which stay unread."},
    {"close", reader_close, METH_NOARGS, "Closes: the writer gets BrokenPipe."},
    {"stats", reader_stats, METH_NOARGS, "Numbers about the pipe, as a dict."},
    {"poll_fd", reader_fd, METH_NOARGS, "A descriptor for event loops."},
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
    PyObject *type = type_add(module, "Reader", &spec);

    Py_XDECREF(type);
    return type ? 0 : -1;
}
