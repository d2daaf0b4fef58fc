/* SPDX-License-Identifier: MIT */
/* Reads of a number of bytes, of all of them, or of what is there. */
#include "args.h"
#include "lend.h"
#include "reader.h"
#include "wait.h"
#include <errno.h>
#include <stdlib.h>

enum {
    FIRST_ROOM = 64 * 1024 /* of a read to the end, which doubles it as it needs more */
};

static struct reader_object *cast(PyObject *object)
{
    return (struct reader_object *)object;
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

/* n bytes; if they are a bytes object that the writer has lent, that object. For one thread at a time: another read
 * between the look at the bytes and their end would get them as well. */
PyObject *reader_borrow(PyObject *object, PyObject *value)
{
    struct read_call call = {.self = cast(object), .step = step_peek};
    PyObject *bytes;
    Py_ssize_t n;

    if (args_count(value, &n) < 0)
        return NULL;
    if (n < 0)
        return read_all(cast(object), -1);
    if (n < LEND_FROM || cast(object)->held)
        return read_count(cast(object), n, true, -1);
    if (reader_begin(cast(object), NULL, 0) < 0 || reader_make(&call, -1, true) != 0)
        return NULL;
    bytes = call.done == (size_t)n && !cast(object)->end.closed ? lend_find(call.peeked, call.done) : NULL;
    if (bytes && leat_reader_consume(cast(object)->reader, call.done) == 0)
        return bytes;
    Py_XDECREF(bytes);
    return read_count(cast(object), n, true, -1);
}

PyObject *reader_read(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    Py_ssize_t count;
    int timeout_ms;

    if (args_read(SIGNATURE("read", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_count(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    return count < 0 ? read_all(cast(object), timeout_ms) : read_count(cast(object), count, true, timeout_ms);
}

PyObject *reader_read1(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
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

PyObject *reader_readinto(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return into(object, "readinto", args, n, keywords, true);
}

PyObject *reader_readinto1(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return into(object, "readinto1", args, n, keywords, false);
}

PyObject *reader_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
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
