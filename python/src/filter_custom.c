/* SPDX-License-Identifier: MIT */
/* The functions are called by whatever thread moves the bytes: one that is in a call of a pipe, or one of a pipeline.
 * They take bytes objects and not views, because a view may outlive the chunk. */
#include "filter_custom.h"
#include "filter.h"
#include <leat/filter.h>
#include <string.h>

struct custom {
    PyObject *process; /* process(bytes) gives an object of bytes, or None */
    PyObject *finish;  /* finish() as well; NULL: there is nothing to give at the end */
    PyObject *pending; /* bytes that were given and have had no room yet; NULL: none */
    Py_ssize_t at;     /* where the rest of them begins */
    bool finished;
    struct trap trap;
};

struct trap *custom_trap(struct custom *custom)
{
    return &custom->trap;
}

int custom_traverse(struct custom *custom, visitproc visit, void *arg)
{
    Py_VISIT(custom->process);
    Py_VISIT(custom->finish);
    Py_VISIT(custom->pending);
    Py_VISIT(custom->trap.exception);
    return 0;
}

void custom_clear(struct custom *custom)
{
    Py_CLEAR(custom->process);
    Py_CLEAR(custom->finish);
    Py_CLEAR(custom->pending);
    Py_CLEAR(custom->trap.exception);
}

static int custom_start(void *user)
{
    struct custom *self = user;
    PyGILState_STATE state = PyGILState_Ensure();

    Py_CLEAR(self->pending);
    Py_CLEAR(self->trap.exception);
    self->finished = false;
    PyGILState_Release(state);
    return 0;
}

static void custom_free(void *user)
{
    PyGILState_STATE state = PyGILState_Ensure();

    custom_clear(user);
    PyMem_Free(user);
    PyGILState_Release(state);
}

/* Keeps what a function has given. It takes the reference; NULL is an exception. 0, or -1 with an exception. */
static int keep(struct custom *self, PyObject *result)
{
    if (!result)
        return -1;
    if (result == Py_None) {
        Py_DECREF(result);
        return 0;
    }
    self->pending = PyBytes_FromObject(result);
    self->at = 0;
    Py_DECREF(result);
    return self->pending ? 0 : -1;
}

/* Moves what has room. true: nothing is left. */
static bool give(struct custom *self, char *out, size_t room, size_t *given)
{
    size_t n;

    if (!self->pending)
        return true;
    n = (size_t)(PyBytes_Size(self->pending) - self->at);
    if (n > room - *given)
        n = room - *given;
    memcpy(out + *given, PyBytes_AsString(self->pending) + self->at, n);
    *given += n;
    self->at += (Py_ssize_t)n;
    if (self->at < PyBytes_Size(self->pending))
        return false;
    Py_CLEAR(self->pending);
    return true;
}

static int run(struct custom *self, const void *in, size_t *in_n, void *out, size_t *out_n, enum leat_filter_mode mode)
{
    size_t n = *in_n, room = *out_n;

    *in_n = *out_n = 0;
    if (!give(self, out, room, out_n))
        return LEAT_FILTER_FULL;
    if (!self->process)
        return -ECANCELED;
    if (n > 0) {
        if (keep(self, PyObject_CallFunction(self->process, "y#", in, (Py_ssize_t)n)) < 0)
            return TRAP_CODE;
        *in_n = n;
        if (!give(self, out, room, out_n))
            return LEAT_FILTER_FULL;
    }
    if (mode == LEAT_FILTER_FINISH && !self->finished && self->finish) {
        self->finished = true;
        if (keep(self, PyObject_CallObject(self->finish, NULL)) < 0)
            return TRAP_CODE;
        if (!give(self, out, room, out_n))
            return LEAT_FILTER_FULL;
    }
    return LEAT_FILTER_DONE;
}

static int custom_transform(void *user, const void *in, size_t *in_n, void *out, size_t *out_n,
                            enum leat_filter_mode mode)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct custom *self = user;
    int r = run(self, in, in_n, out, out_n, mode);

    if (r == TRAP_CODE)
        trap_catch(&self->trap);
    PyGILState_Release(state);
    return r;
}

static int custom_observe(void *user, const void *bytes, size_t n)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct custom *self = user;
    PyObject *result = self->process ? PyObject_CallFunction(self->process, "y#", bytes, (Py_ssize_t)n) : NULL;
    int r = result ? 0 : TRAP_CODE;

    if (r < 0 && PyErr_Occurred())
        trap_catch(&self->trap);
    Py_XDECREF(result);
    PyGILState_Release(state);
    return r;
}

static PyObject *new_custom(PyObject *process, PyObject *finish, bool observes)
{
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct custom *self = PyMem_Calloc(1, sizeof(*self));
    leat_filter *filter;
    int r;

    if (!self)
        return PyErr_NoMemory();
    ops.name = "python";
    ops.start = custom_start;
    ops.free = custom_free;
    if (observes)
        ops.observe = custom_observe;
    else
        ops.transform = custom_transform;
    if ((r = leat_filter_custom(&filter, &ops, self, &error)) < 0) {
        PyMem_Free(self);
        return error_raise(r, &error);
    }
    Py_INCREF(process);
    self->process = process;
    if (finish != Py_None) {
        Py_INCREF(finish);
        self->finish = finish;
    }
    return filter_wrap(filter, self);
}

static PyObject *new_transform(PyObject *module, PyObject *args)
{
    PyObject *process, *finish;

    return PyArg_ParseTuple(args, "OO", &process, &finish) ? new_custom(process, finish, false) : NULL;
}

static PyObject *new_observe(PyObject *module, PyObject *process)
{
    return new_custom(process, Py_None, true);
}

static PyMethodDef functions[] = {
    {"transform", new_transform, METH_VARARGS, NULL},
    {"observe", new_observe, METH_O, NULL},
    {0},
};

int filter_custom_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
