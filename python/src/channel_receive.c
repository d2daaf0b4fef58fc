/* SPDX-License-Identifier: MIT */
#include "args.h"
#include "channel.h"
#include "wait.h"
#include <errno.h>
#include <stdlib.h>

enum {
    ON_STACK = 4096,          /* A message of any length is received here first: its length is not known before. */
    BATCH = 256,              /* messages that recv_many receives at once */
    BATCH_BYTES = 256 * 1024, /* the room for them */
};

struct receiving {
    struct channel_object *self;
    void *bytes;
    size_t room;
    size_t n;
};

static int step_receive(void *context, int timeout_ms)
{
    struct receiving *call = context;

    return leat_channel_receive(call->self->channel, call->bytes, call->room, &call->n, timeout_ms);
}

/* Returns what leat_channel_receive returned, or WAIT_RAISED. */
static int receive(struct receiving *call, int timeout_ms)
{
    int r;

    channel_enter(call->self);
    r = wait_for(step_receive, call, timeout_ms, call->room <= WAIT_SMALL ? WAIT_QUICK : 0);
    channel_leave(call->self);
    return r;
}

/* The next message, which may be of any length. NULL, and *ret_r is the reason: a negative errno without an exception,
 * or WAIT_RAISED with one. */
static PyObject *next_message(struct channel_object *self, int timeout_ms, int *ret_r)
{
    char stack[ON_STACK];
    struct receiving call = {self, stack, sizeof(stack), 0};
    PyObject *message = NULL, *result;

    for (;;) {
        if (self->fixed > 0 || call.n > sizeof(stack)) {
            call.room = self->fixed > 0 ? self->fixed : call.n;
            message = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)call.room);
            call.bytes = message ? PyBytes_AsString(message) : NULL;
            if (!message) {
                *ret_r = WAIT_RAISED;
                return NULL;
            }
        }
        *ret_r = receive(&call, timeout_ms);
        if (*ret_r == 0)
            break;
        Py_CLEAR(message);
        if (*ret_r != -EMSGSIZE || channel_check(self) < 0)
            return NULL;
    }
    if (message && call.n == call.room)
        return message;
    /* Another receiver had the message that was that long, or its sender died: this one is shorter. */
    result = PyBytes_FromStringAndSize(call.bytes, (Py_ssize_t)call.n);
    Py_XDECREF(message);
    return result;
}

static PyObject *message_or_exception(struct channel_object *self, int timeout_ms)
{
    PyObject *message;
    int r;

    if (channel_check(self) < 0)
        return NULL;
    message = next_message(self, timeout_ms, &r);
    if (!message && r < 0 && !PyErr_Occurred())
        error_raise(r, NULL);
    return message;
}

PyObject *channel_recv(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[1];
    int timeout_ms;

    if (args_read(SIGNATURE("recv", 0, "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[0], &timeout_ms) < 0)
        return NULL;
    return message_or_exception((struct channel_object *)object, timeout_ms);
}

/* An ordinary end ends the iteration; that of a sender that died is an exception. */
PyObject *channel_next(PyObject *object)
{
    struct channel_object *self = (struct channel_object *)object;
    PyObject *message;
    int r;

    if (channel_check(self) < 0)
        return NULL;
    message = next_message(self, -1, &r);
    if (!message && r < 0 && r != -ENODATA && !PyErr_Occurred())
        error_raise(r, NULL);
    return message;
}

PyObject *channel_recv_into(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct receiving call = {(struct channel_object *)object, NULL, 0, 0};
    PyObject *values[2];
    Py_buffer view;
    int r, timeout_ms;

    if (args_read(SIGNATURE("recv_into", 1, "buffer", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || channel_check(call.self) < 0 ||
        PyObject_GetBuffer(values[0], &view, PyBUF_WRITABLE) < 0)
        return NULL;
    call.bytes = view.buf;
    call.room = (size_t)view.len;
    r = receive(&call, timeout_ms);
    PyBuffer_Release(&view);
    if (r == -EMSGSIZE)
        return error_raise_with(r, NULL, "needed", PyLong_FromSize_t(call.n));
    if (r < 0)
        return error_raise(r, NULL);
    return r == 0 ? PyLong_FromSize_t(call.n) : NULL;
}

/* Room for several messages, and how many came. */
struct batch {
    struct channel_object *self;
    struct iovec *messages;
    char *bytes;
    size_t slot; /* the room for each */
    size_t n;
    size_t received;
};

static int step_receivev(void *context, int timeout_ms)
{
    struct batch *batch = context;
    size_t i;

    for (i = 0; i < batch->n; i++)
        batch->messages[i] = (struct iovec){batch->bytes + i * batch->slot, batch->slot};
    return leat_channel_receivev(batch->self->channel, batch->messages, batch->n, &batch->received, timeout_ms);
}

static PyObject *list_of(const struct batch *batch)
{
    PyObject *list = PyList_New((Py_ssize_t)batch->received);
    size_t i;

    for (i = 0; list && i < batch->received; i++) {
        PyObject *message =
            PyBytes_FromStringAndSize(batch->messages[i].iov_base, (Py_ssize_t)batch->messages[i].iov_len);

        if (message)
            PyList_SetItem(list, (Py_ssize_t)i, message);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* A list of the one message that has no room in a batch. Later batches have more. */
static PyObject *single(struct channel_object *self, int timeout_ms)
{
    PyObject *message = message_or_exception(self, timeout_ms), *list;

    if (!message)
        return NULL;
    if ((size_t)PyBytes_Size(message) > self->largest)
        self->largest = (size_t)PyBytes_Size(message);
    if ((list = PyList_New(1)))
        PyList_SetItem(list, 0, message);
    else
        Py_DECREF(message);
    return list;
}

static PyObject *receive_batch(struct channel_object *self, size_t n, int timeout_ms)
{
    struct iovec messages[BATCH];
    struct batch batch = {self, messages, NULL, self->fixed > 0 ? self->fixed : self->largest, n, 0};
    PyObject *list = NULL;
    int r;

    if (batch.slot > BATCH_BYTES / 2)
        return single(self, timeout_ms);
    if (batch.n > BATCH_BYTES / batch.slot)
        batch.n = BATCH_BYTES / batch.slot;
    if (batch.n > BATCH)
        batch.n = BATCH;
    if (!(batch.bytes = malloc(batch.n * batch.slot)))
        return PyErr_NoMemory();
    channel_enter(self);
    r = wait_for(step_receivev, &batch, timeout_ms, WAIT_QUICK);
    channel_leave(self);
    if (r == 0)
        list = list_of(&batch);
    free(batch.bytes);
    if (r == -EMSGSIZE)
        return single(self, timeout_ms);
    return r < 0 ? error_raise(r, NULL) : list;
}

PyObject *channel_recv_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct channel_object *self = (struct channel_object *)object;
    PyObject *values[2];
    uint64_t count = BATCH;
    int timeout_ms;

    if (args_read(SIGNATURE("recv_many", 0, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0 || channel_check(self) < 0)
        return NULL;
    return count > 0 ? receive_batch(self, (size_t)count, timeout_ms) : PyList_New(0);
}
