/* SPDX-License-Identifier: MIT */
/* leat._leat.Pipeline: a pipeline and one run of it. */
#ifndef LEAT_PYTHON_PIPELINE_H
#define LEAT_PYTHON_PIPELINE_H

#include "abi.h"

int pipeline_init(PyObject *module);

#endif
