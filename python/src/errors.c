/* SPDX-License-Identifier: MIT */
#include "errors.h"

static PyObject *make; /* leat._errors.make */
static PyObject *incomplete;

int errors_init(void)
{
    PyObject *module;

    if (make)
        return 0;
    if (!(module = PyImport_ImportModule("leat._errors")))
        return -1;
    make = PyObject_GetAttrString(module, "make");
    incomplete = PyObject_GetAttrString(module, "Incomplete");
    Py_DECREF(module);
    return make && incomplete ? 0 : -1;
}

/* The bytes of a name, as os.fsdecode has them: nothing is lost, whatever they are. */
static PyObject *name(const char *text)
{
    return PyUnicode_DecodeFSDefault(text);
}

PyObject *error_raise(int code, const struct leat_error *error)
{
    static const struct leat_error none;
    const struct leat_error *e = error && error->code ? error : &none;
    PyObject *exception =
        PyObject_CallFunction(make, "iNNNiIiKKKK", -code, name(e->text), name(e->node), name(e->operation), e->side,
                              e->index, e->advice, (unsigned long long)e->offset, (unsigned long long)e->taken,
                              (unsigned long long)e->delivered, (unsigned long long)e->held);

    if (exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

PyObject *error_raise_with(int code, const struct leat_error *error, const char *attribute, PyObject *value)
{
    PyObject *type, *exception, *trace;

    error_raise(code, error);
    PyErr_Fetch(&type, &exception, &trace);
    PyErr_NormalizeException(&type, &exception, &trace);
    if (exception && value && PyObject_SetAttrString(exception, attribute, value) < 0)
        PyErr_Clear();
    Py_XDECREF(value);
    PyErr_Restore(type, exception, trace);
    return NULL;
}

PyObject *error_raise_incomplete(void)
{
    PyObject *args = Py_BuildValue("is", ENODATA, "The stream ends before that; its last bytes are still there");

    if (args)
        PyErr_SetObject(incomplete, args);
    Py_XDECREF(args);
    return NULL;
}

void trap_catch(struct trap *trap)
{
    PyObject *type, *exception, *trace;

    PyErr_Fetch(&type, &exception, &trace);
    PyErr_NormalizeException(&type, &exception, &trace);
    if (exception && trace)
        PyException_SetTraceback(exception, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    if (trap->exception)
        Py_XDECREF(exception);
    else
        trap->exception = exception;
}

bool trap_raise(const struct trap *trap)
{
    if (!trap->exception)
        return false;
    PyErr_SetObject((PyObject *)Py_TYPE(trap->exception), trap->exception);
    return true;
}
