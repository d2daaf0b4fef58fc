/* SPDX-License-Identifier: MIT */
#include "filter.h"
#include "args.h"
#include "filter_custom.h"
#include <errno.h>
#include <string.h>

PyTypeObject *filter_type;

struct filter_object {
    PyObject base;
    leat_filter *filter;
    bool digest;
    struct custom *custom; /* NULL: its functions are not written in Python */
};

static struct filter_object *cast(PyObject *object)
{
    return (struct filter_object *)object;
}

PyObject *filter_wrap(leat_filter *filter, struct custom *custom)
{
    struct filter_object *self = PyObject_GC_New(struct filter_object, filter_type);

    if (!self) {
        leat_filter_free(filter);
        return NULL;
    }
    self->filter = filter;
    self->custom = custom;
    self->digest = false;
    PyObject_GC_Track((PyObject *)self);
    return (PyObject *)self;
}

leat_filter *filter_ref(PyObject *object)
{
    if (PyObject_TypeCheck(object, filter_type))
        return leat_filter_ref(cast(object)->filter);
    PyErr_Format(PyExc_TypeError, "a filter is a leat.Filter, not %R", Py_TYPE(object));
    return NULL;
}

bool filter_is_digest(PyObject *object)
{
    return cast(object)->digest;
}

bool filter_raise(PyObject *object)
{
    return cast(object)->custom && trap_raise(custom_trap(cast(object)->custom));
}

static int filter_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    return cast(object)->custom ? custom_traverse(cast(object)->custom, visit, arg) : 0;
}

static int filter_clear(PyObject *object)
{
    if (cast(object)->custom)
        custom_clear(cast(object)->custom);
    return 0;
}

static void filter_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    leat_filter_free(cast(object)->filter);
    type_free(object);
}

static PyObject *made(int r, leat_filter *filter, const struct leat_error *error)
{
    return r < 0 ? error_raise(r, error) : filter_wrap(filter, NULL);
}

static PyObject *new_digest(PyObject *module, PyObject *args)
{
    struct leat_digest_options options = LEAT_INIT(struct leat_digest_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_filter *filter = NULL;
    const char *algorithms;
    PyObject *object;
    int r;

    if (!PyArg_ParseTuple(args, "sii", &algorithms, &options.provider, &options.threads))
        return NULL;
    r = leat_filter_digest(&filter, algorithms, &options, &error);
    if ((object = made(r, filter, &error)))
        cast(object)->digest = true;
    return object;
}

static PyObject *new_codec(PyObject *module, PyObject *args)
{
    leat_filter *filter = NULL;
    const char *name, *options;
    int r;

    if (!PyArg_ParseTuple(args, "sz", &name, &options))
        return NULL;
    r = leat_filter_codec(&filter, name, options);
    return made(r, filter, NULL);
}

static PyObject *new_exec(PyObject *module, PyObject *value)
{
    PyObject *command = args_encode(value);
    leat_filter *filter = NULL;
    int r;

    if (!command)
        return NULL;
    r = leat_filter_exec(&filter, PyBytes_AsString(command));
    Py_DECREF(command);
    return made(r, filter, NULL);
}

static PyObject *new_buffer(PyObject *module, PyObject *value)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *text = args_encode(value);
    leat_filter *filter = NULL;
    int r;

    if (!text)
        return NULL;
    r = leat_filter_buffer_parse(&options, PyBytes_AsString(text), &error);
    if (r == 0)
        r = leat_filter_buffer(&filter, &options, &error);
    Py_DECREF(text);
    return made(r, filter, &error);
}

static PyObject *sized(PyObject *value, int (*make)(leat_filter **, uint64_t))
{
    leat_filter *filter = NULL;
    uint64_t bytes = 0;
    int r;

    if (args_size(value, &bytes) < 0)
        return NULL;
    r = make(&filter, bytes);
    return made(r, filter, NULL);
}

static PyObject *new_rate(PyObject *module, PyObject *value)
{
    return sized(value, leat_filter_rate);
}

static PyObject *new_skip(PyObject *module, PyObject *value)
{
    return sized(value, leat_filter_skip);
}

static PyObject *new_head(PyObject *module, PyObject *value)
{
    return sized(value, leat_filter_head);
}

static PyObject *new_meter(PyObject *module, PyObject *nothing)
{
    leat_filter *filter = NULL;
    int r = leat_filter_meter(&filter);

    return made(r, filter, NULL);
}

static PyObject *algorithms(PyObject *module, PyObject *nothing)
{
    PyObject *list = PyList_New(0);
    const char *name;
    size_t i;

    for (i = 0; list && (name = leat_digest_algorithm(i)); i++) {
        PyObject *text = PyUnicode_FromString(name);

        if (!text || PyList_Append(list, text) < 0)
            Py_CLEAR(list);
        Py_XDECREF(text);
    }
    return list;
}

static PyObject *filter_hex(PyObject *object, PyObject *value)
{
    char hex[LEAT_DIGEST_HEX_MAX];
    PyObject *name = PyUnicode_AsUTF8String(value);
    int r;

    if (!name)
        return NULL;
    r = leat_filter_digest_hex(cast(object)->filter, PyBytes_AsString(name), hex, sizeof(hex));
    Py_DECREF(name);
    return r < 0 ? error_raise(r, NULL) : PyUnicode_FromString(hex);
}

static PyObject *filter_value(PyObject *object, PyObject *value)
{
    char bytes[LEAT_DIGEST_HEX_MAX];
    PyObject *name = PyUnicode_AsUTF8String(value);
    size_t n = 0;
    int r;

    if (!name)
        return NULL;
    r = leat_filter_digest_bytes(cast(object)->filter, PyBytes_AsString(name), bytes, sizeof(bytes), &n);
    Py_DECREF(name);
    return r < 0 ? error_raise(r, NULL) : PyBytes_FromStringAndSize(bytes, (Py_ssize_t)n);
}

static PyObject *filter_reset(PyObject *object, PyObject *nothing)
{
    int r = leat_filter_digest_reset(cast(object)->filter);

    if (r < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static PyObject *filter_set_rate(PyObject *object, PyObject *value)
{
    uint64_t bytes = 0;
    int r;

    if (args_size(value, &bytes) < 0)
        return NULL;
    r = leat_filter_rate_set(cast(object)->filter, bytes);
    if (r < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static PyObject *filter_bytes(PyObject *object, void *closure)
{
    uint64_t bytes = 0;

    leat_filter_bytes(cast(object)->filter, &bytes);
    return PyLong_FromUnsignedLongLong(bytes);
}

static PyMethodDef methods[] = {
    {"_hex", filter_hex, METH_O, NULL},
    {"_value", filter_value, METH_O, NULL},
    {"_reset", filter_reset, METH_NOARGS, NULL},
    {"_set_rate", filter_set_rate, METH_O, NULL},
    {0},
};

static PyGetSetDef getters[] = {
    {"bytes", filter_bytes, NULL, "How many bytes have passed; of a filter that changes bytes, how many went in.",
     NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A filter of a pipeline or a pipe."},
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, filter_dealloc},
    {Py_tp_traverse, filter_traverse},
    {Py_tp_clear, filter_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0},
};

static PyType_Spec spec = {"leat.Filter", sizeof(struct filter_object), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                           slots};

static PyMethodDef functions[] = {
    {"digest", new_digest, METH_VARARGS, NULL},
    {"codec", new_codec, METH_VARARGS, NULL},
    {"exec", new_exec, METH_O, NULL},
    {"buffer", new_buffer, METH_O, NULL},
    {"rate", new_rate, METH_O, NULL},
    {"skip", new_skip, METH_O, NULL},
    {"head", new_head, METH_O, NULL},
    {"meter", new_meter, METH_NOARGS, NULL},
    {"algorithms", algorithms, METH_NOARGS, NULL},
    {0},
};

int filter_init(PyObject *module)
{
    filter_type = (PyTypeObject *)type_add(module, "Filter", &spec);
    return filter_type ? PyModule_AddFunctions(module, functions) : -1;
}
