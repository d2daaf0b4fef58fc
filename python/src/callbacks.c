/* SPDX-License-Identifier: MIT */
/* The thread of the pipeline calls the methods. While one of them blocks, a cancel waits for it. */
#include "callbacks.h"
#include <string.h>

struct callbacks {
    PyObject *object;
    const char *method;
    struct trap *trap;
};

/* Copies the bytes that read() has given. -1 with an exception: there are too many, or they are none. */
static int take(PyObject *result, void *bytes, size_t n, size_t *ret_n)
{
    Py_buffer view;

    if (PyObject_GetBuffer(result, &view, PyBUF_SIMPLE) < 0)
        return -1;
    if ((size_t)view.len > n) {
        PyErr_Format(PyExc_ValueError, "read(%zu) gave %zd bytes", n, view.len);
        PyBuffer_Release(&view);
        return -1;
    }
    memcpy(bytes, view.buf, (size_t)view.len);
    *ret_n = (size_t)view.len;
    PyBuffer_Release(&view);
    return 0;
}

static int on_read(void *user, void *bytes, size_t n, size_t *ret_n)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct callbacks *self = user;
    PyObject *result = PyObject_CallMethod(self->object, self->method, "n", (Py_ssize_t)n);
    int r = result && take(result, bytes, n, ret_n) == 0 ? 0 : TRAP_CODE;

    if (r < 0)
        trap_catch(self->trap);
    Py_XDECREF(result);
    PyGILState_Release(state);
    return r;
}

/* The number that write() has returned. None, as of writers that always take all bytes, is all of them. */
static int taken(PyObject *result, size_t n, size_t *ret_n)
{
    Py_ssize_t count = (Py_ssize_t)n;

    if (result != Py_None) {
        count = PyNumber_AsSsize_t(result, PyExc_OverflowError);
        if (count == -1 && PyErr_Occurred())
            return -1;
    }
    if (count <= 0 || (size_t)count > n) {
        PyErr_Format(PyExc_ValueError, "write() of %zu bytes returned %zd", n, count);
        return -1;
    }
    *ret_n = (size_t)count;
    return 0;
}

static int on_write(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct callbacks *self = user;
    PyObject *result = PyObject_CallMethod(self->object, self->method, "y#", bytes, (Py_ssize_t)n);
    int r = result && taken(result, n, ret_n) == 0 ? 0 : TRAP_CODE;

    if (r < 0)
        trap_catch(self->trap);
    Py_XDECREF(result);
    PyGILState_Release(state);
    return r;
}

static void on_free(void *user)
{
    PyGILState_STATE state = PyGILState_Ensure();

    Py_DECREF(((struct callbacks *)user)->object);
    PyMem_Free(user);
    PyGILState_Release(state);
}

leat_endpoint *callbacks_endpoint(PyObject *object, enum leat_direction direction, struct trap *trap)
{
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct callbacks *self = PyMem_Malloc(sizeof(*self));
    leat_endpoint *endpoint;
    int r;

    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_INCREF(object);
    *self = (struct callbacks){object, direction == LEAT_WRITE ? "write" : "read", trap};
    if (direction == LEAT_READ && PyObject_HasAttrString(object, "read1"))
        self->method = "read1"; /* it does not wait for more bytes than there are */
    if (direction == LEAT_READ)
        callbacks.read = on_read;
    else
        callbacks.write = on_write;
    callbacks.free = on_free;
    if ((r = leat_endpoint_from_callbacks(&endpoint, &callbacks, self, &error)) == 0)
        return endpoint;
    Py_DECREF(object);
    PyMem_Free(self);
    error_raise(r, &error);
    return NULL;
}
