/* SPDX-License-Identifier: MIT */
#include "view.h"
#include "args.h"
#include "errors.h"

static PyTypeObject *view_type;

struct view_object {
    PyObject base;
    struct leat_view view;
};

static struct view_object *cast(PyObject *object)
{
    return (struct view_object *)object;
}

const struct leat_view *view_get(PyObject *object)
{
    return PyObject_TypeCheck(object, view_type) ? &cast(object)->view : NULL;
}

static PyObject *copy(const struct leat_view *view)
{
    PyObject *bytes;

    if (view->data || view->length == 0)
        return PyBytes_FromStringAndSize(view->data, (Py_ssize_t)view->length);
    if ((bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)view->length)))
        leat_view_copy(view, 0, PyBytes_AsString(bytes), view->length);
    return bytes;
}

PyObject *view_wrap(struct leat_view *view, bool as_view)
{
    struct view_object *self;
    PyObject *bytes;
    int r = 0;

    if (!as_view) {
        bytes = copy(view);
        leat_view_release(view);
        return bytes;
    }
    /* An object of Python shows its bytes in one piece, and does not change. */
    if ((r = leat_view_join(view)) < 0 || !(self = PyObject_New(struct view_object, view_type))) {
        leat_view_release(view);
        return r < 0 ? error_raise(r, NULL) : NULL;
    }
    self->view = *view;
    return (PyObject *)self;
}

static void view_dealloc(PyObject *object)
{
    leat_view_release(&cast(object)->view);
    type_free(object);
}

static int view_buffer(PyObject *object, Py_buffer *buffer, int flags)
{
    const struct leat_view *view = &cast(object)->view;
    union { /* the bytes are read-only, whatever the type of the parameter */
        const void *from;
        void *to;
    } bytes = {view->data};

    return PyBuffer_FillInfo(buffer, object, bytes.to, (Py_ssize_t)view->length, 1, flags);
}

static Py_ssize_t view_length(PyObject *object)
{
    return (Py_ssize_t)cast(object)->view.length;
}

/* Another object of bytes as a view; it has to be released. -1: it is none. */
static int other(PyObject *object, Py_buffer *buffer)
{
    if (!PyObject_CheckBuffer(object))
        return -1;
    if (PyObject_GetBuffer(object, buffer, PyBUF_SIMPLE) == 0)
        return 0;
    PyErr_Clear();
    return -1;
}

static PyObject *view_compare(PyObject *object, PyObject *with, int operation)
{
    Py_buffer buffer;
    int order;

    if (other(with, &buffer) < 0)
        Py_RETURN_NOTIMPLEMENTED;
    order = leat_view_compare_bytes(&cast(object)->view, buffer.buf, (size_t)buffer.len);
    PyBuffer_Release(&buffer);
    switch (operation) {
    case Py_LT:
        return PyBool_FromLong(order < 0);
    case Py_LE:
        return PyBool_FromLong(order <= 0);
    case Py_EQ:
        return PyBool_FromLong(order == 0);
    case Py_NE:
        return PyBool_FromLong(order != 0);
    case Py_GT:
        return PyBool_FromLong(order > 0);
    default:
        return PyBool_FromLong(order >= 0);
    }
}

/* Equal to bytes, so it has their hash. */
static Py_hash_t view_hash(PyObject *object)
{
    PyObject *bytes = copy(&cast(object)->view);
    Py_hash_t hash = bytes ? PyObject_Hash(bytes) : -1;

    Py_XDECREF(bytes);
    return hash;
}

static PyObject *view_bytes(PyObject *object, PyObject *nothing)
{
    return copy(&cast(object)->view);
}

static PyObject *view_repr(PyObject *object)
{
    return PyUnicode_FromFormat("<leat.View of %zd bytes>", view_length(object));
}

static PyObject *view_slice(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    const struct leat_view *view = &cast(object)->view;
    struct leat_view part = {NULL, 0, NULL};
    uint64_t start = 0, end = view->length;
    PyObject *values[2];
    int r;

    if (args_read(SIGNATURE("slice", 0, "start", "end"), args, n, keywords, values) < 0 ||
        args_size(values[0], &start) < 0 || args_size(values[1], &end) < 0)
        return NULL;
    if (start > end)
        return PyErr_Format(PyExc_ValueError, "the part begins behind its end");
    r = leat_view_slice(view, (size_t)start, (size_t)(end - start), &part);
    return r < 0 ? error_raise(r, NULL) : view_wrap(&part, true);
}

static PyObject *view_find(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    uint64_t start = 0;
    Py_buffer needle;
    size_t at;
    int r;

    if (args_read(SIGNATURE("find", 1, "needle", "start"), args, n, keywords, values) < 0 ||
        args_size(values[1], &start) < 0 || PyObject_GetBuffer(values[0], &needle, PyBUF_SIMPLE) < 0)
        return NULL;
    r = leat_view_find(&cast(object)->view, needle.buf, (size_t)needle.len, (size_t)start, &at);
    PyBuffer_Release(&needle);
    if (r == -ENODATA)
        return PyLong_FromLong(-1);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromSize_t(at);
}

static PyMethodDef methods[] = {
    {"slice", FAST(view_slice), "slice(start=0, end=None): a View of a part of the bytes, without a copy."},
    {"find", FAST(view_find), "find(needle, start=0): where the needle is; -1: nowhere."},
    {"__bytes__", view_bytes, METH_NOARGS, "A copy of the bytes."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Bytes of a stream that stay where they are, for whatever takes an object of bytes."},
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, view_dealloc},
    {Py_tp_richcompare, view_compare},
    {Py_tp_hash, view_hash},
    {Py_tp_repr, view_repr},
    {Py_tp_methods, methods},
    {Py_sq_length, view_length},
    {Py_bf_getbuffer, view_buffer},
    {0},
};

static PyType_Spec spec = {"leat.View", sizeof(struct view_object), 0, Py_TPFLAGS_DEFAULT, slots};

int view_init(PyObject *module)
{
    view_type = (PyTypeObject *)type_add(module, "View", &spec);
    return view_type ? 0 : -1;
}
