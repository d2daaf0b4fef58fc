/* SPDX-License-Identifier: MIT */
/* The library calls give_back on whatever thread uses the bytes last, inside a call. That thread may have a lock of the
 * pipe for which a thread with the GIL waits, so give_back must not take the GIL. It puts the object on a stack, which
 * is emptied when the next object is lent or looked for. */
#include "lend.h"
#include "errors.h"
#include <stdatomic.h>
#include <stdint.h>

enum {
    BUCKETS = 1024
};

struct lent {
    PyObject *object;
    struct lent *next;     /* in its bucket */
    struct lent *returned; /* on the stack */
};

static struct lent *buckets[BUCKETS]; /* the GIL guards them */
static struct lent *_Atomic stack;

static struct lent **bucket(const void *data)
{
    return &buckets[((uintptr_t)data >> 4) * 2654435761u % BUCKETS];
}

static void give_back(void *user, const void *bytes, size_t n)
{
    struct lent *lent = user;

    (void)bytes;
    (void)n;
    lent->returned = atomic_load(&stack);
    while (!atomic_compare_exchange_weak(&stack, &lent->returned, lent))
        ;
}

static void collect(void)
{
    struct lent *lent = atomic_exchange(&stack, NULL), *next, **link;

    for (; lent; lent = next) {
        next = lent->returned;
        for (link = bucket(PyBytes_AsString(lent->object)); *link != lent; link = &(*link)->next)
            ;
        *link = lent->next;
        Py_DECREF(lent->object); /* a bytes object runs no code at its end */
        PyMem_Free(lent);
    }
}

int lend(PyObject *bytes, struct leat_view *view)
{
    struct lent *lent = PyMem_Malloc(sizeof(*lent));
    const void *data = PyBytes_AsString(bytes);
    size_t n = (size_t)PyBytes_Size(bytes);
    leat_stream *stream = NULL;
    int r = lent ? leat_stream_new(&stream, NULL, NULL, NULL) : -ENOMEM;

    collect();
    if (r == 0)
        r = leat_stream_append_ref(stream, data, n, give_back, lent);
    if (r < 0) {
        leat_stream_free(stream);
        PyMem_Free(lent);
        error_raise(r, NULL);
        return -1;
    }
    Py_INCREF(bytes);
    lent->object = bytes;
    lent->next = *bucket(data);
    *bucket(data) = lent;
    r = leat_stream_take(stream, n, view);
    leat_stream_free(stream);
    if (r < 0)
        error_raise(r, NULL);
    return r < 0 ? -1 : 0;
}

PyObject *lend_find(const void *data, size_t n)
{
    struct lent *lent;

    collect();
    for (lent = *bucket(data); lent; lent = lent->next)
        if (PyBytes_AsString(lent->object) == data && (size_t)PyBytes_Size(lent->object) == n) {
            Py_INCREF(lent->object);
            return lent->object;
        }
    return NULL;
}
