/* SPDX-License-Identifier: MIT */
/* leat.Writer and leat.Reader: the two ends of a pipe inside a process.
 *
 * Several threads may use one end. One of them may close it while others wait in it. So a thread is counted while it is
 * in a call, and the last one that leaves a closed end frees it. The others look whether it was closed every 50 ms. */
#ifndef LEAT_PYTHON_PIPE_H
#define LEAT_PYTHON_PIPE_H

#include "errors.h"
#include "turn.h"
#include <leat/pipe.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What both ends have. */
struct pipe_end {
    PyObject base;
    PyObject *box;  /* a list, shared by both ends: the exception that the writer failed with, and the filters */
    PyObject *room; /* the reservation of a writer; NULL: none */
    atomic_bool closed;
    struct turn turn;
    int inside; /* calls that are in progress without the GIL */
};

struct writer_object {
    struct pipe_end end;
    leat_writer *writer; /* NULL: freed */
};

struct reader_object {
    struct pipe_end end;
    leat_reader *reader; /* NULL: freed */
    PyObject *held;    /* bytes that a read had got when its time was up: the next read begins with them; NULL: none */
    const char *piece; /* what a peek has shown to the lines; NULL: nothing */
    size_t piece_n;
    size_t piece_at; /* so much of it is read, and not consumed yet */
};

int pipe_init(PyObject *module);
int writer_init(PyObject *module);
int reader_init(PyObject *module);

/* New objects; they take the ends, on failure too, and a reference to the box. */
PyObject *writer_wrap(PyTypeObject *type, leat_writer *writer, PyObject *box);
PyObject *reader_wrap(PyTypeObject *type, leat_reader *reader, PyObject *box);

/* Is the object such an end? */
bool writer_check(PyObject *object);
bool reader_check(PyObject *object);

/* Takes the end out of an object, which is closed then. NULL, with an exception: it is closed already, or in use. */
leat_writer *writer_release(PyObject *object);
leat_reader *reader_release(PyObject *object);

/* Are there no filters, so that a short call costs little? */
bool pipe_end_quick(const struct pipe_end *end);

/* Begins a step of a call: has the turn from the first step on, which *turn remembers. 0; -ECANCELED: the end is
 * closed; -EAGAIN or -ETIMEDOUT. */
int pipe_end_begin(struct pipe_end *end, bool *turn, int timeout_ms);

/* Raises ValueError if the end is closed: -1. */
int pipe_end_check(const struct pipe_end *end);

/* Raises the exception that a filter, or the writer, has failed with. false: there is none. */
bool pipe_box_raise(PyObject *box);

/* The numbers of a pipe as a dict. */
PyObject *pipe_stats_dict(int r, const struct leat_pipe_stats *stats);

/* For the garbage collector. */
int pipe_end_traverse(PyObject *object, visitproc visit, void *arg);
int pipe_end_clear(PyObject *object);

PyObject *pipe_end_closed(PyObject *object, void *closure);
PyObject *pipe_end_true(PyObject *object, PyObject *nothing);
PyObject *pipe_end_none(PyObject *object, PyObject *nothing);
PyObject *pipe_end_false(PyObject *object, PyObject *nothing);
PyObject *pipe_end_enter(PyObject *object, PyObject *nothing);

#endif
