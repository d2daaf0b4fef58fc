/* SPDX-License-Identifier: MIT */
#include "args.h"
#include "buffer.h"
#include <errno.h>

/* What a take gave: a Buffer, None (not yet), or an exception. */
static PyObject *taken(PyObject *object, int r, struct leat_view *view)
{
    if (r == 0)
        return buffer_wrap(object, view);
    if (r == -EAGAIN)
        Py_RETURN_NONE;
    return error_raise(r, NULL);
}

/* The argument nbytes, at most what there is. -1: there is an exception. */
static Py_ssize_t count(leat_stream *stream, const char *name, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    Py_ssize_t length, asked = -1;
    PyObject *values[1];

    if (!stream)
        return -1;
    if ((n > 0 || keywords) &&
        (args_read(SIGNATURE(name, 0, "nbytes"), args, n, keywords, values) < 0 || args_count(values[0], &asked) < 0))
        return -1;
    length = (Py_ssize_t)leat_stream_length(stream);
    return asked < 0 || asked > length ? length : asked;
}

static PyObject *get(PyObject *object, const char *name, int (*call)(leat_stream *, size_t, struct leat_view *),
                     PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = buffer_stream(object);
    Py_ssize_t most = count(stream, name, args, n, keywords);
    struct leat_view view = {NULL, 0, NULL};

    if (most < 0)
        return NULL;
    return taken(object, most == 0 ? 0 : call(stream, (size_t)most, &view), &view);
}

PyObject *buffer_take(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return get(object, "take", leat_stream_take, args, n, keywords);
}

PyObject *buffer_peek(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    return get(object, "peek", leat_stream_peek, args, n, keywords);
}

PyObject *buffer_skip(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = buffer_stream(object);
    Py_ssize_t most = count(stream, "skip", args, n, keywords);
    int r;

    if (most < 0)
        return NULL;
    if (most > 0 && (r = leat_stream_skip(stream, (size_t)most)) < 0)
        return error_raise(r, NULL);
    buffer_collect();
    return PyLong_FromSsize_t(most);
}

PyObject *buffer_take_until(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = buffer_stream(object);
    struct leat_view view = {NULL, 0, NULL};
    PyObject *values[2];
    bool keep = false;
    Py_buffer until;
    int r;

    if (!stream || args_read(SIGNATURE("takeuntil", 1, "s", "include_s"), args, n, keywords, values) < 0 ||
        args_flag(values[1], &keep) < 0 || PyObject_GetBuffer(values[0], &until, PyBUF_SIMPLE) < 0)
        return NULL;
    if (until.len == 0) {
        PyBuffer_Release(&until);
        return PyErr_Format(PyExc_ValueError, "a separator has at least one byte");
    }
    r = leat_stream_take_until(stream, until.buf, (size_t)until.len, keep ? LEAT_STREAM_KEEP : 0, &view);
    PyBuffer_Release(&until);
    return taken(object, r, &view);
}

PyObject *buffer_take_line(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = buffer_stream(object);
    struct leat_view view = {NULL, 0, NULL};
    PyObject *values[1];
    bool keep = false;

    if (!stream)
        return NULL;
    if ((n > 0 || keywords) &&
        (args_read(SIGNATURE("takeline", 0, "include_seperator"), args, n, keywords, values) < 0 ||
         args_flag(values[0], &keep) < 0))
        return NULL;
    return taken(object, leat_stream_take_line(stream, keep ? LEAT_STREAM_KEEP : 0, &view), &view);
}

/* Where the needle is, or -1, as bytes.find() has it: an empty needle is everywhere. */
static Py_ssize_t find(leat_stream *stream, const Py_buffer *needle, Py_ssize_t start, Py_ssize_t end, int *ret_r)
{
    Py_ssize_t length = (Py_ssize_t)leat_stream_length(stream);
    size_t at = 0;

    *ret_r = 0;
    if (end < 0 || end > length)
        end = length;
    if (start > end)
        return -1;
    if (needle->len == 0)
        return start;
    *ret_r = leat_stream_find(stream, needle->buf, (size_t)needle->len, (size_t)start, (size_t)end, &at);
    if (*ret_r == 0)
        return (Py_ssize_t)at;
    if (*ret_r == -EAGAIN || *ret_r == -ENODATA)
        *ret_r = 0;
    return -1;
}

PyObject *buffer_find(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = buffer_stream(object);
    Py_ssize_t at, start = 0, end = -1;
    PyObject *values[3];
    Py_buffer needle;
    int r;

    if (!stream || args_read(SIGNATURE("find", 1, "s", "start", "end"), args, n, keywords, values) < 0)
        return NULL;
    if (values[1])
        start = PyNumber_AsSsize_t(values[1], PyExc_OverflowError);
    if (values[2] && !PyErr_Occurred())
        end = PyNumber_AsSsize_t(values[2], PyExc_OverflowError);
    if (!PyErr_Occurred() && (start < 0 || end < -1))
        PyErr_SetString(PyExc_ValueError, "an index is not negative; the end may be -1");
    if (PyErr_Occurred() || PyObject_GetBuffer(values[0], &needle, PyBUF_SIMPLE) < 0)
        return NULL;
    at = find(stream, &needle, start, end, &r);
    PyBuffer_Release(&needle);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromSsize_t(at);
}

/* Appends the pieces of a view to a list, each as a Buffer. -1: there is an exception. */
static int append_pieces(PyObject *object, PyObject *list, const struct leat_view *view, const struct iovec *pieces,
                         size_t n)
{
    size_t i, at = 0;

    for (i = 0; i < n; i++) {
        struct leat_view part = {NULL, 0, NULL};
        PyObject *piece;
        int r = leat_view_slice(view, at, pieces[i].iov_len, &part);

        if (r < 0)
            error_raise(r, NULL);
        if (r < 0 || !(piece = buffer_wrap(object, &part)))
            return -1;
        at += pieces[i].iov_len;
        r = PyList_Append(list, piece);
        Py_DECREF(piece);
        if (r < 0)
            return -1;
    }
    return 0;
}

PyObject *buffer_chunks(PyObject *object, PyObject *nothing)
{
    struct leat_view view = {NULL, 0, NULL};
    struct iovec *pieces;
    PyObject *list;
    size_t n = 0;

    if (buffer_view(object, &view) < 0)
        return NULL;
    leat_view_iov(&view, NULL, 0, &n);
    list = PyList_New(0);
    pieces = PyMem_Malloc((n ? n : 1) * sizeof(*pieces));
    if (list && !pieces)
        PyErr_NoMemory();
    if (list && pieces)
        leat_view_iov(&view, pieces, n, &n);
    if (list && (!pieces || append_pieces(object, list, &view, pieces, view.length > 0 ? n : 0) < 0))
        Py_CLEAR(list);
    PyMem_Free(pieces);
    leat_view_release(&view);
    return list;
}
