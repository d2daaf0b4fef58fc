/* SPDX-License-Identifier: MIT */
/* Arguments of Python calls. The functions return 0, or -1 with an exception. */
#ifndef LEAT_PYTHON_ARGS_H
#define LEAT_PYTHON_ARGS_H

#include "abi.h"
#include <stdbool.h>
#include <stdint.h>

/* What a method takes: names, ended by NULL, of which the first `required` must be given. */
struct signature {
    const char *function;
    const char *const *names;
    int required;
};

#define SIGNATURE(function, required, ...)                                                                             \
    (&(const struct signature){function, (const char *const[]){__VA_ARGS__, NULL}, required})

/* Sorts the arguments of a METH_FASTCALL | METH_KEYWORDS method by name: values[i] is borrowed, and NULL if it is not
 * given. PyArg_ParseTupleAndKeywords does the same in three times the time. */
int args_read(const struct signature *signature, PyObject *const *args, Py_ssize_t n, PyObject *keywords,
              PyObject **values);

/* The same for a constructor. */
int args_read_tuple(const struct signature *signature, PyObject *args, PyObject *keywords, PyObject **values);

/* Seconds as milliseconds. NULL and None are -1: no limit. A time that is not 0 is at least a millisecond. */
int args_timeout(PyObject *value, int *ret_ms);

/* A number, or a size such as "64K". NULL and None leave the result as it is. */
int args_size(PyObject *value, uint64_t *ret_bytes);

/* A number of bytes to read. NULL, None and negative numbers are -1: all. */
int args_count(PyObject *value, Py_ssize_t *ret_n);

/* A truth value. NULL leaves the result as it is. */
int args_flag(PyObject *value, bool *ret_flag);

/* A new bytes object of a str, bytes or path, as the system takes it. */
PyObject *args_encode(PyObject *value);

/* Makes a type and adds it to the module. Returns a new reference, or NULL. */
PyObject *type_add(PyObject *module, const char *name, PyType_Spec *spec);

/* The tp_new of a type that only the extension makes objects of: a TypeError. */
PyObject *type_no_new(PyTypeObject *type, PyObject *args, PyObject *keywords);

/* The function and the flags of a method for which args_read sorts the arguments. */
#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS

/* The end of a tp_dealloc. */
void type_free(PyObject *self);

#endif
