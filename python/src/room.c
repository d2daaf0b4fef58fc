/* SPDX-License-Identifier: MIT */
#include "room.h"
#include "args.h"

static PyTypeObject *room_type;

struct room_object {
    PyObject base;
    PyObject *owner;
    PyObject *view; /* the memoryview that was given away */
    void *bytes;
    Py_ssize_t n;
    bool writable;
    Py_ssize_t exports; /* views of the memory that are not released */
};

static struct room_object *cast(PyObject *object)
{
    return (struct room_object *)object;
}

static int room_get(PyObject *object, Py_buffer *view, int flags)
{
    struct room_object *self = cast(object);

    if (PyBuffer_FillInfo(view, object, self->bytes, self->n, !self->writable, flags) < 0)
        return -1;
    self->exports++;
    return 0;
}

static void room_release(PyObject *object, Py_buffer *view)
{
    (void)view;
    cast(object)->exports--;
}

PyObject *room_new(PyObject *owner, void *bytes, size_t n, bool writable, PyObject **ret_view)
{
    struct room_object *self = PyObject_GC_New(struct room_object, room_type);

    if (!self)
        return NULL;
    Py_INCREF(owner);
    self->owner = owner;
    self->bytes = bytes;
    self->n = (Py_ssize_t)n;
    self->writable = writable;
    self->exports = 0;
    self->view = NULL;
    PyObject_GC_Track((PyObject *)self);
    if (!(self->view = PyMemoryView_FromObject((PyObject *)self))) {
        Py_DECREF(self);
        return NULL;
    }
    Py_INCREF(self->view);
    *ret_view = self->view;
    return (PyObject *)self;
}

int room_end(PyObject **room)
{
    struct room_object *self;
    PyObject *result;

    if (!*room)
        return 0;
    self = cast(*room);
    if (!(result = PyObject_CallMethod(self->view, "release", NULL)))
        return -1;
    Py_DECREF(result);
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "there are other views of this memory");
        return -1;
    }
    Py_CLEAR(*room);
    return 0;
}

void room_hand_over(PyObject **room, PyObject *owner)
{
    PyObject *before = cast(*room)->owner;

    Py_INCREF(owner);
    cast(*room)->owner = owner;
    Py_DECREF(before);
    Py_CLEAR(*room);
}

static int room_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(cast(object)->owner);
    Py_VISIT(cast(object)->view);
    return 0;
}

static int room_clear(PyObject *object)
{
    Py_CLEAR(cast(object)->view);
    Py_CLEAR(cast(object)->owner);
    return 0;
}

static void room_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    room_clear(object);
    type_free(object);
}

static PyType_Slot slots[] = {
    {Py_tp_new, type_no_new},
    {Py_tp_dealloc, room_dealloc},
    {Py_tp_traverse, room_traverse},
    {Py_tp_clear, room_clear},
    {Py_bf_getbuffer, room_get},
    {Py_bf_releasebuffer, room_release},
    {0},
};

static PyType_Spec spec = {"leat._leat.Room", sizeof(struct room_object), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                           slots};

int room_init(PyObject *module)
{
    room_type = (PyTypeObject *)type_add(module, "Room", &spec);
    return room_type ? 0 : -1;
}
