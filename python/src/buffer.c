/* SPDX-License-Identifier: MIT */
#include "buffer.h"
#include "args.h"
#include "room.h"
#include <errno.h>

static PyTypeObject *buffer_type;

static struct buffer_object *cast(PyObject *object)
{
    return (struct buffer_object *)object;
}

/* ---- bytes of other objects ---- */

/* Bytes that a stream uses without a copy. */
struct held {
    Py_buffer bytes;
    struct held *next; /* in the list of those that are not used any more */
};

static struct held *unused; /* the GIL guards it */

/* The stream that calls this is in a call, so the object is only noted here: its end may run any code. */
static void drop(void *user, const void *bytes, size_t n)
{
    struct held *held = user;

    (void)bytes;
    (void)n;
    held->next = unused;
    unused = held;
}

void buffer_collect(void)
{
    PyObject *type, *exception, *trace;
    struct held *held;

    if (!unused)
        return;
    PyErr_Fetch(&type, &exception, &trace);
    while ((held = unused)) {
        unused = held->next;
        PyBuffer_Release(&held->bytes);
        PyMem_Free(held);
    }
    PyErr_Restore(type, exception, trace);
}

/* ---- a Buffer and its stream ---- */

static int make_stream(struct buffer_object *self, const struct leat_stream_options *options)
{
    int r = leat_stream_new(&self->stream, NULL, options, NULL);

    if (r < 0)
        error_raise(r, NULL);
    return r < 0 ? -1 : 0;
}

leat_stream *buffer_stream(PyObject *object)
{
    struct buffer_object *self = cast(object);
    int r;

    if (self->stream || make_stream(self, NULL) < 0)
        return self->stream;
    if (self->view.length > 0 && (r = leat_stream_append_view(self->stream, &self->view)) < 0) {
        leat_stream_free(self->stream);
        self->stream = NULL;
        error_raise(r, NULL);
        return NULL;
    }
    leat_view_release(&self->view);
    return self->stream;
}

int buffer_view(PyObject *object, struct leat_view *view)
{
    struct buffer_object *self = cast(object);
    size_t n = self->stream ? leat_stream_length(self->stream) : self->view.length;
    int r;

    if (n == 0)
        return 0;
    r = self->stream ? leat_stream_peek(self->stream, n, view) : leat_view_ref(&self->view, view);
    if (r < 0)
        error_raise(r, NULL);
    return r < 0 ? -1 : 0;
}

PyObject *buffer_wrap(PyObject *object, struct leat_view *view)
{
    static allocfunc allocate;
    PyTypeObject *type = Py_TYPE(object);
    PyObject *result;

    if (!allocate)
        allocate = (allocfunc)PyType_GetSlot(buffer_type, Py_tp_alloc);
    if (!(result = allocate(type, 0))) {
        leat_view_release(view);
        return NULL;
    }
    cast(result)->view = *view;
    cast(result)->cutoff = cast(object)->cutoff;
    return result;
}

static int buffer_construct(PyObject *object, PyObject *args, PyObject *keywords)
{
    struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
    uint64_t cutoff = 4096;
    PyObject *values[5];

    options.chunk_size = 2048;
    if (args_read_tuple(SIGNATURE("Buffer", 0, "release_fast_to_pool", "minimum_chunk_size", "pool",
                                  "maximum_chunk_size", "input_cutoff_size"),
                        args, keywords, values) < 0 ||
        args_size(values[1], &options.chunk_size) < 0 || args_size(values[4], &cutoff) < 0)
        return -1;
    if (cast(object)->stream) {
        PyErr_SetString(PyExc_TypeError, "a Buffer is made once");
        return -1;
    }
    cast(object)->cutoff = (size_t)cutoff;
    return make_stream(cast(object), &options);
}

static void free_stream(PyObject *capsule)
{
    leat_stream_free(PyCapsule_GetPointer(capsule, NULL));
    buffer_collect();
}

/* Frees the stream of a Buffer that has a reservation. If there are views of that, the stream goes when the last of
 * them has gone. */
static void free_reserved(struct buffer_object *self)
{
    PyObject *type, *exception, *trace, *keeper;

    PyErr_Fetch(&type, &exception, &trace);
    if (room_end(&self->room) == 0) {
        leat_stream_free(self->stream);
    } else {
        PyErr_Clear();
        if ((keeper = PyCapsule_New(self->stream, NULL, free_stream))) {
            room_hand_over(&self->room, keeper);
            Py_DECREF(keeper);
        } /* else the stream is lost, which is better than memory that is freed and used */
    }
    PyErr_Restore(type, exception, trace);
}

static void buffer_dealloc(PyObject *object)
{
    if (cast(object)->room)
        free_reserved(cast(object));
    else
        leat_stream_free(cast(object)->stream);
    leat_view_release(&cast(object)->view);
    type_free(object);
    buffer_collect();
}

/* ---- writing ---- */

/* Gives back a reservation. -1: there is an exception, because views of it are in use. */
static int end_room(struct buffer_object *self)
{
    if (!self->room)
        return 0;
    if (room_end(&self->room) < 0)
        return -1;
    leat_stream_commit(self->stream, 0);
    return 0;
}

/* The room does not keep the Buffer alive, so the two are no cycle, and a Buffer needs no garbage collector. */
static PyObject *buffer_get_chunk(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    leat_stream *stream = buffer_stream(object);
    PyObject *values[1], *view;
    Py_ssize_t hint;
    size_t length;
    void *room;
    int r;

    if (!stream || args_read(SIGNATURE("get_chunk", 0, "sizehint"), args, n, keywords, values) < 0 ||
        args_count(values[0], &hint) < 0 || end_room(cast(object)) < 0)
        return NULL;
    if ((r = leat_stream_reserve(stream, hint < 1 ? 1 : (size_t)hint, &room, &length)) < 0)
        return error_raise(r, NULL);
    if ((cast(object)->room = room_new(Py_None, room, length, true, &view)))
        return view;
    leat_stream_commit(stream, 0);
    return NULL;
}

/* Ends the reservation. If there are views of it that its user has made, they go on, and what keeps their memory alive
 * is a view of the bytes, in which they lie. */
static int close_room(PyObject *object, size_t n)
{
    struct leat_view view = {NULL, 0, NULL};
    PyObject *keeper;

    if (room_end(&cast(object)->room) == 0)
        return 0;
    if (n == 0 || !PyErr_ExceptionMatches(PyExc_BufferError))
        return -1;
    PyErr_Clear();
    if (buffer_view(object, &view) < 0 || !(keeper = buffer_wrap(object, &view)))
        return -1;
    room_hand_over(&cast(object)->room, keeper);
    Py_DECREF(keeper);
    return 0;
}

static PyObject *buffer_chunk_written(PyObject *object, PyObject *value)
{
    leat_stream *stream = buffer_stream(object);
    Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    int r;

    if (!stream || (n == -1 && PyErr_Occurred()))
        return NULL;
    if (n == 0 && !cast(object)->room)
        return PyBool_FromLong(1);
    r = n < 0 ? -EINVAL : leat_stream_commit(stream, (size_t)n);
    if (r == -EINVAL)
        return PyErr_Format(PyExc_ValueError, "%zd bytes are not in what get_chunk() gave", n);
    if (r < 0)
        return error_raise(r, NULL);
    return close_room(object, (size_t)n) < 0 ? NULL : PyBool_FromLong(1);
}

/* Appends the bytes without a copy. It takes the Py_buffer, on failure too. */
static int append_held(leat_stream *stream, Py_buffer *bytes)
{
    struct held *held = PyMem_Malloc(sizeof(*held));
    int r = -ENOMEM;

    if (held) {
        held->bytes = *bytes;
        r = leat_stream_append_ref(stream, bytes->buf, (size_t)bytes->len, drop, held);
    }
    if (r < 0) {
        PyBuffer_Release(bytes);
        PyMem_Free(held);
    }
    return r;
}

static PyObject *buffer_append(PyObject *object, PyObject *data)
{
    leat_stream *stream = buffer_stream(object);
    struct leat_view view = {NULL, 0, NULL};
    Py_buffer bytes;
    int r;

    if (!stream || end_room(cast(object)) < 0)
        return NULL;
    if (PyObject_TypeCheck(data, buffer_type)) {
        if (buffer_view(data, &view) < 0)
            return NULL;
        r = view.length > 0 ? leat_stream_append_view(stream, &view) : 0;
        leat_view_release(&view);
    } else {
        if (PyObject_GetBuffer(data, &bytes, PyBUF_SIMPLE) < 0)
            return NULL;
        if ((size_t)bytes.len >= cast(object)->cutoff && bytes.len > 0) {
            r = append_held(stream, &bytes);
        } else {
            r = leat_stream_append(stream, bytes.buf, (size_t)bytes.len);
            PyBuffer_Release(&bytes);
        }
    }
    return r < 0 ? error_raise(r, NULL) : PyBool_FromLong(1);
}

/* ---- as an object of bytes ---- */

static Py_ssize_t buffer_length(PyObject *object)
{
    const struct buffer_object *self = cast(object);

    return (Py_ssize_t)(self->stream ? leat_stream_length(self->stream) : self->view.length);
}

/* Each exported buffer has a view of its own, so it stays as it is when the Buffer is taken from. */
static int buffer_get(PyObject *object, Py_buffer *buffer, int flags)
{
    struct leat_view *view = PyMem_Calloc(1, sizeof(*view));
    union { /* the bytes are read-only, whatever the type of the parameter */
        const void *from;
        void *to;
    } bytes;

    buffer->obj = NULL;
    if (!view) {
        PyErr_NoMemory();
        return -1;
    }
    if (buffer_view(object, view) == 0 && leat_view_join(view) == 0) {
        bytes.from = view->length > 0 ? view->data : "";
        if (PyBuffer_FillInfo(buffer, object, bytes.to, (Py_ssize_t)view->length, 1, flags) == 0) {
            buffer->internal = view;
            return 0;
        }
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    leat_view_release(view);
    PyMem_Free(view);
    return -1;
}

static void buffer_release(PyObject *object, Py_buffer *buffer)
{
    leat_view_release(buffer->internal);
    PyMem_Free(buffer->internal);
    buffer_collect();
}

static PyObject *buffer_compare(PyObject *object, PyObject *with, int operation)
{
    struct leat_view view = {NULL, 0, NULL};
    Py_buffer buffer;
    int order;

    if ((operation != Py_EQ && operation != Py_NE) || !PyObject_CheckBuffer(with))
        Py_RETURN_NOTIMPLEMENTED;
    if (PyObject_GetBuffer(with, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    if (buffer_view(object, &view) < 0) {
        PyBuffer_Release(&buffer);
        return NULL;
    }
    order = leat_view_compare_bytes(&view, buffer.buf, (size_t)buffer.len);
    leat_view_release(&view);
    PyBuffer_Release(&buffer);
    return PyBool_FromLong((order == 0) == (operation == Py_EQ));
}

static PyMethodDef methods[] = {
    {"get_chunk", FAST(buffer_get_chunk), "get_chunk(sizehint=-1): a memoryview to write into."},
    {"chunk_written", buffer_chunk_written, METH_O, "chunk_written(nbytes): the first bytes of it were written."},
    {"append", buffer_append, METH_O, "append(data): all of the bytes; without a copy, if they are many."},
    {"take", FAST(buffer_take), "take(nbytes=-1): a Buffer of at most so many bytes, which it consumes."},
    {"peek", FAST(buffer_peek), "peek(nbytes=-1): the same, without consuming them."},
    {"skip", FAST(buffer_skip), "skip(nbytes=-1): drops at most so many bytes; returns how many."},
    {"takeuntil", FAST(buffer_take_until), "takeuntil(s, include_s=False): what is in front of s; None: not yet."},
    {"takeline", FAST(buffer_take_line), "takeline(include_seperator=False): a line; None: not yet."},
    {"find", FAST(buffer_find), "find(s, start=0, end=-1): where s is; -1: nowhere."},
    {"chunks", buffer_chunks, METH_NOARGS, "The pieces of the bytes, in a list, without a copy."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A stream of bytes in chunks."},
    {Py_tp_init, buffer_construct},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, buffer_dealloc},
    {Py_tp_richcompare, buffer_compare},
    {Py_tp_methods, methods},
    {Py_sq_length, buffer_length},
    {Py_bf_getbuffer, buffer_get},
    {Py_bf_releasebuffer, buffer_release},
    {0},
};

static PyType_Spec spec = {"leat._leat.Buffer", sizeof(struct buffer_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

int buffer_init(PyObject *module)
{
    buffer_type = (PyTypeObject *)type_add(module, "Buffer", &spec);
    return buffer_type ? 0 : -1;
}
