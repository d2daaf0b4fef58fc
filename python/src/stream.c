/* SPDX-License-Identifier: MIT */
#include "stream.h"
#include "args.h"
#include "hold.h"
#include "options.h"
#include "room.h"
#include "view.h"
#include "wait.h"
#include <stddef.h>

#define STREAM(member) offsetof(struct leat_stream_options, member)

enum {
    BY_REFERENCE = 4096 /* So many bytes of a bytes object are not copied. */
};

static const struct option stream_options_table[] = {
    {"pause_at", OPTION_SIZE, STREAM(pause_at), NULL, 0}, {"resume_at", OPTION_SIZE, STREAM(resume_at), NULL, 0},
    {"limit", OPTION_SIZE, STREAM(limit), NULL, 0},       {"chunk_size", OPTION_SIZE, STREAM(chunk_size), NULL, 0},
    {"waits", OPTION_FLAG, STREAM(waits), NULL, 0},       {0},
};

static struct stream_object *cast(PyObject *object)
{
    return (struct stream_object *)object;
}

leat_stream *stream_get(PyObject *object)
{
    if (!cast(object)->stream)
        PyErr_SetString(PyExc_RuntimeError, "the stream was not made");
    return cast(object)->stream;
}

static leat_stream *side(PyObject *object, bool busy)
{
    if (busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread waits on this side of the stream");
        return NULL;
    }
    return stream_get(object);
}

leat_stream *stream_reading(PyObject *object)
{
    return side(object, cast(object)->reading);
}

leat_stream *stream_writing(PyObject *object)
{
    return side(object, cast(object)->writing);
}

PyObject *stream_answer(PyObject *object, int r)
{
    if (r == -EAGAIN)
        Py_RETURN_NONE;
    if (r == TRAP_CODE && cast(object)->exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(cast(object)->exception), cast(object)->exception);
        return NULL;
    }
    return r == -ENODATA ? error_raise_incomplete() : error_raise(r, NULL);
}

static int stream_construct(PyObject *object, PyObject *args, PyObject *keywords)
{
    struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *dict;
    int r;

    if (PyTuple_Size(args) > 0 || cast(object)->stream) {
        PyErr_SetString(PyExc_TypeError, "a stream is made once, of options with names");
        return -1;
    }
    if (!(dict = keywords ? PyDict_Copy(keywords) : PyDict_New()))
        return -1;
    r = options_take(dict, stream_options_table, &options, NULL) < 0 || options_end(dict) < 0 ? -1 : 0;
    Py_DECREF(dict);
    if (r < 0)
        return -1;
    if ((r = leat_stream_new(&cast(object)->stream, NULL, &options, &error)) < 0)
        error_raise(r, &error);
    return r < 0 ? -1 : 0;
}

static int stream_clear(PyObject *object)
{
    Py_CLEAR(cast(object)->room);
    Py_CLEAR(cast(object)->exception);
    return 0;
}

static void stream_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    leat_stream_free(cast(object)->stream);
    stream_clear(object);
    type_free(object);
}

static int stream_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(cast(object)->room);
    Py_VISIT(cast(object)->exception);
    return 0;
}

/* None: the writing side is paused. */
static PyObject *reserved(PyObject *object, int r, void *room, size_t n)
{
    PyObject *view;

    if (r < 0)
        return r == -EAGAIN ? stream_answer(object, r) : error_raise(r, NULL);
    if ((cast(object)->room = room_new(object, room, n, true, &view)))
        return view;
    leat_stream_commit(cast(object)->stream, 0);
    return NULL;
}

struct reserving {
    leat_stream *stream;
    size_t hint;
    void *room;
    size_t n;
};

static int step_reserve(void *context, int timeout_ms)
{
    struct reserving *call = context;

    return leat_stream_reserve_wait(call->stream, call->hint, &call->room, &call->n, timeout_ms);
}

static PyObject *stream_reserve(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct reserving call = {stream_writing(object), 1, NULL, 0};
    PyObject *values[2];
    uint64_t hint = 1;
    int r, timeout_ms = 0;

    if (!call.stream || args_read(SIGNATURE("reserve", 0, "hint", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &hint) < 0 || (values[1] && args_timeout(values[1], &timeout_ms) < 0))
        return NULL;
    call.hint = (size_t)hint;
    if (!values[1]) {
        r = leat_stream_reserve(call.stream, call.hint, &call.room, &call.n);
        return reserved(object, r, call.room, call.n);
    }
    cast(object)->writing = true;
    r = wait_for(step_reserve, &call, timeout_ms, WAIT_QUICK);
    cast(object)->writing = false;
    if (r == WAIT_RAISED)
        return NULL;
    return r < 0 ? error_raise(r, NULL) : reserved(object, r, call.room, call.n);
}

static PyObject *stream_commit(PyObject *object, PyObject *value)
{
    leat_stream *stream = stream_writing(object);
    uint64_t n = 0;
    int r;

    if (!stream || args_size(value, &n) < 0 || room_end(&cast(object)->room) < 0)
        return NULL;
    if ((r = leat_stream_commit(stream, (size_t)n)) < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static void drop(void *user, const void *bytes, size_t n)
{
    PyGILState_STATE state = PyGILState_Ensure(); /* a stream of a pipe, say, may let go on another thread */

    (void)bytes;
    (void)n;
    Py_DECREF((PyObject *)user);
    PyGILState_Release(state);
}

/* Of a bytes object, which can't change, much is not copied; a View never is. True, or None: the writing side is
 * paused. */
static PyObject *stream_append(PyObject *object, PyObject *data)
{
    leat_stream *stream = stream_writing(object);
    const struct leat_view *view;
    Py_buffer buffer;
    int r;

    if (!stream)
        return NULL;
    if ((view = view_get(data))) {
        r = leat_stream_append_view(stream, view);
    } else if (PyBytes_Check(data) && PyBytes_Size(data) >= BY_REFERENCE) {
        r = leat_stream_append_ref(stream, PyBytes_AsString(data), (size_t)PyBytes_Size(data), drop, data);
        if (r == 0)
            Py_INCREF(data);
    } else {
        if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
            return NULL;
        r = leat_stream_append(stream, buffer.buf, (size_t)buffer.len);
        PyBuffer_Release(&buffer);
    }
    if (r == -EAGAIN)
        Py_RETURN_NONE;
    return r < 0 ? error_raise(r, NULL) : PyBool_FromLong(1);
}

/* finish(reason=None): an exception, which reads raise behind the last byte, or an errno value. */
static PyObject *stream_finish(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = stream_writing(object);
    PyObject *values[1];
    int r, code = 0;

    if (!stream || args_read(SIGNATURE("finish", 0, "reason"), args, n, keywords, values) < 0 ||
        room_end(&cast(object)->room) < 0)
        return NULL;
    if (values[0] && PyExceptionInstance_Check(values[0])) {
        code = TRAP_CODE;
    } else if (values[0] && values[0] != Py_None) {
        code = -(int)PyLong_AsLong(values[0]);
        if (PyErr_Occurred())
            return NULL;
    }
    if ((r = leat_stream_finish(stream, code)) < 0)
        return error_raise(r, NULL);
    if (code == TRAP_CODE) {
        Py_INCREF(values[0]);
        cast(object)->exception = values[0];
    }
    Py_RETURN_NONE;
}

static Py_ssize_t stream_length(PyObject *object)
{
    return cast(object)->stream ? (Py_ssize_t)leat_stream_length(cast(object)->stream) : 0;
}

static int stream_bool(PyObject *object)
{
    return 1; /* a stream that is empty is still one */
}

static PyObject *stream_ended(PyObject *object, void *closure)
{
    return stream_get(object) ? PyBool_FromLong(leat_stream_ended(cast(object)->stream)) : NULL;
}

static PyObject *stream_paused(PyObject *object, void *closure)
{
    leat_stream *stream = stream_writing(object);

    return stream ? PyBool_FromLong(leat_stream_paused(stream)) : NULL;
}

static PyObject *stream_stats(PyObject *object, PyObject *nothing)
{
    struct leat_stream_usage usage = LEAT_INIT(struct leat_stream_usage);

    if (!stream_get(object))
        return NULL;
    leat_stream_stats(cast(object)->stream, &usage);
    return Py_BuildValue("{sKsKsKsKsK}", "bytes_in", (unsigned long long)usage.bytes_in, "bytes_out",
                         (unsigned long long)usage.bytes_out, "bytes_searched",
                         (unsigned long long)usage.bytes_searched, "bytes_copied",
                         (unsigned long long)usage.bytes_copied, "chunk_size", (unsigned long long)usage.chunk_size);
}

static PyMethodDef methods[] = {
    {"reserve", FAST(stream_reserve), "reserve(hint=1): a memoryview to write into; None: the side is paused."},
    {"commit", stream_commit, METH_O, "commit(n): writes the first n bytes of the reservation."},
    {"append", stream_append, METH_O, "append(data): all of the bytes; None: the side is paused."},
    {"finish", FAST(stream_finish), "finish(reason=None): no more bytes will come."},
    {"find", FAST(stream_find), "find(needle, start=0, end=None): where it is; None: not yet; -1: nowhere."},
    {"starts_with", stream_starts_with, METH_O, "starts_with(prefix): True, False, or None: not yet."},
    {"peek", FAST(stream_peek), "peek(n, view=False): n bytes, which stay unread."},
    {"take", FAST(stream_take), "take(n, view=False): n bytes."},
    {"take_at_most", FAST(stream_take_at_most), "take_at_most(n=-1, view=False): what is there, at least a byte."},
    {"take_until", FAST(stream_take_until), "take_until(separator, keep=False, rest=False, view=False)"},
    {"take_line", FAST(stream_take_line), "take_line(keep=False, rest=False, view=False)"},
    {"take_lines", FAST(stream_take_lines), "take_lines(n=1024, keep=False, rest=False): a list of what is there."},
    {"readinto", stream_readinto, METH_O, "readinto(buffer): copies what is there; 0: the end; None: not yet."},
    {"skip", stream_skip, METH_O, "skip(n): drops n bytes; None: not yet."},
    {"wait", FAST(stream_wait), "wait(n=0, timeout=None): until more than n bytes are there, or the end."},
    {"stats", stream_stats, METH_NOARGS, "Numbers about the stream, as a dict."},
    {0},
};

static PyGetSetDef getters[] = {
    {"ended", stream_ended, NULL, "Was the stream finished?", NULL},
    {"paused", stream_paused, NULL, "Would reserve() return None?", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A buffer of bytes: they go in, are looked at, and are taken out again. No call waits."},
    {Py_tp_init, stream_construct},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_traverse, stream_traverse},
    {Py_tp_clear, stream_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {Py_sq_length, stream_length},
    {Py_nb_bool, stream_bool},
    {0},
};

static PyType_Spec spec = {"leat.Stream", sizeof(struct stream_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

int stream_init(PyObject *module)
{
    PyObject *type = type_add(module, "Stream", &spec);

    Py_XDECREF(type);
    return type ? 0 : -1;
}
