/* SPDX-License-Identifier: MIT */
#include "args.h"
#include "channel.h"
#include "room.h"
#include "wait.h"
#include <stdlib.h>

enum {
    BATCH = 256 /* messages that one call of the library gets */
};

/* Messages that are being sent, and how many of them were. */
struct sending {
    struct channel_object *self;
    const struct iovec *messages;
    size_t n;
    size_t sent;
};

static int step_send(void *context, int timeout_ms)
{
    struct sending *call = context;

    return leat_channel_send(call->self->channel, call->messages->iov_base, call->messages->iov_len, timeout_ms);
}

static int step_sendv(void *context, int timeout_ms)
{
    struct sending *call = context;
    size_t n = 0;
    int r = leat_channel_sendv(call->self->channel, call->messages + call->sent, call->n - call->sent, &n, timeout_ms);

    call->sent += n;
    return r;
}

PyObject *channel_send(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct iovec message;
    struct sending call = {(struct channel_object *)object, &message, 1, 0};
    PyObject *values[2];
    Py_buffer view;
    int r, timeout_ms;

    if (args_read(SIGNATURE("send", 1, "data", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || channel_check(call.self) < 0 ||
        PyObject_GetBuffer(values[0], &view, PyBUF_SIMPLE) < 0)
        return NULL;
    message = (struct iovec){view.buf, (size_t)view.len};
    channel_enter(call.self);
    r = wait_for(step_send, &call, timeout_ms, view.len <= WAIT_SMALL ? WAIT_QUICK : 0);
    channel_leave(call.self);
    PyBuffer_Release(&view);
    if (r < 0)
        return error_raise(r, NULL);
    if (r == WAIT_RAISED)
        return NULL;
    Py_RETURN_NONE;
}

/* Sends messages[from..from + n) of a tuple. 0; or -1 with an exception that says how many were sent in all. */
static int send_batch(struct channel_object *self, PyObject *messages, Py_ssize_t from, Py_ssize_t n, int timeout_ms)
{
    struct iovec pieces[BATCH];
    Py_buffer views[BATCH];
    struct sending call = {self, pieces, 0, 0};
    size_t bytes = 0, i;
    int r = 0;

    for (i = 0; i < (size_t)n && r == 0; i++) {
        r = PyObject_GetBuffer(PyTuple_GetItem(messages, from + (Py_ssize_t)i), &views[i], PyBUF_SIMPLE);
        if (r < 0)
            break;
        pieces[i] = (struct iovec){views[i].buf, (size_t)views[i].len};
        bytes += pieces[i].iov_len;
        call.n++;
    }
    if (r == 0) {
        channel_enter(self);
        r = wait_for(step_sendv, &call, timeout_ms, bytes <= WAIT_SMALL ? WAIT_QUICK : 0);
        channel_leave(self);
        if (r < 0)
            error_raise_with(r, NULL, "sent", PyLong_FromSsize_t(from + (Py_ssize_t)call.sent));
    }
    for (i = 0; i < call.n; i++)
        PyBuffer_Release(&views[i]);
    return r == 0 ? 0 : -1;
}

PyObject *channel_send_many(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct channel_object *self = (struct channel_object *)object;
    Py_ssize_t at, count, total;
    PyObject *values[2], *messages;
    int timeout_ms;

    if (args_read(SIGNATURE("send_many", 1, "messages", "timeout"), args, n, keywords, values) < 0 ||
        args_timeout(values[1], &timeout_ms) < 0 || !(messages = PySequence_Tuple(values[0])))
        return NULL;
    total = PyTuple_Size(messages);
    for (at = 0; at < total; at += count) {
        count = total - at < BATCH ? total - at : BATCH;
        if (channel_check(self) < 0 || send_batch(self, messages, at, count, timeout_ms) < 0) {
            Py_DECREF(messages);
            return NULL;
        }
    }
    Py_DECREF(messages);
    return PyLong_FromSsize_t(total);
}

struct reserving {
    leat_channel *channel;
    size_t n;
    void *room;
};

static int step_reserve(void *context, int timeout_ms)
{
    struct reserving *call = context;

    return leat_channel_reserve(call->channel, call->n, &call->room, timeout_ms);
}

PyObject *channel_reserve(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    struct channel_object *self = (struct channel_object *)object;
    struct reserving call = {self->channel, 0, NULL};
    PyObject *values[2], *view;
    uint64_t count = 0;
    int r, timeout_ms;

    if (args_read(SIGNATURE("reserve", 1, "n", "timeout"), args, n, keywords, values) < 0 ||
        args_size(values[0], &count) < 0 || args_timeout(values[1], &timeout_ms) < 0 || channel_check(self) < 0)
        return NULL;
    call.n = (size_t)count;
    channel_enter(self);
    r = wait_for(step_reserve, &call, timeout_ms, WAIT_QUICK);
    channel_leave(self);
    if (r < 0)
        return error_raise(r, NULL);
    if (r == WAIT_RAISED || channel_check(self) < 0)
        return NULL;
    if ((self->room = room_new(object, call.room, call.n, true, &view)))
        return view;
    leat_channel_abandon(self->channel);
    return NULL;
}

static PyObject *end_room(struct channel_object *self, int (*end)(leat_channel *, size_t), size_t n)
{
    int r;

    if (channel_check(self) < 0 || room_end(&self->room) < 0)
        return NULL;
    r = end(self->channel, n);
    if (r < 0)
        return error_raise(r, NULL);
    Py_RETURN_NONE;
}

static int abandon(leat_channel *channel, size_t n)
{
    (void)n;
    return leat_channel_abandon(channel);
}

PyObject *channel_publish(PyObject *object, PyObject *value)
{
    uint64_t n = 0;

    if (args_size(value, &n) < 0)
        return NULL;
    return end_room((struct channel_object *)object, leat_channel_publish, (size_t)n);
}

PyObject *channel_abandon(PyObject *object, PyObject *nothing)
{
    return end_room((struct channel_object *)object, abandon, 0);
}
