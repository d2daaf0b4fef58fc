/* SPDX-License-Identifier: MIT */
#include "pipeline.h"
#include "args.h"
#include "endpoint.h"
#include "errors.h"
#include "filter.h"
#include "options.h"
#include "pipe.h"
#include "report.h"
#include "wait.h"
#include <errno.h>
#include <string.h>

struct pipeline_object {
    PyObject base;
    leat_pipeline *pipeline; /* NULL: __init__ has not made it */
    struct endpoint_parts parts;
    bool waiting; /* a thread waits for the end, without the GIL */
};

static struct pipeline_object *cast(PyObject *object)
{
    return (struct pipeline_object *)object;
}

/* The pipeline, or NULL with an exception. */
static leat_pipeline *get(PyObject *object)
{
    if (!cast(object)->pipeline)
        PyErr_SetString(PyExc_RuntimeError, "the pipeline was not made");
    return cast(object)->pipeline;
}

struct run {
    leat_pipeline *pipeline;
    leat_report *report;
};

static int wait_end(void *context, int timeout_ms)
{
    struct run *run = context;

    return leat_pipeline_wait(run->pipeline, timeout_ms, &run->report);
}

/* Waits for the end, or for timeout_ms. One thread at a time may. */
static int wait_run(struct pipeline_object *self, struct run *run, int timeout_ms)
{
    int r;

    if (self->waiting) {
        PyErr_SetString(PyExc_RuntimeError, "another thread waits for the end of this pipeline");
        return WAIT_RAISED;
    }
    self->waiting = true;
    r = wait_for(wait_end, run, timeout_ms, 0);
    self->waiting = false;
    return r;
}

static int make(struct pipeline_object *self, PyObject *text, const struct leat_pipeline_options *options)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *bytes;
    int r;

    if (!text || text == Py_None) {
        r = leat_pipeline_new(&self->pipeline, options, &error);
    } else {
        if (!(bytes = args_encode(text)))
            return -1;
        self->parts.long_run = true;
        r = leat_pipeline_parse(&self->pipeline, PyBytes_AsString(bytes), options, &error);
        Py_DECREF(bytes);
    }
    if (r < 0)
        error_raise(r, &error);
    return r < 0 ? -1 : 0;
}

/* (options, text=None): takes the options of pipelines and, with a text, those of endpoints and sinks out of the dict.
 */
static int pipeline_construct(PyObject *object, PyObject *args, PyObject *keywords)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_endpoint_options endpoints = LEAT_INIT(struct leat_endpoint_options);
    struct leat_sink_options sinks = LEAT_INIT(struct leat_sink_options);
    struct pipeline_object *self = cast(object);
    PyObject *values[2];

    if (args_read_tuple(SIGNATURE("Pipeline", 1, "options", "text"), args, keywords, values) < 0)
        return -1;
    if (self->pipeline) {
        PyErr_SetString(PyExc_RuntimeError, "the pipeline was made before");
        return -1;
    }
    if (!self->parts.keep && (!(self->parts.keep = PyList_New(0)) || !(self->parts.traps = PyList_New(0))))
        return -1;
    if (options_take(values[0], pipeline_options_table, &options, self->parts.keep) < 0)
        return -1;
    if (values[1] && values[1] != Py_None) {
        if (options_take(values[0], endpoint_options_table, &endpoints, self->parts.keep) < 0 ||
            options_take(values[0], sink_options_table, &sinks, self->parts.keep) < 0 || options_end(values[0]) < 0)
            return -1;
        options.endpoints = &endpoints;
        options.sinks = &sinks;
    }
    self->parts.long_run = options.rate > 0;
    return make(self, values[1], &options);
}

static int pipeline_clear(PyObject *object)
{
    Py_CLEAR(cast(object)->parts.keep);
    Py_CLEAR(cast(object)->parts.traps);
    Py_CLEAR(cast(object)->parts.trap.exception);
    return 0;
}

/* What the endpoints borrow is let go after the pipeline. */
static void pipeline_dealloc(PyObject *object)
{
    leat_pipeline *pipeline = cast(object)->pipeline;

    PyObject_GC_UnTrack(object);
    if (pipeline) {
        cast(object)->pipeline = NULL;
        Py_BEGIN_ALLOW_THREADS leat_pipeline_free(pipeline);
        Py_END_ALLOW_THREADS
    }
    pipeline_clear(object);
    type_free(object);
}

static int pipeline_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(cast(object)->parts.keep);
    Py_VISIT(cast(object)->parts.traps);
    Py_VISIT(cast(object)->parts.trap.exception);
    return 0;
}

static PyObject *answer(int r)
{
    if (r < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static PyObject *pipeline_source(PyObject *object, PyObject *args)
{
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    struct pipeline_object *self = cast(object);
    PyObject *what, *dict;
    leat_endpoint *endpoint;

    if (!get(object) || !PyArg_ParseTuple(args, "OO", &what, &dict) ||
        options_take(dict, endpoint_options_table, &options, self->parts.keep) < 0 || options_end(dict) < 0 ||
        !(endpoint = endpoint_make(what, LEAT_READ, &options, &self->parts)))
        return NULL;
    return answer(leat_pipeline_source(self->pipeline, endpoint));
}

static PyObject *pipeline_sink(PyObject *object, PyObject *args)
{
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    struct leat_sink_options sink = LEAT_INIT(struct leat_sink_options);
    struct pipeline_object *self = cast(object);
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *what, *dict;
    leat_endpoint *endpoint;
    int r;

    if (!get(object) || !PyArg_ParseTuple(args, "OO", &what, &dict) ||
        options_take(dict, endpoint_options_table, &options, self->parts.keep) < 0 ||
        options_take(dict, sink_options_table, &sink, self->parts.keep) < 0 || options_end(dict) < 0 ||
        !(endpoint = endpoint_make(what, LEAT_WRITE, &options, &self->parts)))
        return NULL;
    r = leat_pipeline_sink(self->pipeline, endpoint, &sink, &error);
    if (r < 0)
        return error_raise(r, &error);
    Py_RETURN_NONE;
}

static PyObject *pipeline_filter(PyObject *object, PyObject *value)
{
    leat_filter *filter;

    if (!get(object) || !(filter = filter_ref(value)))
        return NULL;
    if (!filter_is_digest(value))
        cast(object)->parts.long_run = true;
    if (PyList_Append(cast(object)->parts.traps, value) < 0) {
        leat_filter_free(filter);
        return NULL;
    }
    return answer(leat_pipeline_filter(cast(object)->pipeline, filter));
}

static PyObject *pipeline_start(PyObject *object, PyObject *nothing)
{
    return get(object) ? answer(leat_pipeline_start(cast(object)->pipeline)) : NULL;
}

static PyObject *pipeline_cancel(PyObject *object, PyObject *nothing)
{
    return get(object) ? answer(leat_pipeline_cancel(cast(object)->pipeline)) : NULL;
}

/* Raises the exception of a Python function, if one has failed. */
static bool raise_trapped(struct pipeline_object *self)
{
    Py_ssize_t i;

    if (trap_raise(&self->parts.trap))
        return true;
    for (i = 0; i < PyList_Size(self->parts.traps); i++) {
        PyObject *each = PyList_GetItem(self->parts.traps, i);

        if (PyList_Check(each) ? pipe_box_raise(each) : filter_raise(each))
            return true;
    }
    return false;
}

/* The run has ended: the report, or the exception that it ended with. Nothing is borrowed any more. */
static PyObject *ended(struct pipeline_object *self, int r, leat_report *report)
{
    PyObject *keep = self->parts.keep, *result = report ? report_wrap(report) : NULL;

    if (report && !result)
        return NULL;
    self->parts.keep = PyList_New(0);
    Py_DECREF(keep);
    if (r == 0)
        return result;
    if (!raise_trapped(self))
        return error_raise_with(r, report ? leat_report_error(report) : NULL, "report", result);
    Py_XDECREF(result);
    return NULL;
}

/* Waits for the end: the report, or None if the time is up. */
static PyObject *pipeline_wait(PyObject *object, PyObject *value)
{
    struct run run = {get(object), NULL};
    int r, timeout_ms;

    if (!run.pipeline || args_timeout(value, &timeout_ms) < 0)
        return NULL;
    r = wait_run(cast(object), &run, timeout_ms);
    if (r == WAIT_RAISED)
        return NULL;
    if (!run.report && (r == -EAGAIN || r == -ETIMEDOUT))
        Py_RETURN_NONE;
    return ended(cast(object), r, run.report);
}

/* On the calling thread: a brief run, or where no signal is handled. */
static int run_here(struct pipeline_object *self, struct run *run)
{
    int r;

    if (self->waiting) {
        PyErr_SetString(PyExc_RuntimeError, "another thread waits for the end of this pipeline");
        return WAIT_RAISED;
    }
    self->waiting = true;
    Py_BEGIN_ALLOW_THREADS r = leat_pipeline_run(run->pipeline, &run->report);
    Py_END_ALLOW_THREADS self->waiting = false;
    return r;
}

/* Runs to the end. If a signal's handler raises, the run is cancelled, and has ended when the exception goes on. */
static PyObject *pipeline_run(PyObject *object, PyObject *nothing)
{
    struct run run = {get(object), NULL};
    int r;

    if (!run.pipeline)
        return NULL;
    if (!cast(object)->parts.long_run || !wait_has_signals()) {
        r = run_here(cast(object), &run);
        return r == WAIT_RAISED ? NULL : ended(cast(object), r, run.report);
    }
    if ((r = leat_pipeline_start(run.pipeline)) < 0)
        return error_raise(r, NULL);
    r = wait_run(cast(object), &run, -1);
    if (r != WAIT_RAISED)
        return ended(cast(object), r, run.report);
    Py_BEGIN_ALLOW_THREADS leat_pipeline_cancel(run.pipeline);
    leat_pipeline_wait(run.pipeline, -1, &run.report);
    Py_END_ALLOW_THREADS leat_report_free(run.report);
    return NULL;
}

static PyObject *pipeline_fd(PyObject *object, PyObject *nothing)
{
    int r, fd;

    if (!get(object))
        return NULL;
    r = leat_pipeline_fd(cast(object)->pipeline, &fd);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromLong(fd);
}

/* (bytes, total or None, seconds, buffered) */
static PyObject *pipeline_progress(PyObject *object, PyObject *nothing)
{
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    PyObject *total;

    if (!get(object))
        return NULL;
    leat_pipeline_progress(cast(object)->pipeline, &now);
    if (now.has_total)
        total = PyLong_FromUnsignedLongLong(now.total);
    else {
        Py_INCREF(Py_None);
        total = Py_None;
    }
    return Py_BuildValue("KNdK", (unsigned long long)now.bytes, total, now.seconds, (unsigned long long)now.buffered);
}

static PyObject *pipeline_explain(PyObject *object, PyObject *value)
{
    PyObject *string;
    bool json = false;
    char *text;
    int r;

    if (!get(object) || args_flag(value, &json) < 0)
        return NULL;
    r = leat_pipeline_explain(cast(object)->pipeline, json ? LEAT_FORMAT_JSON : LEAT_FORMAT_TEXT, &text);
    if (r < 0) {
        struct leat_error error = LEAT_INIT(struct leat_error);

        leat_pipeline_check(cast(object)->pipeline, &error);
        return error_raise(r, &error);
    }
    string = PyUnicode_DecodeFSDefault(text);
    leat_free(text);
    return string;
}

static PyMethodDef methods[] = {
    {"_source", pipeline_source, METH_VARARGS, NULL},
    {"_sink", pipeline_sink, METH_VARARGS, NULL},
    {"_filter", pipeline_filter, METH_O, NULL},
    {"_run", pipeline_run, METH_NOARGS, NULL},
    {"_wait", pipeline_wait, METH_O, NULL},
    {"_progress", pipeline_progress, METH_NOARGS, NULL},
    {"_explain", pipeline_explain, METH_O, NULL},
    {"start", pipeline_start, METH_NOARGS, "Starts the run on a thread of its own."},
    {"cancel", pipeline_cancel, METH_NOARGS, "Cancels the run, which ends soon. Any thread may call it."},
    {"fileno", pipeline_fd, METH_NOARGS, "A descriptor that is readable when the run has ended."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_init, pipeline_construct},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, pipeline_dealloc},
    {Py_tp_traverse, pipeline_traverse},
    {Py_tp_clear, pipeline_clear},
    {Py_tp_methods, methods},
    {0},
};

static PyType_Spec spec = {"leat._leat.Pipeline", sizeof(struct pipeline_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

int pipeline_init(PyObject *module)
{
    PyObject *type = type_add(module, "Pipeline", &spec);

    Py_XDECREF(type);
    return type ? 0 : -1;
}
