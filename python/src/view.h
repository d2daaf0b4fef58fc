/* SPDX-License-Identifier: MIT */
/* leat.View: bytes of a stream that stay where they are. */
#ifndef LEAT_PYTHON_VIEW_H
#define LEAT_PYTHON_VIEW_H

#include "abi.h"
#include <leat/stream.h>
#include <stdbool.h>

int view_init(PyObject *module);

/* The object of a view, which it takes, on failure too: a View, or bytes. */
PyObject *view_wrap(struct leat_view *view, bool as_view);

/* The view of a View; NULL: the object is another one. */
const struct leat_view *view_get(PyObject *object);

#endif
