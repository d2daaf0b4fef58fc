/* SPDX-License-Identifier: MIT */
/* Bytes of Python objects that leat borrows for longer than a call. */
#ifndef LEAT_PYTHON_HOLD_H
#define LEAT_PYTHON_HOLD_H

#include "abi.h"
#include <stdbool.h>

struct hold {
    Py_buffer view;
};

/* Gets the bytes of the object, and appends to `keep`, a list, what holds them. The result is borrowed from it; NULL:
 * there is an exception. */
struct hold *hold_bytes(PyObject *object, bool writable, PyObject *keep);

#endif
