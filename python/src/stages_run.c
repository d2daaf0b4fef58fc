/* SPDX-License-Identifier: MIT */
/* A run of stages, as the threads of the program see it: items go in, results come out. */
#include "args.h"
#include "stages.h"
#include "wait.h"

enum {
    BATCH = 256 /* items that one call of the library gets */
};

/* Items that are being put in, or one that is taken. */
struct moving {
    leat_stages *stages;
    void **items;
    size_t n;
    size_t done;
    struct leat_error error;
    int how;
};

PyObject *stages_start(PyObject *object, PyObject *nothing)
{
    struct stages_object *self = (struct stages_object *)object;
    int r;

    if (!stages_get(object))
        return NULL;
    Py_CLEAR(self->trap.exception);
    Py_BEGIN_ALLOW_THREADS r = leat_stages_start(self->stages);
    Py_END_ALLOW_THREADS if (r < 0) return stages_raise(self, r);
    Py_RETURN_NONE;
}

static int step_put(void *context, int timeout_ms)
{
    struct moving *call = context;
    size_t n = 0;
    int r = leat_stages_put_many(call->stages, call->items + call->done, call->n - call->done, &n, timeout_ms);

    call->done += n;
    return r;
}

static int step_control(void *context, int timeout_ms)
{
    struct moving *call = context;

    return leat_stages_control(call->stages, call->items[0], timeout_ms);
}

static int step_take(void *context, int timeout_ms)
{
    struct moving *call = context;

    return leat_stages_take(call->stages, call->items, timeout_ms);
}

/* Puts references in, of which it takes all, on failure too. 0, or -1 with an exception; *ret_done is how many are in.
 */
static int put(struct stages_object *self, void **items, size_t n, int timeout_ms, size_t *ret_done)
{
    struct moving call = {.stages = self->stages, .items = items, .n = n};
    size_t i;
    int r = wait_for(step_put, &call, timeout_ms, WAIT_QUICK);

    for (i = call.done; i < n; i++)
        Py_DECREF((PyObject *)items[i]);
    *ret_done = call.done;
    if (r < 0)
        stages_raise(self, r);
    return r == 0 ? 0 : -1;
}

PyObject *stages_put(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    void *item;
    size_t done;
    int timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("put", 1, "item", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    Py_INCREF(values[0]);
    item = values[0];
    if (put((struct stages_object *)object, &item, 1, timeout_ms, &done) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Gives the exception that is set an attribute that says how many items are in. */
static PyObject *say_done(Py_ssize_t n)
{
    PyObject *type, *exception, *trace, *value = PyLong_FromSsize_t(n);

    PyErr_Fetch(&type, &exception, &trace);
    PyErr_NormalizeException(&type, &exception, &trace);
    if (value && PyObject_SetAttrString(exception, "put", value) < 0)
        PyErr_Clear();
    Py_XDECREF(value);
    PyErr_Restore(type, exception, trace);
    return NULL;
}

PyObject *stages_put_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct stages_object *self = (struct stages_object *)object;
    Py_ssize_t at = 0, total, i, count;
    PyObject *values[2], *tuple;
    void *items[BATCH];
    size_t done;
    int r = 0, timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("put_many", 1, "items", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || !(tuple = PySequence_Tuple(values[0])))
        return NULL;
    total = PyTuple_Size(tuple);
    while (r == 0 && at < total) {
        count = total - at < BATCH ? total - at : BATCH;
        for (i = 0; i < count; i++) {
            items[i] = PyTuple_GetItem(tuple, at + i);
            Py_INCREF((PyObject *)items[i]);
        }
        r = put(self, items, (size_t)count, timeout_ms, &done);
        at += (Py_ssize_t)done;
    }
    Py_DECREF(tuple);
    return r < 0 ? say_done(at) : PyLong_FromSsize_t(total);
}

/* Puts in all items of an iterable, and ends the input. A list or a tuple is put in as a whole; of other iterables each
 * item goes in before the next one is asked for, because that may take any time. */
PyObject *stages_feed(PyObject *object, PyObject *items)
{
    struct stages_object *self = (struct stages_object *)object;
    PyObject *iterator, *item, *result = NULL;
    size_t done, n = 0;
    void *pointer;

    if (!stages_get(object))
        return NULL;
    if (PyList_CheckExact(items) || PyTuple_CheckExact(items)) {
        if (!(result = stages_put_many(object, &items, 1, NULL)))
            return NULL;
        Py_DECREF(result);
        return stages_finish(object, NULL);
    }
    if (!(iterator = PyObject_GetIter(items)))
        return NULL;
    while ((item = PyIter_Next(iterator))) {
        pointer = item;
        if (put(self, &pointer, 1, -1, &done) < 0)
            break;
        if (++n % BATCH == 0) { /* An iterator in C does not let other threads run. */
            Py_BEGIN_ALLOW_THREADS Py_END_ALLOW_THREADS
        }
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : stages_finish(object, NULL);
}

PyObject *stages_control(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct stages_object *self = (struct stages_object *)object;
    struct moving call = {.stages = self->stages};
    PyObject *values[2];
    void *item;
    int r, timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("control", 1, "item", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    item = values[0];
    call.items = &item;
    Py_INCREF(values[0]);
    r = wait_for(step_control, &call, timeout_ms, WAIT_QUICK);
    if (r != 0)
        Py_DECREF(values[0]);
    if (r < 0)
        return stages_raise(self, r);
    if (r == WAIT_RAISED)
        return NULL;
    Py_RETURN_NONE;
}

/* The object of a result, which it takes. */
static PyObject *object_of_result(struct stages_object *self, void *item)
{
    PyObject *object = stages_object_of(item, self->grouped);

    stages_item_free(item, self->grouped);
    return object;
}

PyObject *stages_take(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct stages_object *self = (struct stages_object *)object;
    struct moving call = {.stages = self->stages};
    PyObject *values[1];
    void *item;
    int r, timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("take", 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0)
        return NULL;
    call.items = &item;
    r = wait_for(step_take, &call, timeout_ms, WAIT_QUICK);
    if (r == 0)
        return object_of_result(self, item);
    if (r == LEAT_STAGES_END)
        return error_raise(-ENODATA, NULL);
    return r == WAIT_RAISED ? NULL : stages_raise(self, r);
}

/* Waits for the first result alone. Behind the last one the list is empty. */
PyObject *stages_take_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct stages_object *self = (struct stages_object *)object;
    struct moving call = {.stages = self->stages};
    PyObject *values[2], *list, *result;
    uint64_t count = BATCH;
    void *item;
    int r, timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("take_many", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0 || !(list = PyList_New(0)))
        return NULL;
    call.items = &item;
    r = count > 0 ? wait_for(step_take, &call, timeout_ms, WAIT_QUICK) : LEAT_STAGES_END;
    while (r == 0) {
        result = object_of_result(self, item);
        r = result ? PyList_Append(list, result) : -1;
        Py_XDECREF(result);
        if (r < 0) {
            Py_DECREF(list);
            return NULL;
        }
        r = (uint64_t)PyList_Size(list) < count ? leat_stages_take(self->stages, &item, 0) : LEAT_STAGES_END;
    }
    if (PyList_Size(list) > 0 || r == LEAT_STAGES_END)
        return list; /* the next call tells of a failure */
    Py_DECREF(list);
    return r == WAIT_RAISED ? NULL : stages_raise(self, r);
}

static int step_wait(void *context, int timeout_ms)
{
    struct moving *call = context;

    return leat_stages_wait(call->stages, timeout_ms, &call->error);
}

static int step_stop(void *context, int timeout_ms)
{
    struct moving *call = context;

    return leat_stages_stop(call->stages, (enum leat_stop)call->how, timeout_ms, &call->error);
}

static PyObject *wait_end(struct stages_object *self, wait_call function, int how, int timeout_ms)
{
    struct moving call = {.stages = self->stages, .how = how, .error = LEAT_INIT(struct leat_error)};
    int r = wait_for(function, &call, timeout_ms, 0);

    if (r == WAIT_RAISED)
        return NULL;
    if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT && trap_raise(&self->trap))
        return NULL;
    if (r < 0)
        return error_raise(r, &call.error);
    Py_RETURN_NONE;
}

PyObject *stages_wait(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[1];
    int timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("wait", 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0)
        return NULL;
    return wait_end((struct stages_object *)object, step_wait, 0, timeout_ms);
}

PyObject *stages_stop(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[2];
    bool abort = false;
    int timeout_ms;

    if (!stages_get(object) || args_read(SIGNATURE("stop", 0, "abort", "timeout"), args, n, keywords, values) < 0 ||
        args_flag(values[0], &abort) < 0 || args_timeout(values[1], &timeout_ms) < 0)
        return NULL;
    return wait_end((struct stages_object *)object, step_stop, abort ? LEAT_STOP_ABORT : LEAT_STOP_DRAIN, timeout_ms);
}

/* Ends the run, whatever it has failed with. Returns whether it has ended in time. */
PyObject *stages_abort(PyObject *object, PyObject *value)
{
    struct stages_object *self = (struct stages_object *)object;
    struct moving call = {.stages = self->stages, .how = LEAT_STOP_ABORT, .error = LEAT_INIT(struct leat_error)};
    int r, timeout_ms;

    if (!stages_get(object) || args_timeout(value, &timeout_ms) < 0)
        return NULL;
    r = wait_for(step_stop, &call, timeout_ms, 0);
    return r == WAIT_RAISED ? NULL : PyBool_FromLong(r != -EAGAIN && r != -ETIMEDOUT);
}
