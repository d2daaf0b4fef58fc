/* SPDX-License-Identifier: MIT */
#include "args.h"
#include <leat/base.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static int find(const struct signature *signature, PyObject *keyword)
{
    int i;

    for (i = 0; signature->names[i]; i++)
        if (PyUnicode_CompareWithASCIIString(keyword, signature->names[i]) == 0)
            return i;
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->function, keyword);
    return -1;
}

/* Sets values[i] of a keyword. */
static int take(const struct signature *signature, PyObject *keyword, PyObject *value, PyObject **values)
{
    int i = find(signature, keyword);

    if (i < 0)
        return -1;
    if (values[i]) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature->function, keyword);
        return -1;
    }
    values[i] = value;
    return 0;
}

/* Begins with the arguments that have no names. */
static int begin(const struct signature *signature, Py_ssize_t n, PyObject **values)
{
    Py_ssize_t i, count = 0;

    while (signature->names[count])
        values[count++] = NULL;
    i = count;
    if (n <= i)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments (%zd given)", signature->function, i, n);
    return -1;
}

static int complete(const struct signature *signature, PyObject *const *values)
{
    int i;

    for (i = 0; i < signature->required; i++)
        if (!values[i]) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s'", signature->function,
                         signature->names[i]);
            return -1;
        }
    return 0;
}

int args_read(const struct signature *signature, PyObject *const *args, Py_ssize_t n, PyObject *keywords,
              PyObject **values)
{
    Py_ssize_t i, count = keywords ? PyTuple_Size(keywords) : 0;

    if (begin(signature, n, values) < 0)
        return -1;
    for (i = 0; i < n; i++)
        values[i] = args[i];
    for (i = 0; i < count; i++)
        if (take(signature, PyTuple_GetItem(keywords, i), args[n + i], values) < 0)
            return -1;
    return complete(signature, values);
}

int args_read_tuple(const struct signature *signature, PyObject *args, PyObject *keywords, PyObject **values)
{
    Py_ssize_t i, n = PyTuple_Size(args), at = 0;
    PyObject *keyword, *value;

    if (begin(signature, n, values) < 0)
        return -1;
    for (i = 0; i < n; i++)
        values[i] = PyTuple_GetItem(args, i);
    while (keywords && PyDict_Next(keywords, &at, &keyword, &value))
        if (take(signature, keyword, value, values) < 0)
            return -1;
    return complete(signature, values);
}

int args_timeout(PyObject *value, int *ret_ms)
{
    double seconds;

    *ret_ms = -1;
    if (!value || value == Py_None)
        return 0;
    seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    if (isnan(seconds) || seconds < 0) {
        PyErr_SetString(PyExc_ValueError, "a timeout is None, or a number of seconds that is not negative");
        return -1;
    }
    *ret_ms = seconds >= INT_MAX / 1000 ? INT_MAX : (int)ceil(seconds * 1000);
    return 0;
}

int args_size(PyObject *value, uint64_t *ret_bytes)
{
    unsigned long long number;

    if (!value || value == Py_None)
        return 0;
    if (PyUnicode_Check(value)) {
        PyObject *text = PyUnicode_AsUTF8String(value);
        int r;

        if (!text)
            return -1;
        r = leat_size_parse(PyBytes_AsString(text), ret_bytes);
        Py_DECREF(text);
        if (r < 0)
            PyErr_Format(PyExc_ValueError, "'%U' is no size, such as 4096, '64K' or '1.5GiB'", value);
        return r < 0 ? -1 : 0;
    }
    number = PyLong_AsUnsignedLongLong(value);
    if (number == (unsigned long long)-1 && PyErr_Occurred())
        return -1;
    *ret_bytes = number;
    return 0;
}

int args_count(PyObject *value, Py_ssize_t *ret_n)
{
    *ret_n = -1;
    if (!value || value == Py_None)
        return 0;
    *ret_n = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    if (*ret_n == -1 && PyErr_Occurred())
        return -1;
    if (*ret_n < 0)
        *ret_n = -1;
    return 0;
}

int args_flag(PyObject *value, bool *ret_flag)
{
    int truth;

    if (!value)
        return 0;
    if ((truth = PyObject_IsTrue(value)) < 0)
        return -1;
    *ret_flag = truth;
    return 0;
}

PyObject *args_encode(PyObject *value)
{
    PyObject *bytes;

    return PyUnicode_FSConverter(value, &bytes) ? bytes : NULL;
}

PyObject *type_add(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);

    if (!type)
        return NULL;
    Py_INCREF(type); /* PyModule_AddObject takes one, the caller gets the other */
    if (PyModule_AddObject(module, name, type) < 0) {
        Py_DECREF(type);
        Py_DECREF(type);
        return NULL;
    }
    return type;
}

PyObject *type_no_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    return PyErr_Format(PyExc_TypeError, "%R objects are made by the functions of leat alone", type);
}

void type_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}
