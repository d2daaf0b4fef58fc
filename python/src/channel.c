/* SPDX-License-Identifier: MIT */
#include "channel.h"
#include "args.h"
#include "options.h"
#include "room.h"
#include "wait.h"
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define CHANNEL(member) offsetof(struct leat_channel_options, member)

enum {
    FIRST_LARGEST = 1024, /* what recv_many expects before it has seen a message */
    PEERS_MAX = 4096      /* as leat_channel_open allows */
};

static const char *const ends[] = {"sender", "receiver", NULL};

static const struct option channel_options_table[] = {
    {"message_size", OPTION_SIZE, CHANNEL(message_size), NULL, 0},
    {"count", OPTION_SIZE, CHANNEL(count), NULL, 0},
    {"ring_bytes", OPTION_SIZE, CHANNEL(ring_bytes), NULL, 0},
    {"message_limit", OPTION_SIZE, CHANNEL(message_limit), NULL, 0},
    {"duplex", OPTION_FLAG, CHANNEL(duplex), NULL, 0},
    {"end", OPTION_WORD, CHANNEL(end), ends, 0},
    {"peers", OPTION_INT, CHANNEL(peers), NULL, 0},
    {0},
};

static struct channel_object *cast(PyObject *object)
{
    return (struct channel_object *)object;
}

static PyObject *wrap(PyObject *type, leat_channel *channel)
{
    PyObject *object = ((allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc))((PyTypeObject *)type, 0);
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);

    if (!object) {
        leat_channel_close(channel);
        return NULL;
    }
    leat_channel_describe(channel, &options);
    cast(object)->channel = channel;
    cast(object)->end = (enum leat_channel_end)options.end;
    cast(object)->fixed = (size_t)options.message_size;
    cast(object)->largest = FIRST_LARGEST;
    return object;
}

int channel_check(const struct channel_object *self)
{
    if (!self->closed)
        return 0;
    PyErr_SetString(PyExc_ValueError, "this handle of the channel is closed");
    return -1;
}

static void free_channel(struct channel_object *self)
{
    leat_channel *channel = self->channel;

    self->channel = NULL;
    Py_BEGIN_ALLOW_THREADS leat_channel_close(channel);
    Py_END_ALLOW_THREADS
}

void channel_enter(struct channel_object *self)
{
    self->inside++;
}

void channel_leave(struct channel_object *self)
{
    if (--self->inside == 0 && self->closed && self->channel)
        free_channel(self);
}

/* (type, options) */
static PyObject *channel_open(PyObject *module, PyObject *args)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    PyObject *type, *dict;
    leat_channel *channel;
    int r;

    if (!PyArg_ParseTuple(args, "OO", &type, &dict) || options_take(dict, channel_options_table, &options, NULL) < 0 ||
        options_end(dict) < 0)
        return NULL;
    r = leat_channel_open(&channel, &options, &error);
    return r < 0 ? error_raise(r, &error) : wrap(type, channel);
}

/* (type, descriptors) */
static PyObject *channel_attach(PyObject *module, PyObject *args)
{
    PyObject *type, *list;
    int fds[LEAT_CHANNEL_FDS];
    leat_channel *channel;
    Py_ssize_t i, n;
    int r;

    if (!PyArg_ParseTuple(args, "OO", &type, &list) || (n = PySequence_Size(list)) < 0)
        return NULL;
    if (n > LEAT_CHANNEL_FDS)
        return PyErr_Format(PyExc_ValueError, "an end of a channel has at most %d descriptors", LEAT_CHANNEL_FDS);
    for (i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(list, i);

        fds[i] = item ? PyObject_AsFileDescriptor(item) : -1;
        Py_XDECREF(item);
        if (fds[i] < 0)
            return NULL;
    }
    r = leat_channel_attach(&channel, fds, (size_t)n);
    return r < 0 ? error_raise(r, NULL) : wrap(type, channel);
}

static PyObject *channel_export(PyObject *object, PyObject *value)
{
    int fds[LEAT_CHANNEL_FDS];
    size_t i, n = LEAT_CHANNEL_FDS;
    PyObject *list;
    long end = PyLong_AsLong(value);
    int r;

    if ((end == -1 && PyErr_Occurred()) || channel_check(cast(object)) < 0)
        return NULL;
    if ((r = leat_channel_export_end(cast(object)->channel, (enum leat_channel_end)end, fds, &n)) < 0)
        return error_raise(r, NULL);
    list = PyList_New((Py_ssize_t)n);
    for (i = 0; list && i < n; i++)
        PyList_SetItem(list, (Py_ssize_t)i, PyLong_FromLong(fds[i]));
    if (list && !PyErr_Occurred())
        return list;
    for (i = 0; i < n; i++)
        close(fds[i]);
    Py_XDECREF(list);
    return NULL;
}

/* A pass, or its counterpart: over which socket. */
struct passing {
    leat_channel *channel;
    enum leat_channel_end end;
    int socket;
};

static int step_pass(void *context, int timeout_ms)
{
    struct passing *call = context;

    return leat_channel_pass(call->channel, call->end, call->socket, timeout_ms);
}

static int step_attach(void *context, int timeout_ms)
{
    struct passing *call = context;

    return leat_channel_attach_passed(&call->channel, call->socket, timeout_ms);
}

/* (end, socket, timeout) */
static PyObject *channel_pass(PyObject *object, PyObject *args)
{
    struct passing call = {cast(object)->channel, LEAT_CHANNEL_SENDER, -1};
    PyObject *timeout;
    int r, end, timeout_ms;

    if (!PyArg_ParseTuple(args, "iiO", &end, &call.socket, &timeout) || args_timeout(timeout, &timeout_ms) < 0 ||
        channel_check(cast(object)) < 0)
        return NULL;
    call.end = (enum leat_channel_end)end;
    channel_enter(cast(object));
    r = wait_for(step_pass, &call, timeout_ms, 0);
    channel_leave(cast(object));
    if (r < 0)
        return error_raise(r, NULL);
    if (r == WAIT_RAISED)
        return NULL;
    Py_RETURN_NONE;
}

/* (type, socket, timeout) */
static PyObject *channel_attach_passed(PyObject *module, PyObject *args)
{
    struct passing call = {NULL, LEAT_CHANNEL_SENDER, -1};
    PyObject *type, *timeout;
    int r, timeout_ms;

    if (!PyArg_ParseTuple(args, "OiO", &type, &call.socket, &timeout) || args_timeout(timeout, &timeout_ms) < 0)
        return NULL;
    r = wait_for(step_attach, &call, timeout_ms, 0);
    if (r < 0)
        return error_raise(r, NULL);
    return r == WAIT_RAISED ? NULL : wrap(type, call.channel);
}

static PyObject *channel_cancel(PyObject *object, PyObject *nothing)
{
    if (channel_check(cast(object)) < 0)
        return NULL;
    leat_channel_cancel(cast(object)->channel);
    Py_RETURN_NONE;
}

static PyObject *channel_close(PyObject *object, PyObject *nothing)
{
    struct channel_object *self = cast(object);

    if (self->closed)
        Py_RETURN_NONE;
    if (room_end(&self->room) < 0)
        return NULL;
    self->closed = true;
    if (self->inside > 0)
        leat_channel_cancel(self->channel);
    else
        free_channel(self);
    Py_RETURN_NONE;
}

static PyObject *channel_exit(PyObject *object, PyObject *args)
{
    return channel_close(object, NULL);
}

static PyObject *channel_enter_with(PyObject *object, PyObject *nothing)
{
    if (channel_check(cast(object)) < 0)
        return NULL;
    Py_INCREF(object);
    return object;
}

static PyObject *channel_poll_fd(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *keywords)
{
    PyObject *values[1];
    bool write = false;
    int r, fd;

    if (args_read(SIGNATURE("poll_fd", 0, "write"), args, n, keywords, values) < 0 ||
        args_flag(values[0], &write) < 0 || channel_check(cast(object)) < 0)
        return NULL;
    r = leat_channel_poll_fd(cast(object)->channel, write ? LEAT_WRITE : LEAT_READ, &fd);
    return r < 0 ? error_raise(r, NULL) : PyLong_FromLong(fd);
}

static PyObject *lane_dict(const struct leat_channel_lane *lane)
{
    return Py_BuildValue("{sKsKsKsKsKsIsIsI}", "messages", (unsigned long long)lane->messages, "bytes",
                         (unsigned long long)lane->bytes, "sent", (unsigned long long)lane->sent, "held",
                         (unsigned long long)lane->held, "again", (unsigned long long)lane->again, "senders",
                         lane->senders, "receivers", lane->receivers, "deaths", lane->deaths);
}

static PyObject *channel_info(PyObject *object, PyObject *nothing)
{
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    PyObject *lanes, *lane;
    size_t n = 0;
    uint32_t i;
    int r;

    if (channel_check(cast(object)) < 0)
        return NULL;
    if ((r = leat_channel_inspect(leat_channel_memory_fd(cast(object)->channel), &info, NULL, &n)) < 0)
        return error_raise(r, NULL);
    if (!(lanes = PyList_New(info.lanes)))
        return NULL;
    for (i = 0; i < info.lanes; i++) {
        if (!(lane = lane_dict(&info.lane[i]))) {
            Py_DECREF(lanes);
            return NULL;
        }
        PyList_SetItem(lanes, i, lane);
    }
    return Py_BuildValue("{sKsKsKsKsIsnsKsN}", "message_size", (unsigned long long)info.message_size, "count",
                         (unsigned long long)info.count, "ring_bytes", (unsigned long long)info.ring_bytes,
                         "message_limit", (unsigned long long)info.message_limit, "places", info.peers, "peers",
                         (Py_ssize_t)n, "lost", (unsigned long long)info.lost, "lanes", lanes);
}

static PyObject *channel_end(PyObject *object, void *closure)
{
    return PyUnicode_FromString(ends[cast(object)->end]);
}

static PyObject *channel_closed(PyObject *object, void *closure)
{
    return PyBool_FromLong(cast(object)->closed);
}

static int channel_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(cast(object)->room);
    return 0;
}

static void channel_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    if (cast(object)->channel)
        free_channel(cast(object));
    Py_CLEAR(cast(object)->room);
    type_free(object);
}

static PyMethodDef methods[] = {
    {"send", FAST(channel_send), "send(data, timeout=None): sends one message."},
    {"send_many", FAST(channel_send_many), "send_many(messages, timeout=None): sends several, and returns how many."},
    {"recv", FAST(channel_recv), "recv(timeout=None): the next message."},
    {"recv_into", FAST(channel_recv_into), "recv_into(buffer, timeout=None): the next message; returns its length."},
    {"recv_many", FAST(channel_recv_many), "recv_many(n=256, timeout=None): a list of the messages that are there."},
    {"reserve", FAST(channel_reserve), "reserve(n, timeout=None): a memoryview of room in the ring itself."},
    {"publish", channel_publish, METH_O, "publish(n): sends the first n bytes of the reservation."},
    {"abandon", channel_abandon, METH_NOARGS, "Drops the reservation."},
    {"cancel", channel_cancel, METH_NOARGS, "Each call on this handle that waits raises Cancelled."},
    {"close", channel_close, METH_NOARGS, "Leaves the channel."},
    {"poll_fd", FAST(channel_poll_fd), "poll_fd(write=False): a descriptor for event loops, to poll for reading."},
    {"info", channel_info, METH_NOARGS, "Numbers about the channel, as a dict."},
    {"_export", channel_export, METH_O, NULL},
    {"_pass", channel_pass, METH_VARARGS, NULL},
    {"__enter__", channel_enter_with, METH_NOARGS, NULL},
    {"__exit__", channel_exit, METH_VARARGS, NULL},
    {0},
};

static PyGetSetDef getters[] = {
    {"end", channel_end, NULL, "Which end this is: 'sender' or 'receiver'.", NULL},
    {"closed", channel_closed, NULL, "Is this handle closed?", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, channel_dealloc},
    {Py_tp_traverse, channel_traverse},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, channel_next},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0},
};

static PyType_Spec spec = {"leat._leat.Channel", sizeof(struct channel_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

static PyMethodDef functions[] = {
    {"channel_open", channel_open, METH_VARARGS, NULL},
    {"channel_attach", channel_attach, METH_VARARGS, NULL},
    {"channel_attach_passed", channel_attach_passed, METH_VARARGS, NULL},
    {0},
};

int channel_init(PyObject *module)
{
    PyObject *type = type_add(module, "Channel", &spec);

    Py_XDECREF(type);
    return type ? PyModule_AddFunctions(module, functions) : -1;
}
