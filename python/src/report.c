/* SPDX-License-Identifier: MIT */
#include "report.h"
#include "args.h"
#include "errors.h"
#include <leat/report.h>

static PyTypeObject *report_type;

struct report_object {
    PyObject base;
    leat_report *report;
};

static const leat_report *get(PyObject *object)
{
    return ((struct report_object *)object)->report;
}

PyObject *report_wrap(leat_report *report)
{
    struct report_object *self = PyObject_New(struct report_object, report_type);

    if (!self) {
        leat_report_free(report);
        return NULL;
    }
    self->report = report;
    return (PyObject *)self;
}

static void report_dealloc(PyObject *object)
{
    leat_report_free(((struct report_object *)object)->report);
    type_free(object);
}

static PyObject *text_of(PyObject *object, int (*write)(const leat_report *, char **))
{
    PyObject *string;
    char *text;
    int r = write(get(object), &text);

    if (r < 0)
        return error_raise(r, NULL);
    string = PyUnicode_DecodeFSDefault(text);
    leat_free(text);
    return string;
}

static PyObject *report_json(PyObject *object, PyObject *nothing)
{
    return text_of(object, leat_report_json);
}

static PyObject *report_str(PyObject *object)
{
    return text_of(object, leat_report_text);
}

static PyObject *report_bytes(PyObject *object, void *closure)
{
    return PyLong_FromUnsignedLongLong(leat_report_bytes(get(object)));
}

static PyObject *report_seconds(PyObject *object, void *closure)
{
    struct leat_totals totals = LEAT_INIT(struct leat_totals);

    leat_report_totals(get(object), &totals);
    return PyFloat_FromDouble(totals.seconds);
}

/* The first digest of a name counts, as in leat_report_digest. */
static PyObject *report_digests(PyObject *object, void *closure)
{
    PyObject *dict = PyDict_New();
    const char *name, *hex;
    size_t i;

    for (i = 0; dict && leat_report_digest_at(get(object), i, &name, &hex) == 0; i++) {
        PyObject *value;

        if (PyDict_GetItemString(dict, name))
            continue;
        value = PyUnicode_FromString(hex);
        if (!value || PyDict_SetItemString(dict, name, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

static PyMethodDef methods[] = {
    {"json", report_json, METH_NOARGS, "The report as one line of JSON."},
    {0},
};

static PyGetSetDef getters[] = {
    {"bytes", report_bytes, NULL, "How many bytes every sink that succeeded got.", NULL},
    {"seconds", report_seconds, NULL, "How long the run took.", NULL},
    {"digests", report_digests, NULL, "The digests in hexadecimal, by their names.", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What a run did. str() gives it as lines for people."},
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, report_dealloc},
    {Py_tp_str, report_str},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0},
};

static PyType_Spec spec = {"leat.Report", sizeof(struct report_object), 0, Py_TPFLAGS_DEFAULT, slots};

int report_init(PyObject *module)
{
    report_type = (PyTypeObject *)type_add(module, "Report", &spec);
    return report_type ? 0 : -1;
}
