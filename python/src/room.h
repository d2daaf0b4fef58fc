/* SPDX-License-Identifier: MIT */
/* Memory of leat as memoryviews, which end when leat takes the memory back. */
#ifndef LEAT_PYTHON_ROOM_H
#define LEAT_PYTHON_ROOM_H

#include "abi.h"
#include <stdbool.h>

int room_init(PyObject *module);

/* Makes a room of n bytes that belong to `owner`, which it keeps alive, and *ret_view, a memoryview of it. Returns the
 * room, which the owner keeps; NULL: there is an exception. */
PyObject *room_new(PyObject *owner, void *bytes, size_t n, bool writable, PyObject **ret_view);

/* Ends the memoryview and drops the room: *room becomes NULL. -1 with a BufferError if there are other views of the
 * room, which stay valid. A room that is NULL has ended. */
int room_end(PyObject **room);

/* Lets go of a room whose other views go on: *room becomes NULL, and `owner` is what keeps the memory alive. */
void room_hand_over(PyObject **room, PyObject *owner);

#endif
