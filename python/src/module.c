/* SPDX-License-Identifier: MIT */
/* The module leat._leat: the types of the extension, in one place. */
#include "buffer.h"
#include "channel.h"
#include "errors.h"
#include "filter.h"
#include "filter_custom.h"
#include "pipe.h"
#include "pipeline.h"
#include "report.h"
#include "room.h"
#include "stages.h"
#include "stream.h"
#include "view.h"
#include <leat/base.h>

static PyObject *version(PyObject *module, PyObject *nothing)
{
    return PyUnicode_FromString(leat_version());
}

static PyMethodDef functions[] = {
    {"version", version, METH_NOARGS, "The version of the library."},
    {0},
};

/* One state for the process: libleat has one, and an interpreter with a GIL of its own refuses such a module. */
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "leat._leat", NULL, -1, functions, NULL, NULL, NULL, NULL};

static int (*const parts[])(PyObject *) = {room_init, filter_init, filter_custom_init, report_init,  pipeline_init,
                                           pipe_init, writer_init, reader_init,        channel_init, stages_init,
                                           view_init, stream_init, buffer_init};

PyMODINIT_FUNC PyInit__leat(void); /* the interpreter looks it up by its name */
PyMODINIT_FUNC PyInit__leat(void)
{
    PyObject *module;
    size_t i;
    int r = LEAT_CHECK_VERSION();

    if (r < 0) {
        PyErr_Format(PyExc_ImportError, "the library leat %s does not fit this module, which was made for %d.%d.%d",
                     leat_version(), LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR, LEAT_VERSION_PATCH);
        return NULL;
    }
    if (errors_init() < 0 || !(module = PyModule_Create(&definition)))
        return NULL;
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i](module) < 0) {
            Py_DECREF(module);
            return NULL;
        }
    return module;
}
