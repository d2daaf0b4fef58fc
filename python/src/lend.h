/* SPDX-License-Identifier: MIT */
/* Bytes objects that go through a pipe without a copy: a writer lends them, and a reader that wants all of one gets the
 * object itself. */
#ifndef LEAT_PYTHON_LEND_H
#define LEAT_PYTHON_LEND_H

#include "abi.h"
#include <leat/stream.h>

enum {
    LEND_FROM = 16 * 1024 /* a shorter object is copied, because that costs less */
};

/* Makes a view of a bytes object, which keeps it alive. 0; -1: there is an exception. */
int lend(PyObject *bytes, struct leat_view *view);

/* A new reference to the object that was lent and begins there, if it has n bytes. NULL: there is none. */
PyObject *lend_find(const void *data, size_t n);

#endif
