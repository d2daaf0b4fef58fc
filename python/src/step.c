/* SPDX-License-Identifier: MIT */
/* What a step does on the thread of a worker. */
#include "stages.h"
#include <stdlib.h>

enum {
    RESULTS = 64 /* that are handed over at once */
};

/* A worker of a step. */
struct worker_state {
    PyGILState_STATE state;
    PyThreadState *thread;
    PyObject *object; /* what worker_open has returned; NULL: there is no worker_open */
    struct trap last; /* the exception of the last call that failed */
    void *results[RESULTS];
    size_t n;
};

/* That of this thread: the hook `dead` is not told which worker calls it. */
static _Thread_local struct worker_state *current;

PyObject *stages_object_of(void *item, bool grouped)
{
    const struct leat_group *group = item;
    PyObject *list;
    size_t i;

    if (!grouped) {
        Py_INCREF((PyObject *)item);
        return item;
    }
    list = PyList_New((Py_ssize_t)group->count);
    for (i = 0; list && i < group->count; i++) {
        Py_INCREF((PyObject *)group->items[i]);
        PyList_SetItem(list, (Py_ssize_t)i, group->items[i]);
    }
    return list;
}

void stages_item_free(void *item, bool grouped)
{
    struct leat_group *group = item;
    size_t i;

    if (!grouped) {
        Py_DECREF((PyObject *)item);
        return;
    }
    for (i = 0; i < group->count; i++)
        Py_DECREF((PyObject *)group->items[i]);
    leat_group_free(group);
}

static void dispose(void *item, bool grouped)
{
    PyGILState_STATE state = PyGILState_Ensure();

    stages_item_free(item, grouped);
    PyGILState_Release(state);
}

void step_dispose(void *user, void *item)
{
    dispose(item, ((struct step *)user)->grouped);
}

void stages_dispose(void *user, void *item)
{
    dispose(item, ((struct stages_object *)user)->grouped);
}

void stages_control_done(void *user, void *control, int code)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct stages_object *self = user;
    PyObject *result;

    if (self->control_done) {
        result = PyObject_CallFunction(self->control_done, "OO", control, code == 0 ? Py_True : Py_False);
        if (!result)
            PyErr_WriteUnraisable(self->control_done);
        Py_XDECREF(result);
    }
    Py_DECREF((PyObject *)control);
    PyGILState_Release(state);
}

/* Hands the results over without the GIL. 0, or why no more are wanted. */
static int hand_over(struct worker_state *worker, leat_work *work)
{
    size_t n = worker->n;
    int r = 0;

    worker->n = 0;
    if (n > 0) {
        Py_BEGIN_ALLOW_THREADS r = leat_work_emit_many(work, worker->results, n, NULL, -1);
        Py_END_ALLOW_THREADS
    }
    return r;
}

/* Takes a result. 0, LEAT_STAGE_END, or a negative errno: no more are wanted. */
static int add(struct worker_state *worker, leat_work *work, PyObject *result)
{
    if (result == stages_skip || result == stages_end) {
        Py_DECREF(result);
        return result == stages_end ? LEAT_STAGE_END : 0;
    }
    worker->results[worker->n++] = result;
    return worker->n == RESULTS ? hand_over(worker, work) : 0;
}

/* Takes the results of an iterable, which it takes as well. TRAP_CODE: it has raised. */
static int add_all(struct worker_state *worker, leat_work *work, PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable), *result;
    int r = iterator ? 0 : TRAP_CODE;

    Py_DECREF(iterable);
    while (r == 0 && (result = PyIter_Next(iterator)))
        r = add(worker, work, result);
    if (r == 0 && PyErr_Occurred())
        r = TRAP_CODE;
    Py_XDECREF(iterator);
    return r;
}

static PyObject *call(struct worker_state *worker, const struct step *step, PyObject *argument)
{
    return PyObject_CallFunctionObjArgs(step->functions[STEP_FUNCTION], argument, worker->object, NULL);
}

static int run_one(struct worker_state *worker, leat_work *work, const struct step *step, void *item)
{
    PyObject *object = stages_object_of(item, step->grouped), *result = object ? call(worker, step, object) : NULL;

    Py_XDECREF(object);
    if (!result)
        return TRAP_CODE;
    if (result == stages_skip || result == stages_end || !step->flat)
        return add(worker, work, result);
    return add_all(worker, work, result);
}

/* The exception that is set counts for the run, if this was the last try; otherwise `dead` may ask for it. */
static void caught(struct worker_state *worker, const struct step *step, uint32_t attempt)
{
    if (step->fails && attempt >= step->retries)
        trap_catch(&step->owner->trap);
    Py_CLEAR(worker->last.exception);
    if (PyErr_Occurred())
        trap_catch(&worker->last);
}

static int run_list(struct worker_state *worker, leat_work *work, const struct step *step, void *const *items, size_t n,
                    size_t *done)
{
    PyObject *list = PyList_New((Py_ssize_t)n), *result = NULL;
    size_t i;
    int r;

    for (i = 0; list && i < n; i++) {
        PyObject *object = stages_object_of(items[i], step->grouped);

        if (!object)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, (Py_ssize_t)i, object);
    }
    if (list)
        result = call(worker, step, list);
    Py_XDECREF(list);
    if (!result)
        return TRAP_CODE;
    if (result == stages_skip || result == stages_end)
        r = add(worker, work, result);
    else
        r = add_all(worker, work, result);
    if (r != TRAP_CODE)
        *done = n;
    return r;
}

static int run_each(struct worker_state *worker, leat_work *work, const struct step *step, void *const *items, size_t n,
                    size_t *done)
{
    int r = 0;

    while (r == 0 && *done < n) {
        r = run_one(worker, work, step, items[*done]);
        if (r != TRAP_CODE)
            ++*done;
    }
    return r;
}

static int step_run(leat_work *work, void *const *items, size_t n, size_t *ret_done, void *user)
{
    struct worker_state *worker = leat_work_state(work);
    const struct step *step = user;
    size_t done = 0, i;
    int r;

    PyEval_RestoreThread(worker->thread);
    r = (step->many ? run_list : run_each)(worker, work, step, items, n, &done);
    if (r == TRAP_CODE)
        caught(worker, step, leat_work_attempt(work));
    for (i = 0; i < done; i++)
        stages_item_free(items[i], step->grouped);
    worker->thread = PyEval_SaveThread();
    *ret_done = done;
    if (worker->n > 0) {
        leat_work_emit_many(work, worker->results, worker->n, NULL, -1); /* if it fails, the run has ended */
        worker->n = 0;
    }
    return r == TRAP_CODE || r == LEAT_STAGE_END ? r : LEAT_STAGE_DONE;
}

/* A function of (argument) or (). 0, or TRAP_CODE: the run fails with its exception. */
static int run_hook(const struct step *step, enum step_function which, PyObject *argument, PyObject **ret_result)
{
    PyObject *result;

    if (!step->functions[which])
        return 0;
    result = PyObject_CallFunctionObjArgs(step->functions[which], argument, NULL);
    if (!result) {
        trap_catch(&step->owner->trap);
        return TRAP_CODE;
    }
    if (ret_result)
        *ret_result = result;
    else
        Py_DECREF(result);
    return 0;
}

static int worker_open(void *user, void **ret_state)
{
    struct worker_state *worker = calloc(1, sizeof(*worker));
    int r;

    if (!worker)
        return -ENOMEM;
    worker->state = PyGILState_Ensure();
    r = run_hook(user, STEP_WORKER_OPEN, NULL, &worker->object);
    if (r < 0) {
        PyGILState_Release(worker->state);
        free(worker);
        return r;
    }
    worker->thread = PyEval_SaveThread();
    *ret_state = current = worker;
    return 0;
}

static void worker_close(void *user, void *state)
{
    struct worker_state *worker = state;

    PyEval_RestoreThread(worker->thread);
    run_hook(user, STEP_WORKER_CLOSE, worker->object, NULL);
    Py_XDECREF(worker->object);
    Py_XDECREF(worker->last.exception);
    PyGILState_Release(worker->state);
    free(worker);
    current = NULL;
}

static int step_open(void *user)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int r = run_hook(user, STEP_OPEN, NULL, NULL);

    PyGILState_Release(state);
    return r;
}

static void step_close(void *user)
{
    PyGILState_STATE state = PyGILState_Ensure();

    run_hook(user, STEP_CLOSE, NULL, NULL);
    PyGILState_Release(state);
}

static int step_control(leat_work *work, void **inout_control, void *user)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int r = run_hook(user, STEP_CONTROL, *inout_control, NULL);

    PyGILState_Release(state);
    return r;
}

/* dead(item, exception): what it raises is told, and does not end the run. */
static void step_dead(void *user, void *item, const struct leat_error *error)
{
    PyGILState_STATE state = PyGILState_Ensure();
    struct step *step = user;
    PyObject *object = stages_object_of(item, step->grouped), *result;
    PyObject *exception = current && current->last.exception ? current->last.exception : Py_None;

    result = object ? PyObject_CallFunctionObjArgs(step->functions[STEP_DEAD], object, exception, NULL) : NULL;
    if (!result)
        PyErr_WriteUnraisable(step->functions[STEP_DEAD]);
    Py_XDECREF(result);
    Py_XDECREF(object);
    stages_item_free(item, step->grouped);
    PyGILState_Release(state);
}

void step_hooks(struct leat_stage *stage, struct step *step)
{
    stage->user = step;
    stage->dispose = step_dispose;
    stage->function_many = step_run;
    stage->worker_open = worker_open;
    stage->worker_close = worker_close;
    stage->open = step->functions[STEP_OPEN] ? step_open : NULL;
    stage->close = step->functions[STEP_CLOSE] ? step_close : NULL;
    stage->control = step->functions[STEP_CONTROL] ? step_control : NULL;
    stage->dead = step->functions[STEP_DEAD] ? step_dead : NULL;
}
