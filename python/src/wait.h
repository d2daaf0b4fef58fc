/* SPDX-License-Identifier: MIT */
/* Calls of leat that may wait: when the interpreter's lock (the GIL) is released for them, and how Ctrl-C ends them. */
#ifndef LEAT_PYTHON_WAIT_H
#define LEAT_PYTHON_WAIT_H

#include "abi.h"
#include <stdbool.h>

/* A Python exception is set, such as KeyboardInterrupt. No code of leat has this value. */
enum {
    WAIT_RAISED = 1 << 20
};

/* Up to this many bytes are copied without releasing the GIL: two threads that release it for each block spend more
 * time on getting it back than on the copy. */
enum {
    WAIT_SMALL = 1024 * 1024
};

/* A call with a time limit in milliseconds: 0 does not wait, -1 waits without a limit. After -EAGAIN or -ETIMEDOUT it
 * is called again and has to go on where it was. It must not touch Python objects. */
typedef int (*wait_call)(void *context, int timeout_ms);

enum wait_flags {
    WAIT_QUICK = 1 << 0,  /* The call is first tried with the GIL held, without waiting. So it must be short then. */
    WAIT_SLICED = 1 << 1, /* The call is made again every 50 ms, to look whether its object was closed. */
};

/* May handlers of signals run on this thread, so that a wait has to look for signals? */
bool wait_has_signals(void);

/* Makes the call, and waits in it for timeout_ms. Returns what the call returned, or WAIT_RAISED. */
int wait_for(wait_call call, void *context, int timeout_ms, unsigned flags);

#endif
