/* SPDX-License-Identifier: MIT */
/* What the extension sees of CPython: the limited API of 3.9, so that one binary serves 3.9 and everything later. */
#ifndef LEAT_PYTHON_ABI_H
#define LEAT_PYTHON_ABI_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03090000
#include <Python.h>
#include <structmember.h>

/* The buffer protocol is in the limited API since 3.11. 3.9 and 3.10 export the same functions, with the same struct
 * and the same numbers of slots, so it is declared here for them. */
#if Py_LIMITED_API < 0x030B0000
typedef struct {
    void *buf;
    PyObject *obj;
    Py_ssize_t len;
    Py_ssize_t itemsize;
    int readonly;
    int ndim;
    char *format;
    Py_ssize_t *shape;
    Py_ssize_t *strides;
    Py_ssize_t *suboffsets;
    void *internal;
} Py_buffer;

PyAPI_FUNC(int) PyObject_CheckBuffer(PyObject *object);
PyAPI_FUNC(int) PyObject_GetBuffer(PyObject *object, Py_buffer *view, int flags);
PyAPI_FUNC(int)
    PyBuffer_FillInfo(Py_buffer *view, PyObject *object, void *bytes, Py_ssize_t n, int readonly, int flags);
PyAPI_FUNC(void) PyBuffer_Release(Py_buffer *view);

#define PyBUF_SIMPLE   0
#define PyBUF_WRITABLE 0x0001
#ifndef Py_bf_getbuffer
#define Py_bf_getbuffer     1
#define Py_bf_releasebuffer 2
#endif
#endif

/* The same holds for this way of calling a method, which the limited API has since 3.10. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

#endif
