/* SPDX-License-Identifier: MIT */
#include "stages.h"
#include "args.h"
#include "options.h"
#include <stddef.h>
#include <string.h>

#define STAGE(member) offsetof(struct leat_stage, member)

PyObject *stages_skip;
PyObject *stages_end;

static const char *const on_errors[] = {"fail", "drop", NULL};

static const struct option stage_options_table[] = {
    {"name", OPTION_TEXT, STAGE(name), NULL, 0},
    {"workers", OPTION_INT, STAGE(workers), NULL, 0},
    {"queue", OPTION_INT, STAGE(queue), NULL, 0},
    {"ordered", OPTION_FLAG, STAGE(ordered), NULL, 0},
    {"batch", OPTION_INT, STAGE(batch), NULL, 0},
    {"on_error", OPTION_WORD, STAGE(on_error), on_errors, 0},
    {"retries", OPTION_INT, STAGE(retries), NULL, 0},
    {"backoff", OPTION_TIME, STAGE(backoff_ms), NULL, 0},
    {"count", OPTION_INT, STAGE(group_count), NULL, 0},
    {"seconds", OPTION_TIME, STAGE(group_ms), NULL, 0},
    {0},
};

static struct stages_object *cast(PyObject *object)
{
    return (struct stages_object *)object;
}

leat_stages *stages_get(PyObject *object)
{
    if (!cast(object)->stages)
        PyErr_SetString(PyExc_RuntimeError, "the stages were not made");
    return cast(object)->stages;
}

PyObject *stages_raise(struct stages_object *self, int r)
{
    struct leat_error error = LEAT_INIT(struct leat_error);

    if (trap_raise(&self->trap))
        return NULL;
    leat_stages_wait(self->stages, 0, &error);
    return error_raise(r, error.code == r ? &error : NULL);
}

/* (queue=0, control_done=None) */
static int stages_construct(PyObject *object, PyObject *args, PyObject *keywords)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct stages_object *self = cast(object);
    PyObject *values[2];
    uint64_t queue = 0;
    int r;

    if (args_read_tuple(SIGNATURE("Stages", 0, "queue", "control_done"), args, keywords, values) < 0 ||
        args_size(values[0], &queue) < 0)
        return -1;
    if (self->stages || queue > UINT32_MAX) {
        PyErr_SetString(PyExc_ValueError, self->stages ? "the stages were made before" : "queue is out of range");
        return -1;
    }
    options.user = self;
    options.dispose = stages_dispose;
    options.control_done = stages_control_done;
    options.queue = (uint32_t)queue;
    if (values[1] && values[1] != Py_None) {
        Py_INCREF(values[1]);
        self->control_done = values[1];
    }
    if ((r = leat_stages_new(&self->stages, &options, &error)) < 0)
        error_raise(r, &error);
    return r < 0 ? -1 : 0;
}

static void step_free(struct step *step)
{
    int i;

    for (i = 0; i < STEP_FUNCTIONS; i++)
        Py_XDECREF(step->functions[i]);
    PyMem_Free(step);
}

/* Ends the run before the functions are dropped that it calls. */
static int stages_clear(PyObject *object)
{
    struct stages_object *self = cast(object);
    leat_stages *stages = self->stages;
    struct step *step;

    self->stages = NULL;
    Py_BEGIN_ALLOW_THREADS leat_stages_free(stages);
    Py_END_ALLOW_THREADS while ((step = self->steps))
    {
        self->steps = step->next;
        step_free(step);
    }
    Py_CLEAR(self->control_done);
    Py_CLEAR(self->trap.exception);
    return 0;
}

static void stages_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    stages_clear(object);
    type_free(object);
}

static int stages_traverse(PyObject *object, visitproc visit, void *arg)
{
    const struct step *step;
    int i;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(cast(object)->control_done);
    Py_VISIT(cast(object)->trap.exception);
    for (step = cast(object)->steps; step; step = step->next)
        for (i = 0; i < STEP_FUNCTIONS; i++)
            Py_VISIT(step->functions[i]);
    return 0;
}

/* Adds what `stage` and `step` describe. The step is taken. */
static PyObject *add(struct stages_object *self, struct leat_stage *stage, struct step *step)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r;

    step->owner = self;
    step->grouped = self->grouped;
    step->fails = stage->on_error == LEAT_ON_ERROR_FAIL;
    step->retries = stage->retries;
    stage->user = step;
    stage->dispose = step_dispose;
    if (step->functions[STEP_FUNCTION])
        step_hooks(stage, step);
    if ((r = leat_stages_add(self->stages, stage, &error)) < 0) {
        step_free(step);
        return error_raise(r, &error);
    }
    self->grouped = !step->functions[STEP_FUNCTION];
    step->next = self->steps;
    self->steps = step;
    Py_RETURN_NONE;
}

/* Moves the functions of a dict to the step. */
static int take_functions(PyObject *dict, struct step *step)
{
    static const char *const names[] = {"function", "dead", "open", "close", "worker_open", "worker_close", "control"};
    PyObject *function;
    int i;

    for (i = 0; i < STEP_FUNCTIONS; i++) {
        if (!(function = PyDict_GetItemString(dict, names[i])))
            continue;
        if (function != Py_None && !PyCallable_Check(function)) {
            PyErr_Format(PyExc_TypeError, "%s is a function, not %R", names[i], Py_TYPE(function));
            return -1;
        }
        if (function != Py_None) {
            Py_INCREF(function);
            step->functions[i] = function;
        }
        if (PyDict_DelItemString(dict, names[i]) < 0)
            return -1;
    }
    return 0;
}

/* (options, many, flat): all of a stage, its functions among the options. Without `function` it groups. */
static PyObject *stages_add(PyObject *object, PyObject *args)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    struct stages_object *self = cast(object);
    PyObject *dict, *keep, *result = NULL;
    struct step *step;
    int many, flat;

    if (!stages_get(object) || !PyArg_ParseTuple(args, "Opp", &dict, &many, &flat))
        return NULL;
    if (!(step = PyMem_Calloc(1, sizeof(*step))))
        return PyErr_NoMemory();
    step->many = many;
    step->flat = flat;
    stage.workers = 1;
    keep = PyList_New(0);
    if (!keep || take_functions(dict, step) < 0 || options_take(dict, stage_options_table, &stage, keep) < 0 ||
        options_end(dict) < 0)
        step_free(step);
    else
        result = add(self, &stage, step);
    Py_XDECREF(keep);
    return result;
}

static PyObject *simple(PyObject *object, int (*function)(leat_stages *))
{
    int r;

    if (!stages_get(object))
        return NULL;
    Py_BEGIN_ALLOW_THREADS r = function(cast(object)->stages);
    Py_END_ALLOW_THREADS if (r < 0) return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static PyObject *stages_cancel(PyObject *object, PyObject *nothing)
{
    return simple(object, leat_stages_cancel);
}

static PyObject *stages_pause(PyObject *object, PyObject *nothing)
{
    return simple(object, leat_stages_pause);
}

static PyObject *stages_resume(PyObject *object, PyObject *nothing)
{
    return simple(object, leat_stages_resume);
}

PyObject *stages_finish(PyObject *object, PyObject *nothing)
{
    return simple(object, leat_stages_finish);
}

/* Ends the run with an exception, as if a function had raised it. */
static PyObject *stages_fail(PyObject *object, PyObject *exception)
{
    if (!stages_get(object))
        return NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    trap_catch(&cast(object)->trap);
    return simple(object, leat_stages_cancel);
}

static PyObject *stages_poll_fd(PyObject *object, PyObject *nothing)
{
    int r, fd;

    if (!stages_get(object))
        return NULL;
    r = leat_stages_fd(cast(object)->stages, &fd);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromLong(fd);
}

static PyObject *stages_stats(PyObject *object, PyObject *value)
{
    struct leat_stage_stats s = LEAT_INIT(struct leat_stage_stats);
    Py_ssize_t index = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    int r;

    if (!stages_get(object) || (index == -1 && PyErr_Occurred()))
        return NULL;
    if ((r = leat_stages_stats(cast(object)->stages, (size_t)index, &s)) < 0)
        return error_raise(r, NULL);
    return Py_BuildValue("{sKsKsKsKsKsKsKsKsdsdsd}", "in", (unsigned long long)s.in, "done", (unsigned long long)s.done,
                         "out", (unsigned long long)s.out, "dropped", (unsigned long long)s.dropped, "dead",
                         (unsigned long long)s.dead, "retries", (unsigned long long)s.retries, "queued",
                         (unsigned long long)s.queued, "most", (unsigned long long)s.most, "busy",
                         (double)s.busy_ns / 1e9, "wait_in", (double)s.wait_in_ns / 1e9, "wait_out",
                         (double)s.wait_out_ns / 1e9);
}

static PyObject *stages_explain(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[1], *string;
    bool json = false;
    char *text;
    int r;

    if (!stages_get(object) || args_read(SIGNATURE("explain", 0, "json"), args, n, keywords, values) < 0 ||
        args_flag(values[0], &json) < 0)
        return NULL;
    if ((r = leat_stages_explain(cast(object)->stages, json ? LEAT_FORMAT_JSON : LEAT_FORMAT_TEXT, &text)) < 0)
        return error_raise(r, NULL);
    string = PyUnicode_DecodeFSDefault(text);
    leat_free(text);
    return string;
}

static PyMethodDef methods[] = {
    {"_add", stages_add, METH_VARARGS, NULL},
    {"_fail", stages_fail, METH_O, NULL},
    {"_feed", stages_feed, METH_O, NULL},
    {"_abort", stages_abort, METH_O, NULL},
    {"start", stages_start, METH_NOARGS, "Starts the threads."},
    {"put", FAST(stages_put), "put(item, timeout=None): puts an item in."},
    {"put_many", FAST(stages_put_many), "put_many(items, timeout=None): puts several items in."},
    {"control", FAST(stages_control), "control(item, timeout=None): an item that visits each step once."},
    {"take", FAST(stages_take), "take(timeout=None): the next result; Ended behind the last one."},
    {"take_many", FAST(stages_take_many), "take_many(n=256, timeout=None): a list of the results that are there."},
    {"finish", stages_finish, METH_NOARGS, "Ends the input."},
    {"wait", FAST(stages_wait), "wait(timeout=None): returns when the run has ended."},
    {"stop", FAST(stages_stop), "stop(abort=False, timeout=None): ends the run, and waits for its threads."},
    {"cancel", stages_cancel, METH_NOARGS, "Ends the run as a failure."},
    {"pause", stages_pause, METH_NOARGS, "No worker takes another item."},
    {"resume", stages_resume, METH_NOARGS, "Ends a pause."},
    {"poll_fd", stages_poll_fd, METH_NOARGS, "A descriptor that is readable while take() would not wait."},
    {"stats", stages_stats, METH_O, "stats(index): numbers about a step, as a dict."},
    {"explain", FAST(stages_explain), "explain(json=False): a table of all steps, which names the slowest."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_init, stages_construct},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, stages_dealloc},
    {Py_tp_traverse, stages_traverse},
    {Py_tp_clear, stages_clear},
    {Py_tp_methods, methods},
    {0},
};

static PyType_Spec spec = {"leat._leat.Stages", sizeof(struct stages_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

/* An object that is nothing but itself. */
static PyObject *sentinel(PyObject *module, const char *name)
{
    PyObject *types = PyImport_ImportModule("leat._errors"), *object;

    object = types ? PyObject_CallMethod(types, "Sentinel", "s", name) : NULL;
    Py_XDECREF(types);
    Py_XINCREF(object);
    if (object && PyModule_AddObject(module, name, object) < 0)
        return NULL;
    return object;
}

int stages_init(PyObject *module)
{
    PyObject *type = type_add(module, "Stages", &spec);

    Py_XDECREF(type);
    if (!type || !(stages_skip = sentinel(module, "SKIP")) || !(stages_end = sentinel(module, "END")))
        return -1;
    return 0;
}
