/* SPDX-License-Identifier: MIT */
/* Lines. While they lie in one piece of the pipe, they are found there and copied once, and the piece is consumed as a
 * whole: a line then costs little more than its object. While another thread is in a call of the same reader, and for a
 * line that lies in two pieces, leat_reader_read_line does it. */
#include "args.h"
#include "reader.h"
#include "wait.h"
#include <stdlib.h>
#include <string.h>

/* Looks at the next piece without waiting. false: there is none now, or the reader is closed, with an exception then.
 */
static bool next_piece(struct reader_object *self)
{
    const void *piece;
    size_t n;
    int r;

    if (reader_begin(self, NULL, 0) < 0)
        return false;
    if (pipe_end_quick(&self->end)) {
        r = leat_reader_peek(self->reader, &piece, &n, 0);
    } else {
        self->end.inside++; /* a filter may run now, for any time */
        Py_BEGIN_ALLOW_THREADS r = leat_reader_peek(self->reader, &piece, &n, 0);
        Py_END_ALLOW_THREADS reader_leave(self);
    }
    if (r < 0 || n == 0 || self->end.inside > 0 || pipe_end_check(&self->end) < 0)
        return false;
    self->piece = piece;
    self->piece_n = n;
    return true;
}

/* The next line of the piece, or NULL without an exception. */
static PyObject *line_of_piece(struct reader_object *self, size_t limit)
{
    const char *start, *end;
    size_t left, n;

    if (self->end.inside > 0 || self->held || (self->piece_at == self->piece_n && !next_piece(self)))
        return NULL;
    start = self->piece + self->piece_at;
    left = self->piece_n - self->piece_at;
    if (left > limit)
        left = limit;
    if (!(end = memchr(start, '\n', left)) && left < limit)
        return NULL;
    n = end ? (size_t)(end - start) + 1 : left;
    self->piece_at += n;
    return PyBytes_FromStringAndSize(start, (Py_ssize_t)n);
}

/* Reads on until there is a whole line, or `limit` bytes of it, or the end. */
static int step_line(struct read_call *call, int timeout_ms)
{
    for (;;) {
        size_t room, n = 0;
        int r = call->n - call->done < 2 ? read_call_grow(call) : 0;

        if (r < 0)
            return r;
        room = call->n - call->done;
        if (room > call->limit - call->done)
            room = call->limit - call->done + 1;
        r = leat_reader_read_line(call->self->reader, call->bytes + call->done, room, &n, timeout_ms);
        call->done += n;
        if (r < 0 || n < room - 1 || call->done == call->limit || call->bytes[call->done - 1] == '\n')
            return r;
    }
}

/* The length of the line at the start of what is held; 0: there is no whole one. */
static size_t line_of_held(const struct reader_object *self, size_t limit)
{
    const char *bytes, *end;
    size_t n;

    if (!self->held)
        return 0;
    bytes = PyBytes_AsString(self->held);
    n = (size_t)PyBytes_Size(self->held);
    if (n > limit)
        n = limit;
    end = memchr(bytes, '\n', n);
    return end ? (size_t)(end - bytes) + 1 : n == limit ? n : 0;
}

static PyObject *line(struct reader_object *self, size_t limit, int timeout_ms)
{
    struct read_call call = {.self = self, .step = step_line, .n = 512, .limit = limit};
    size_t held = self->held ? (size_t)PyBytes_Size(self->held) : 0, whole = line_of_held(self, limit);
    PyObject *result = NULL;
    Py_ssize_t n;

    if (call.n < held + 2)
        call.n = held + 2;
    if (!(call.bytes = malloc(call.n)))
        return PyErr_NoMemory();
    n = reader_begin(self, call.bytes, whole ? whole : held);
    call.done = n < 0 ? 0 : (size_t)n;
    if (n >= 0 && (whole || reader_make(&call, timeout_ms, true) == 0))
        result = PyBytes_FromStringAndSize(call.bytes, (Py_ssize_t)call.done);
    else if (n >= 0)
        reader_hold(self, call.bytes, call.done);
    free(call.bytes);
    return result;
}

static PyObject *next_line(struct reader_object *self, size_t limit, int timeout_ms)
{
    PyObject *result;

    if (pipe_end_check(&self->end) < 0)
        return NULL;
    result = line_of_piece(self, limit);
    return result || PyErr_Occurred() ? result : line(self, limit, timeout_ms);
}

PyObject *reader_readline(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    Py_ssize_t limit;
    int timeout_ms;

    if (args_read(SIGNATURE("readline", 0, "limit", "timeout"), args, n, keywords, values) < 0 ||
        args_count(values[0], &limit) < 0 || args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    if (limit == 0)
        return PyBytes_FromStringAndSize(NULL, 0);
    return next_line((struct reader_object *)object, limit < 0 ? PY_SSIZE_T_MAX : (size_t)limit, timeout_ms);
}

PyObject *reader_next(PyObject *object)
{
    PyObject *result = next_line((struct reader_object *)object, PY_SSIZE_T_MAX, -1);

    if (result && PyBytes_Size(result) == 0)
        Py_CLEAR(result);
    return result;
}

PyObject *reader_readlines(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[1], *list, *result;
    Py_ssize_t hint, total = 0;

    if (args_read(SIGNATURE("readlines", 0, "hint"), args, n, keywords, values) < 0 ||
        args_count(values[0], &hint) < 0 || !(list = PyList_New(0)))
        return NULL;
    while ((hint <= 0 || total < hint) && (result = reader_next(object))) {
        int r = PyList_Append(list, result);

        total += PyBytes_Size(result);
        Py_DECREF(result);
        if (r < 0)
            break;
    }
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}
