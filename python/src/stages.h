/* SPDX-License-Identifier: MIT */
/* leat.Stages: items, which are Python objects, go through steps on threads of leat.
 *
 * A worker takes the GIL once for a batch of items, calls the step's function with each, gives the GIL back, and hands
 * the results over. It keeps its thread state of Python from its first call to its end.
 *
 * An item is a reference. A step behind a grouping step gets a struct leat_group of them, of which it makes a list. */
#ifndef LEAT_PYTHON_STAGES_H
#define LEAT_PYTHON_STAGES_H

#include "errors.h"
#include <leat/stages.h>
#include <stdbool.h>

struct stages_object;

/* The Python functions of a step; each but the first may be NULL. */
enum step_function {
    STEP_FUNCTION,
    STEP_DEAD,
    STEP_OPEN,
    STEP_CLOSE,
    STEP_WORKER_OPEN,
    STEP_WORKER_CLOSE,
    STEP_CONTROL,
    STEP_FUNCTIONS,
};

/* A step, as its hooks get it. */
struct step {
    struct stages_object *owner;
    PyObject *functions[STEP_FUNCTIONS];
    bool many;    /* the function takes a list, and gives an iterable of results */
    bool flat;    /* the function gives an iterable of results */
    bool fails;   /* the first failure ends the run */
    bool grouped; /* its items are groups */
    uint32_t retries;
    struct step *next; /* the one that was added before, in the list of all of them */
};

struct stages_object {
    PyObject base;
    leat_stages *stages;
    struct step *steps;     /* the last one first */
    bool grouped;           /* the results of the last step are groups */
    PyObject *control_done; /* called with (item, whether it has visited all steps); NULL: nothing is */
    struct trap trap;       /* the exception that ended the run */
};

int stages_init(PyObject *module);

extern PyObject *stages_skip; /* a result that is none */
extern PyObject *stages_end;  /* a result that ends the input of its step */

/* Fills the hooks of a stage from the step. */
void step_hooks(struct leat_stage *stage, struct step *step);

/* Drops items: those of the input of `step`, or results. They take the GIL. */
void step_dispose(void *user, void *item);
void stages_dispose(void *user, void *item);
void stages_control_done(void *user, void *control, int code);

/* A new reference to the object of an item: the item itself, or a list of the items of a group. */
PyObject *stages_object_of(void *item, bool grouped);

/* Gives up the stages' own references to it. */
void stages_item_free(void *item, bool grouped);

/* Raises why the run has ended with a code: the exception of a function, or what leat says. Returns NULL. */
PyObject *stages_raise(struct stages_object *self, int r);

/* The stages, or NULL with an exception. */
leat_stages *stages_get(PyObject *object);

/* The methods of a run. */
PyObject *stages_start(PyObject *object, PyObject *nothing);
PyObject *stages_put(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stages_put_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stages_feed(PyObject *object, PyObject *items);
PyObject *stages_control(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stages_take(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stages_take_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stages_finish(PyObject *object, PyObject *nothing);
PyObject *stages_wait(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *stages_abort(PyObject *object, PyObject *value);
PyObject *stages_stop(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);

#endif
