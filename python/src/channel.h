/* SPDX-License-Identifier: MIT */
/* leat.Channel: a handle of one end of a channel.
 *
 * Several threads may use a handle, and one of them may close it while others wait in it. So a thread is counted while
 * it is in a call, and the last one that leaves a closed handle frees it. A cancel wakes the others. */
#ifndef LEAT_PYTHON_CHANNEL_H
#define LEAT_PYTHON_CHANNEL_H

#include "errors.h"
#include <leat/channel.h>
#include <stdatomic.h>
#include <stdbool.h>

struct channel_object {
    PyObject base;
    leat_channel *channel; /* NULL: freed */
    enum leat_channel_end end;
    atomic_bool closed;
    int inside;     /* calls that are in progress without the GIL */
    size_t fixed;   /* each message has so many bytes; 0: any number */
    size_t largest; /* the longest message that recv_many has to expect */
    PyObject *room; /* of a reservation; NULL: none */
};

int channel_init(PyObject *module);

/* Raises ValueError if the handle is closed: -1. */
int channel_check(const struct channel_object *self);

/* Before and after a call without the GIL. */
void channel_enter(struct channel_object *self);
void channel_leave(struct channel_object *self);

/* The methods that move messages. */
PyObject *channel_send(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *channel_send_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *channel_recv(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *channel_recv_into(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *channel_recv_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *channel_next(PyObject *object);
PyObject *channel_reserve(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords);
PyObject *channel_publish(PyObject *object, PyObject *value);
PyObject *channel_abandon(PyObject *object, PyObject *nothing);

#endif
