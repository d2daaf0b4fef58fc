/* SPDX-License-Identifier: MIT */
/* leat.Filter: any filter, as an object that pipelines and pipes take. */
#ifndef LEAT_PYTHON_FILTER_H
#define LEAT_PYTHON_FILTER_H

#include "errors.h"
#include <leat/filter.h>

extern PyTypeObject *filter_type;

int filter_init(PyObject *module);

struct custom;

/* The object of a filter, whose reference it takes, on failure too. `custom` is NULL if its functions are not written
 * in Python; it lives as long as the filter. */
PyObject *filter_wrap(leat_filter *filter, struct custom *custom);

/* A reference of an object that is a Filter; else NULL with a TypeError. */
leat_filter *filter_ref(PyObject *object);

/* Is it a digest, which takes no time of its own? */
bool filter_is_digest(PyObject *object);

/* Raises what a Python function of the filter has raised. false: nothing. */
bool filter_raise(PyObject *object);

#endif
