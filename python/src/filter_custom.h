/* SPDX-License-Identifier: MIT */
/* Filters whose functions are written in Python. */
#ifndef LEAT_PYTHON_FILTER_CUSTOM_H
#define LEAT_PYTHON_FILTER_CUSTOM_H

#include "errors.h"

struct custom;

int filter_custom_init(PyObject *module);

/* Where an exception of the functions is. */
struct trap *custom_trap(struct custom *custom);

/* For the garbage collector: the functions may lead back to the filter. */
int custom_traverse(struct custom *custom, visitproc visit, void *arg);

/* Drops the functions. A call of the filter fails from then on. */
void custom_clear(struct custom *custom);

#endif
