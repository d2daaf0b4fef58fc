/* SPDX-License-Identifier: MIT */
/* Failures of leat as exceptions, and exceptions of Python functions on their way through leat. */
#ifndef LEAT_PYTHON_ERRORS_H
#define LEAT_PYTHON_ERRORS_H

#include "abi.h"
#include <errno.h>
#include <leat/base.h>
#include <stdbool.h>

/* Finds leat._errors, which has the classes. 0, or -1 with an exception. */
int errors_init(void);

/* Raises the exception of a code, which is a negative errno. `error` may be NULL, or not about this code. Returns NULL.
 */
PyObject *error_raise(int code, const struct leat_error *error);

/* As error_raise, and gives the exception an attribute, whose reference is taken. */
PyObject *error_raise_with(int code, const struct leat_error *error, const char *attribute, PyObject *value);

/* Raises Incomplete: the stream ends with fewer bytes than were asked for. Returns NULL. */
PyObject *error_raise_incomplete(void);

/* Where an exception of a Python function waits while leat carries a code to the caller. All zero: there is none. */
struct trap {
    PyObject *exception;
};

/* Takes the exception that is set. If there is one already, the new one is dropped: the first one counts. */
void trap_catch(struct trap *trap);

/* Raises the exception, which stays there. false: there is none. */
bool trap_raise(const struct trap *trap);

/* The code that leat carries in place of an exception. */
enum {
    TRAP_CODE = -ENOTRECOVERABLE
};

#endif
