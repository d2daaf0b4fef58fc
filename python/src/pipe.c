/* SPDX-License-Identifier: MIT */
#include "pipe.h"
#include "args.h"
#include "filter.h"
#include <errno.h>
#include <string.h>

enum {
    FILTERS_MAX = 64 /* as leat_pipe_open allows */
};

int pipe_end_begin(struct pipe_end *end, bool *turn, int timeout_ms)
{
    int r;

    if (end->closed)
        return -ECANCELED;
    if (*turn)
        return 0;
    r = turn_take(&end->turn, timeout_ms);
    *turn = r == 0;
    return r == 0 && end->closed ? -ECANCELED : r;
}

int pipe_end_check(const struct pipe_end *end)
{
    if (!end->closed)
        return 0;
    PyErr_SetString(PyExc_ValueError, "this end of the pipe is closed");
    return -1;
}

bool pipe_end_quick(const struct pipe_end *end)
{
    return PyList_Size(end->box) == 1;
}

bool pipe_box_raise(PyObject *box)
{
    PyObject *exception = PyList_GetItem(box, 0);
    Py_ssize_t i;

    if (exception != Py_None) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        return true;
    }
    for (i = 1; i < PyList_Size(box); i++)
        if (filter_raise(PyList_GetItem(box, i)))
            return true;
    return false;
}

PyObject *pipe_stats_dict(int r, const struct leat_pipe_stats *stats)
{
    static const char *const backends[] = {"auto", "kernel", "queue"};

    if (r < 0)
        return error_raise(r, NULL);
    return Py_BuildValue(
        "{sssOsKsKsKsKsKsdsdsKsK}", "backend", backends[stats->backend], "zero_copy",
        stats->zero_copy ? Py_True : Py_False, "memory_limit", (unsigned long long)stats->memory_limit, "chunk_size",
        (unsigned long long)stats->chunk_size, "bytes_in", (unsigned long long)stats->bytes_in, "bytes_out",
        (unsigned long long)stats->bytes_out, "high_water", (unsigned long long)stats->high_water, "writer_blocked",
        (double)stats->writer_blocked_ns / 1e9, "reader_blocked", (double)stats->reader_blocked_ns / 1e9, "unread",
        (unsigned long long)stats->unread, "room", (unsigned long long)stats->room);
}

int pipe_end_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct pipe_end *end = (struct pipe_end *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(end->box);
    Py_VISIT(end->room);
    return 0;
}

int pipe_end_clear(PyObject *object)
{
    (void)object; /* the list is cleared by itself, and the room has no other owner */
    return 0;
}

PyObject *pipe_end_closed(PyObject *object, void *closure)
{
    return PyBool_FromLong(((struct pipe_end *)object)->closed);
}

PyObject *pipe_end_true(PyObject *object, PyObject *nothing)
{
    Py_RETURN_TRUE;
}

PyObject *pipe_end_false(PyObject *object, PyObject *nothing)
{
    Py_RETURN_FALSE;
}

PyObject *pipe_end_none(PyObject *object, PyObject *nothing)
{
    Py_RETURN_NONE;
}

PyObject *pipe_end_enter(PyObject *object, PyObject *nothing)
{
    if (pipe_end_check((struct pipe_end *)object) < 0)
        return NULL;
    Py_INCREF(object);
    return object;
}

/* The filters of a sequence go to the options, and their objects to the box. */
static int take_filters(PyObject *sequence, struct leat_pipe_options *options, PyObject *box)
{
    Py_ssize_t i, n = PySequence_Size(sequence);

    if (n > FILTERS_MAX)
        PyErr_Format(PyExc_ValueError, "a pipe has at most %d filters", FILTERS_MAX);
    if (n < 0 || n > FILTERS_MAX)
        return -1;
    for (i = 0; i < n; i++) {
        PyObject *object = PySequence_GetItem(sequence, i);
        int r = object ? PyList_Append(box, object) : -1;

        if (r == 0 && !(options->filters[options->filter_count] = filter_ref(object)))
            r = -1;
        Py_XDECREF(object);
        if (r < 0)
            return -1;
        options->filter_count++;
    }
    return 0;
}

static int open_pipe(PyObject *const *values, struct leat_pipe_options *options, PyObject *box, leat_writer **writer,
                     leat_reader **reader)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_filter *filters[FILTERS_MAX];
    long backend = PyLong_AsLong(values[4]);
    int r;

    options->filters = filters;
    options->backend = (int32_t)backend;
    if ((backend == -1 && PyErr_Occurred()) || args_size(values[2], &options->memory_limit) < 0 ||
        args_size(values[3], &options->chunk_size) < 0)
        return -1;
    if (take_filters(values[5], options, box) < 0) {
        while (options->filter_count > 0)
            leat_filter_free(filters[--options->filter_count]);
        return -1;
    }
    r = leat_pipe_open(writer, reader, options, &error);
    if (r < 0)
        error_raise(r, &error);
    return r < 0 ? -1 : 0;
}

/* (writer_type, reader_type, memory_limit, chunk_size, backend, filters): both ends. */
static PyObject *pipe_open(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    PyObject *writer_object, *reader_object, *box, *none = Py_None;
    PyObject *values[6];
    leat_writer *writer;
    leat_reader *reader;

    if (args_read(SIGNATURE("pipe", 6, "writer", "reader", "memory_limit", "chunk_size", "backend", "filters"), args, n,
                  NULL, values) < 0 ||
        !(box = PyList_New(0)))
        return NULL;
    if (PyList_Append(box, none) < 0 || open_pipe(values, &options, box, &writer, &reader) < 0) {
        Py_DECREF(box);
        return NULL;
    }
    writer_object = writer_wrap((PyTypeObject *)values[0], writer, box);
    reader_object = reader_wrap((PyTypeObject *)values[1], reader, box);
    Py_DECREF(box);
    if (writer_object && reader_object)
        return Py_BuildValue("NN", writer_object, reader_object);
    Py_XDECREF(writer_object);
    Py_XDECREF(reader_object);
    return NULL;
}

static PyMethodDef functions[] = {
    {"pipe", (PyCFunction)(void (*)(void))pipe_open, METH_FASTCALL, NULL},
    {0},
};

int pipe_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
