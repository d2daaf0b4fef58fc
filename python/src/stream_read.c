/* SPDX-License-Identifier: MIT */
#include "args.h"
#include "stream.h"
#include "view.h"
#include "wait.h"

enum {
    LINES = 1024 /* that take_lines takes at most, unless it is told otherwise */
};

/* What a take gave: an object, None (not yet), or an exception: Ended, Incomplete, or the stream's own failure. */
static PyObject *taken(PyObject *object, int r, struct leat_view *view, bool as_view)
{
    if (r < 0)
        return stream_answer(object, r);
    if (view->data || view->length > 0)
        return view_wrap(view, as_view);
    return error_raise(-ENODATA, NULL);
}

PyObject *stream_find(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = stream_reading(object);
    uint64_t start = 0, end = SIZE_MAX;
    PyObject *values[3];
    Py_buffer needle;
    size_t at;
    int r;

    if (!stream || args_read(SIGNATURE("find", 1, "needle", "start", "end"), args, n, keywords, values) < 0 ||
        args_size(values[1], &start) < 0 || args_size(values[2], &end) < 0 ||
        PyObject_GetBuffer(values[0], &needle, PyBUF_SIMPLE) < 0)
        return NULL;
    r = leat_stream_find(stream, needle.buf, (size_t)needle.len, (size_t)start, (size_t)end, &at);
    PyBuffer_Release(&needle);
    if (r == -ENODATA)
        return PyLong_FromLong(-1);
    return r < 0 ? stream_answer(object, r) : PyLong_FromSize_t(at);
}

PyObject *stream_starts_with(PyObject *object, PyObject *value)
{
    leat_stream *stream = stream_reading(object);
    Py_buffer prefix;
    int r;

    if (!stream || PyObject_GetBuffer(value, &prefix, PyBUF_SIMPLE) < 0)
        return NULL;
    r = leat_stream_starts_with(stream, prefix.buf, (size_t)prefix.len);
    PyBuffer_Release(&prefix);
    return r < 0 ? stream_answer(object, r) : PyBool_FromLong(r);
}

static PyObject *take_count(PyObject *object, const char *name, PyObject *const *args, Py_ssize_t n, PyObject *keywords,
                            int (*take)(leat_stream *, size_t, struct leat_view *))
{
    leat_stream *stream = stream_reading(object);
    struct leat_view view = {NULL, 0, NULL};
    PyObject *values[2];
    Py_ssize_t count;
    bool as_view = false;
    int r;

    if (!stream || args_read(SIGNATURE(name, 0, "n", "view"), args, n, keywords, values) < 0 ||
        args_count(values[0], &count) < 0 || args_flag(values[1], &as_view) < 0)
        return NULL;
    if (count == 0)
        return PyBytes_FromStringAndSize(NULL, 0);
    if (count < 0)
        count = take == leat_stream_take_at_most ? PY_SSIZE_T_MAX : (Py_ssize_t)leat_stream_length(stream);
    r = take(stream, (size_t)count, &view);
    return taken(object, r, &view, as_view);
}

PyObject *stream_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return take_count(object, "peek", args, n, keywords, leat_stream_peek);
}

PyObject *stream_take(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return take_count(object, "take", args, n, keywords, leat_stream_take);
}

PyObject *stream_take_at_most(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return take_count(object, "take_at_most", args, n, keywords, leat_stream_take_at_most);
}

/* keep, rest and view, as flags. -1 with an exception. */
static int take_flags(PyObject *const *values, unsigned *flags, bool *as_view)
{
    bool keep = false, rest = false;

    if (args_flag(values[0], &keep) < 0 || args_flag(values[1], &rest) < 0 || args_flag(values[2], as_view) < 0)
        return -1;
    *flags = (keep ? LEAT_STREAM_KEEP : 0u) | (rest ? LEAT_STREAM_REST : 0u) | (*as_view ? 0u : LEAT_STREAM_BORROW);
    return 0;
}

PyObject *stream_take_until(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = stream_reading(object);
    struct leat_view view = {NULL, 0, NULL};
    bool as_view = false;
    PyObject *values[4];
    Py_buffer separator;
    unsigned flags;
    int r;

    if (!stream ||
        args_read(SIGNATURE("take_until", 1, "separator", "keep", "rest", "view"), args, n, keywords, values) < 0 ||
        take_flags(values + 1, &flags, &as_view) < 0 || PyObject_GetBuffer(values[0], &separator, PyBUF_SIMPLE) < 0)
        return NULL;
    r = leat_stream_take_until(stream, separator.buf, (size_t)separator.len, flags, &view);
    PyBuffer_Release(&separator);
    return taken(object, r, &view, as_view);
}

PyObject *stream_take_line(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = stream_reading(object);
    struct leat_view view = {NULL, 0, NULL};
    bool as_view = false;
    PyObject *values[3];
    unsigned flags;
    int r;

    if (!stream || args_read(SIGNATURE("take_line", 0, "keep", "rest", "view"), args, n, keywords, values) < 0 ||
        take_flags(values, &flags, &as_view) < 0)
        return NULL;
    r = leat_stream_take_line(stream, flags, &view);
    return taken(object, r, &view, as_view);
}

/* A list of the lines that are there. It is empty if there is none yet. Behind the last line it is Ended, as of
 * take_line. */
PyObject *stream_take_lines(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = stream_reading(object);
    struct leat_view view = {NULL, 0, NULL};
    PyObject *values[3], *list, *line = NULL;
    bool as_view = false;
    uint64_t most = LINES;
    unsigned flags;
    int r = 0;

    if (!stream || args_read(SIGNATURE("take_lines", 0, "n", "keep", "rest"), args, n, keywords, values) < 0 ||
        args_size(values[0], &most) < 0 ||
        take_flags((PyObject *[]){values[1], values[2], NULL}, &flags, &as_view) < 0 || !(list = PyList_New(0)))
        return NULL;
    while ((uint64_t)PyList_Size(list) < most && (r = leat_stream_take_line(stream, flags, &view)) == 0 &&
           (view.data || view.length > 0)) {
        if (!(line = view_wrap(&view, false)) || PyList_Append(list, line) < 0) {
            Py_XDECREF(line);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(line);
    }
    if (PyList_Size(list) > 0 || most == 0 || r == -EAGAIN)
        return list;
    Py_DECREF(list);
    return taken(object, r, &view, false);
}

PyObject *stream_readinto(PyObject *object, PyObject *value)
{
    leat_stream *stream = stream_reading(object);
    Py_buffer buffer;
    size_t n = 0;
    int r;

    if (!stream || PyObject_GetBuffer(value, &buffer, PyBUF_WRITABLE) < 0)
        return NULL;
    r = leat_stream_read(stream, buffer.buf, (size_t)buffer.len, &n);
    PyBuffer_Release(&buffer);
    return r < 0 ? stream_answer(object, r) : PyLong_FromSize_t(n);
}

PyObject *stream_skip(PyObject *object, PyObject *value)
{
    leat_stream *stream = stream_reading(object);
    uint64_t n = 0;
    int r;

    if (!stream || args_size(value, &n) < 0)
        return NULL;
    r = leat_stream_skip(stream, (size_t)n);
    return r < 0 ? stream_answer(object, r) : PyBool_FromLong(1);
}

struct waiting {
    leat_stream *stream;
    size_t n;
};

static int step_wait(void *context, int timeout_ms)
{
    struct waiting *call = context;

    return leat_stream_wait(call->stream, call->n, timeout_ms);
}

/* Waits until more than n bytes are there, or the end. */
PyObject *stream_wait(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct stream_object *self = (struct stream_object *)object;
    struct waiting call = {stream_reading(object), 0};
    PyObject *values[2];
    uint64_t count = 0;
    int r, timeout_ms;

    if (!call.stream || args_read(SIGNATURE("wait", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    call.n = (size_t)count;
    self->reading = true;
    r = wait_for(step_wait, &call, timeout_ms, WAIT_QUICK);
    self->reading = false;
    if (r < 0)
        return error_raise(r, NULL);
    if (r == WAIT_RAISED)
        return NULL;
    Py_RETURN_NONE;
}
