/* SPDX-License-Identifier: MIT */
#include "hold.h"

static void release(PyObject *capsule)
{
    struct hold *hold = PyCapsule_GetPointer(capsule, NULL);

    PyBuffer_Release(&hold->view);
    PyMem_Free(hold);
}

struct hold *hold_bytes(PyObject *object, bool writable, PyObject *keep)
{
    struct hold *hold = PyMem_Malloc(sizeof(*hold));
    PyObject *capsule;
    int r;

    if (!hold) {
        PyErr_NoMemory();
        return NULL;
    }
    if (PyObject_GetBuffer(object, &hold->view, writable ? PyBUF_WRITABLE : PyBUF_SIMPLE) < 0) {
        PyMem_Free(hold);
        return NULL;
    }
    if (!(capsule = PyCapsule_New(hold, NULL, release))) {
        PyBuffer_Release(&hold->view);
        PyMem_Free(hold);
        return NULL;
    }
    r = PyList_Append(keep, capsule);
    Py_DECREF(capsule); /* which releases the bytes if the list does not have it */
    return r < 0 ? NULL : hold;
}
