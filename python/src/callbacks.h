/* SPDX-License-Identifier: MIT */
/* Endpoints of objects that have no descriptor: their methods read(), or write(), are called. */
#ifndef LEAT_PYTHON_CALLBACKS_H
#define LEAT_PYTHON_CALLBACKS_H

#include "errors.h"
#include <leat/endpoint.h>

/* What the methods raise goes to the trap, which lives as long as the endpoint. NULL: there is an exception. */
leat_endpoint *callbacks_endpoint(PyObject *object, enum leat_direction direction, struct trap *trap);

#endif
