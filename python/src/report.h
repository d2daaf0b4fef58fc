/* SPDX-License-Identifier: MIT */
/* leat.Report: what a run did. */
#ifndef LEAT_PYTHON_REPORT_H
#define LEAT_PYTHON_REPORT_H

#include "abi.h"
#include <leat/pipeline.h>

int report_init(PyObject *module);

/* The object of a report, which it takes, on failure too. */
PyObject *report_wrap(leat_report *report);

#endif
